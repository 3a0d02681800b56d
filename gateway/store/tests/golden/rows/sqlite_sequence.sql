INSERT INTO sqlite_sequence VALUES ('notification', 2);
