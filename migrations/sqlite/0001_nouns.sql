-- The tenant and what it sets up. Times are microseconds since 1970.

CREATE TABLE accounts (
    number      INTEGER NOT NULL PRIMARY KEY,
    id          BLOB    NOT NULL CONSTRAINT accounts_id_length CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    -- The last number given to a noun of each sort; none is given twice.
    last_server INTEGER NOT NULL DEFAULT 0,
    last_source INTEGER NOT NULL DEFAULT 0,
    last_hook   INTEGER NOT NULL DEFAULT 0,
    last_task   INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT accounts_id_unique UNIQUE (id),
    CONSTRAINT accounts_name_unique UNIQUE (name)
) STRICT;

CREATE TABLE tokens (
    id         BLOB    NOT NULL PRIMARY KEY,
    account    INTEGER NOT NULL CONSTRAINT tokens_account_exists REFERENCES accounts (number),
    hash       BLOB    NOT NULL CONSTRAINT tokens_hash_length CHECK (length(hash) = 32),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL CONSTRAINT tokens_role_known CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    kind       TEXT    NOT NULL CONSTRAINT tokens_kind_known CHECK (kind IN ('issued', 'session')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    CONSTRAINT tokens_hash_unique UNIQUE (hash),
    CONSTRAINT tokens_session_expires CHECK (kind = 'issued' OR expires_at IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX tokens_name_unique ON tokens (account, name) WHERE kind = 'issued';
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE servers (
    account     INTEGER NOT NULL CONSTRAINT servers_account_exists REFERENCES accounts (number),
    number      INTEGER NOT NULL,
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    host        TEXT,
    labels      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT servers_number_unique PRIMARY KEY (account, number),
    CONSTRAINT servers_id_unique UNIQUE (account, id),
    CONSTRAINT servers_name_unique UNIQUE (account, name)
) STRICT;

-- The bytes of programs, by their SHA-256; equal ones are kept once.
CREATE TABLE programs (
    digest BLOB NOT NULL PRIMARY KEY CONSTRAINT programs_digest_length CHECK (length(digest) = 32),
    bytes  BLOB NOT NULL
) STRICT;

CREATE TABLE sources (
    account     INTEGER NOT NULL CONSTRAINT sources_account_exists REFERENCES accounts (number),
    number      INTEGER NOT NULL,
    id          BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL CONSTRAINT sources_kind_known CHECK (kind IN ('script', 'module', 'component')),
    digest      BLOB    NOT NULL CONSTRAINT sources_program_exists REFERENCES programs (digest),
    size_bytes  INTEGER NOT NULL,
    revision    INTEGER NOT NULL,
    description TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT sources_number_unique PRIMARY KEY (account, number),
    CONSTRAINT sources_id_unique UNIQUE (account, id),
    CONSTRAINT sources_name_unique UNIQUE (account, name)
) STRICT;

CREATE INDEX sources_program ON sources (digest);

CREATE TABLE hooks (
    account        INTEGER NOT NULL CONSTRAINT hooks_account_exists REFERENCES accounts (number),
    number         INTEGER NOT NULL,
    id             BLOB    NOT NULL,
    source         BLOB    NOT NULL,
    event          TEXT    NOT NULL,
    targets        TEXT    NOT NULL CONSTRAINT hooks_targets_known CHECK (targets IN ('once', 'all', 'these')),
    servers        TEXT    NOT NULL,
    args           TEXT    NOT NULL,
    env            TEXT    NOT NULL,
    limits         TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    enabled        INTEGER NOT NULL CONSTRAINT hooks_enabled_bool CHECK (enabled IN (0, 1)),
    failure_policy TEXT    NOT NULL CONSTRAINT hooks_failure_policy_known CHECK (failure_policy IN ('open', 'closed')),
    retry          TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    modified_at    INTEGER NOT NULL,
    CONSTRAINT hooks_number_unique PRIMARY KEY (account, number),
    CONSTRAINT hooks_id_unique UNIQUE (account, id),
    CONSTRAINT hooks_source_exists FOREIGN KEY (account, source) REFERENCES sources (account, id)
) STRICT;

CREATE INDEX hooks_source ON hooks (account, source);
