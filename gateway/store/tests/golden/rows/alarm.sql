INSERT INTO alarm VALUES ('fridge-warm', '{"state":"raised"}');
