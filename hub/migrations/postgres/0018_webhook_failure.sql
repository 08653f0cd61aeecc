-- Whether a webhook's last attempt failed, and why: for people who look at it while it waits.
ALTER TABLE webhook ADD COLUMN failing_since BIGINT;     -- null: the last attempt was taken, or there was none
ALTER TABLE webhook ADD COLUMN failed BIGINT;            -- the last attempt since then
ALTER TABLE webhook ADD COLUMN failure TEXT COLLATE "C"; -- why it was not taken
