INSERT INTO undecodable VALUES ('alarm', 'fridge-warm', 1795428000000, 'state "unheard of" is not known', CAST('{"state":"raised"}' AS BLOB));
