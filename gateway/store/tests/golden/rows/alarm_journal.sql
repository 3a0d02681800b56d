INSERT INTO alarm_journal VALUES (1, 1795428000000, '{"alarm":"fridge-warm","to":"raised"}');
