-- Files that people add to incidents. The bytes are below attachments/ in data_dir, named by `id`.
CREATE TABLE attachment (
    incident   TEXT COLLATE "C" NOT NULL REFERENCES incident (id),
    number     BIGINT           NOT NULL, -- its place among those of its incident, from 1
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    name       TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    bytes      BIGINT           NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    time       BIGINT           NOT NULL,
    person     TEXT COLLATE "C" NOT NULL,
    who        TEXT COLLATE "C" NOT NULL, -- as records name them
    gone       BIGINT, -- when its bytes were deleted,
    cause      TEXT COLLATE "C", -- and why
    PRIMARY KEY (incident, number)
);
CREATE INDEX attachment_kept ON attachment (incident) WHERE gone IS NULL;
CREATE TRIGGER attachment_is_fixed BEFORE UPDATE ON attachment FOR EACH ROW
    WHEN (NOT (old.gone IS NULL AND new.gone IS NOT NULL AND new.cause IS NOT NULL
        AND new.incident = old.incident AND new.number = old.number AND new.id = old.id AND new.name = old.name
        AND new.media_type = old.media_type AND new.bytes = old.bytes AND new.sha256 = old.sha256
        AND new.time = old.time AND new.person = old.person AND new.who = old.who))
    EXECUTE FUNCTION refuse('attachments are never changed, only their bytes deleted');
CREATE FUNCTION refuse_deletion_of_attachment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.gone IS NULL OR old.time >= (SELECT moment FROM record_horizon) THEN
        RAISE EXCEPTION 'attachments are never deleted before their time';
    END IF;
    RETURN old;
END
$$;
CREATE TRIGGER attachment_stays BEFORE DELETE ON attachment FOR EACH ROW
    EXECUTE FUNCTION refuse_deletion_of_attachment();
CREATE TRIGGER attachment_stays_whole BEFORE TRUNCATE ON attachment FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('attachments are never deleted before their time');

-- Files that may be there and belong to nothing: one that is being written, or was withdrawn. After that moment they are deleted.
CREATE TABLE attachment_stray (
    id    TEXT COLLATE "C" PRIMARY KEY,
    after BIGINT           NOT NULL
);

-- Attachments that were looked at in an opening, when first. Only added to.
CREATE TABLE viewed_attachment (
    viewing    TEXT COLLATE "C" NOT NULL REFERENCES viewing (id),
    incident   TEXT COLLATE "C" NOT NULL,
    number     BIGINT           NOT NULL,
    sha256     TEXT COLLATE "C" NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    time       BIGINT           NOT NULL,
    PRIMARY KEY (viewing, incident, number)
);
CREATE TRIGGER viewed_attachment_stays BEFORE DELETE ON viewed_attachment FOR EACH ROW
    EXECUTE FUNCTION refuse_before_its_time('viewed attachments are never deleted before their time', 'time');
CREATE TRIGGER viewed_attachment_stays_whole BEFORE TRUNCATE ON viewed_attachment FOR EACH STATEMENT
    EXECUTE FUNCTION refuse('viewed attachments are never deleted before their time');
CREATE TRIGGER viewed_attachment_is_fixed BEFORE UPDATE ON viewed_attachment FOR EACH ROW
    EXECUTE FUNCTION refuse('viewed attachments are never changed');

-- What is deleted is evidence of an event, or an attachment of an incident.
ALTER TABLE deletion
    ALTER COLUMN event DROP NOT NULL,
    ADD COLUMN incident TEXT COLLATE "C",
    ADD COLUMN attachment BIGINT; -- its number there
