-- Alarms that came late may show that two incidents are one happening. Then one of them gets all alarms, and the other ends.
ALTER TABLE incident ADD COLUMN merged_into BIGINT; -- its number
