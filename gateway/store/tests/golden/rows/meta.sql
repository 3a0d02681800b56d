INSERT INTO meta VALUES ('clean', '1');
INSERT INTO meta VALUES ('epoch', '00112233445566778899aabbccddeeff');
INSERT INTO meta VALUES ('next_seq', '19');
INSERT INTO meta VALUES ('rows', '[12,1,1,1,1]');
