INSERT INTO open_command VALUES ('c-accepted');
INSERT INTO open_command VALUES ('c-sent');
