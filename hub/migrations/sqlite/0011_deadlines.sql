-- How long an incident may stay in a stage at a site, as JSON as the API has it; none: as the configuration says.
ALTER TABLE site ADD COLUMN deadlines TEXT;
