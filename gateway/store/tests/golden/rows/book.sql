INSERT INTO book VALUES ('account-1', 'account', 1795428000000, '{"body":"account-1","签":1}');
INSERT INTO book VALUES ('haccp-2026-11-24', 'haccp', 1795428000000, '{"body":"haccp-2026-11-24","签":1}');
