-- Who wants to be told of events by webhook, and the letters that they are owed.
-- Secrets are kept as they are, since they sign.

CREATE TABLE webhooks (
    id         BLOB    NOT NULL PRIMARY KEY CONSTRAINT webhooks_id_length CHECK (length(id) = 16),
    account    INTEGER NOT NULL CONSTRAINT webhooks_account_exists REFERENCES accounts (number),
    url        TEXT    NOT NULL,
    events     TEXT    NOT NULL,
    project    TEXT,
    secret     BLOB    NOT NULL CONSTRAINT webhooks_secret_length CHECK (length(secret) BETWEEN 24 AND 64),
    enabled    INTEGER NOT NULL CONSTRAINT webhooks_enabled_bool CHECK (enabled IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

-- A letter has a body and a time when it is due exactly as long as it waits.
CREATE TABLE letters (
    seq        INTEGER NOT NULL PRIMARY KEY,
    id         BLOB    NOT NULL CONSTRAINT letters_id_unique UNIQUE CONSTRAINT letters_id_length CHECK (length(id) = 16),
    webhook    BLOB    NOT NULL CONSTRAINT letters_webhook_exists REFERENCES webhooks (id) ON DELETE CASCADE,
    kind       TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    fate       TEXT    NOT NULL CONSTRAINT letters_fate_known CHECK (fate IN ('waiting', 'delivered', 'failed')),
    said       TEXT,
    body       BLOB,
    created_at INTEGER NOT NULL,
    due_at     INTEGER,
    CONSTRAINT letters_waiting_is_due CHECK ((fate = 'waiting') = (due_at IS NOT NULL)),
    CONSTRAINT letters_waiting_has_body CHECK ((fate = 'waiting') = (body IS NOT NULL))
) STRICT;

CREATE INDEX letters_by_webhook ON letters (webhook, seq);
-- How many wait is asked for each new letter, and does not depend on how many are kept.
CREATE INDEX letters_waiting ON letters (webhook, seq) WHERE due_at IS NOT NULL;
CREATE INDEX letters_due ON letters (webhook, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX letters_by_age ON letters (created_at);
