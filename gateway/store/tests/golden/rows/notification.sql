INSERT INTO notification VALUES (2, 'pager', 'key-2', '{"text":"warm"}', 1795428000001);
