-- Codes by which boxes may enrol, once each. Of a code only its SHA-256.
CREATE TABLE enrolment_code (
    hash    TEXT COLLATE "C" PRIMARY KEY,
    edge    TEXT COLLATE "C" NOT NULL,
    made    BIGINT           NOT NULL,
    until   BIGINT           NOT NULL, -- useless from then on
    used    BIGINT -- when it let its box in
);
CREATE INDEX enrolment_code_by_edge ON enrolment_code (edge);

-- Every certificate a box was given. One that is not here does not count.
CREATE TABLE certificate (
    fingerprint TEXT COLLATE "C" PRIMARY KEY, -- SHA-256 of its DER
    serial      TEXT COLLATE "C" NOT NULL,
    edge        TEXT COLLATE "C" NOT NULL,
    issued      BIGINT           NOT NULL,
    until       BIGINT           NOT NULL,
    revoked     BIGINT, -- does not count from then on,
    cause       TEXT COLLATE "C" -- revoked: by a person; replaced: its box enrolled anew
);
CREATE INDEX certificate_by_edge ON certificate (edge);
CREATE INDEX certificate_by_revoked ON certificate (until) WHERE revoked IS NOT NULL;

CREATE TRIGGER certificate_stays BEFORE DELETE ON certificate FOR EACH ROW
    EXECUTE FUNCTION refuse('certificates are never deleted');
CREATE TRIGGER certificate_stays_whole BEFORE TRUNCATE ON certificate FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('certificates are never deleted');
CREATE TRIGGER certificate_stays_revoked BEFORE UPDATE ON certificate FOR EACH ROW WHEN (old.revoked IS NOT NULL)
    EXECUTE FUNCTION refuse('a revocation is never taken back');
