INSERT INTO audit VALUES (1, 1795428000000, 'nurse', 'visit.open', 'visit-0', '');
INSERT INTO audit VALUES (2, 1795428000000, 'nurse', 'identity.reveal', 'visit-0', 'at the cabin''s screen');
