INSERT INTO dead_letter VALUES (14, 1795428000000, NULL, CAST('{"topic":"alarm_event","class":"kiosk","at":1795428000000,"body":{"too":"large"}}' AS BLOB), 'too large for the broker', 1795428000000);
