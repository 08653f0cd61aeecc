-- How far each webhook has told the steps of incidents.
CREATE TABLE webhook (
    name TEXT COLLATE "C" PRIMARY KEY,
    step BIGINT           NOT NULL -- the last one that was told, was not wanted, or was put among the dead
);

-- What was not taken: kept until somebody has it sent again.
CREATE TABLE webhook_dead (
    name     TEXT COLLATE "C" NOT NULL,
    step     BIGINT           NOT NULL,
    time     BIGINT           NOT NULL, -- of the last attempt
    attempts BIGINT           NOT NULL,
    reason   TEXT COLLATE "C" NOT NULL,
    again    BIGINT           NOT NULL, -- 1: somebody wants it sent again
    PRIMARY KEY (name, step)
);
