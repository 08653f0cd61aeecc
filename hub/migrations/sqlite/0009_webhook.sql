-- How far each webhook has told the steps of incidents.
CREATE TABLE webhook (
    name TEXT    PRIMARY KEY,
    step INTEGER NOT NULL -- the last one that was told, was not wanted, or was put among the dead
) STRICT, WITHOUT ROWID;

-- What was not taken: kept until somebody has it sent again.
CREATE TABLE webhook_dead (
    name     TEXT    NOT NULL,
    step     INTEGER NOT NULL,
    time     INTEGER NOT NULL, -- of the last attempt
    attempts INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    again    INTEGER NOT NULL, -- 1: somebody wants it sent again
    PRIMARY KEY (name, step)
) STRICT, WITHOUT ROWID;
