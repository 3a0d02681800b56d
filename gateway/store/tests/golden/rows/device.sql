INSERT INTO device VALUES (1, 'food_safety-1');
INSERT INTO device VALUES (2, 'telemetry-1');
