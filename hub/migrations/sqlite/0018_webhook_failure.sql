-- Whether a webhook's last attempt failed, and why: for people who look at it while it waits.
ALTER TABLE webhook ADD COLUMN failing_since INTEGER; -- null: the last attempt was taken, or there was none
ALTER TABLE webhook ADD COLUMN failed INTEGER;        -- the last attempt since then
ALTER TABLE webhook ADD COLUMN failure TEXT;          -- why it was not taken
