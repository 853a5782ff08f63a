-- Events whose tasks are not kept any more: an event that comes again is known by its
-- task as long as that is kept, and by a row here for the rest of the horizon.

CREATE TABLE seen (
    account    INTEGER NOT NULL CONSTRAINT seen_account_exists REFERENCES accounts (number),
    source     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    task       BLOB    NOT NULL,
    number     INTEGER NOT NULL,
    started_by TEXT    NOT NULL,
    object     TEXT,
    total      INTEGER NOT NULL,
    cancelled  INTEGER NOT NULL,
    state      TEXT    NOT NULL CONSTRAINT seen_state_over CHECK (state IN ('FINISHED', 'FAILED', 'CANCELED')),
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at   INTEGER NOT NULL,
    bytes      INTEGER GENERATED ALWAYS AS (
        128 + 2 * (octet_length(source) + octet_length(id)) + octet_length(type) + octet_length(started_by)
        + coalesce(octet_length(object), 0)
    ) VIRTUAL,
    CONSTRAINT seen_event_unique PRIMARY KEY (account, source, id)
) STRICT, WITHOUT ROWID;

-- Oldest first in each account, as they are forgotten.
CREATE INDEX seen_age ON seen (account, created_at);

ALTER TABLE disk ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER seen_disk_insert AFTER INSERT ON seen BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes, seen = seen + 1 WHERE account = NEW.account;
END;
CREATE TRIGGER seen_disk_delete AFTER DELETE ON seen BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes, seen = seen - 1 WHERE account = OLD.account;
END;
