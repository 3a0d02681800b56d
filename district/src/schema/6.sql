-- Format 6: the rooms of a gateway with their names for people, as its status tells them.

ALTER TABLE gateway ADD COLUMN rooms jsonb;
