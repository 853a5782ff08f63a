-- Maintenance sessions as documents, what each has done, and what projects demand
-- for their instances and groups.

CREATE TABLE sessions (
    account    INTEGER NOT NULL CONSTRAINT sessions_account_exists REFERENCES accounts (number),
    id         BLOB    NOT NULL CONSTRAINT sessions_id_length CHECK (length(id) = 16),
    created_by TEXT    NOT NULL,
    base_url   TEXT    NOT NULL,
    document   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT sessions_id_unique PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE session_steps (
    account  INTEGER NOT NULL,
    session  BLOB    NOT NULL,
    serial   INTEGER NOT NULL,
    document TEXT    NOT NULL,
    CONSTRAINT session_steps_serial_unique PRIMARY KEY (account, session, serial),
    CONSTRAINT session_steps_session_exists FOREIGN KEY (account, session)
        REFERENCES sessions (account, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE instance_constraints (
    account  INTEGER NOT NULL CONSTRAINT instance_constraints_account_exists REFERENCES accounts (number),
    id       TEXT    NOT NULL,
    document TEXT    NOT NULL,
    CONSTRAINT instance_constraints_id_unique PRIMARY KEY (account, id)
) STRICT;

CREATE TABLE group_constraints (
    account  INTEGER NOT NULL CONSTRAINT group_constraints_account_exists REFERENCES accounts (number),
    id       TEXT    NOT NULL,
    document TEXT    NOT NULL,
    CONSTRAINT group_constraints_id_unique PRIMARY KEY (account, id)
) STRICT;
