-- A legal hold reaches the box: the commands that put it on there and lift it.
ALTER TABLE command ADD COLUMN hold TEXT; -- the hold it is about
CREATE INDEX command_by_hold ON command (hold, number) WHERE hold IS NOT NULL;
