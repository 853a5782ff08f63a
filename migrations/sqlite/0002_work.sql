-- Events, the tasks that they cause, and the executions that those consist of.

-- What to run and how; made from its content, so equal ones are kept once.
CREATE TABLE recipes (
    id             BLOB NOT NULL PRIMARY KEY,
    digest         BLOB NOT NULL CONSTRAINT recipes_program_exists REFERENCES programs (digest),
    name           TEXT NOT NULL,
    failure_policy TEXT NOT NULL CONSTRAINT recipes_failure_policy_known CHECK (failure_policy IN ('open', 'closed')),
    content        TEXT NOT NULL
) STRICT;

CREATE INDEX recipes_program ON recipes (digest);

-- A task carries the event that caused it: there is one task for each event.
-- Its state is kept only once it is over; before, its executions tell.
CREATE TABLE tasks (
    seq          INTEGER NOT NULL PRIMARY KEY,
    account      INTEGER NOT NULL CONSTRAINT tasks_account_exists REFERENCES accounts (number),
    id           BLOB    NOT NULL,
    number       INTEGER NOT NULL CONSTRAINT tasks_number_int32 CHECK (number BETWEEN 1 AND 2147483647),
    name         TEXT    NOT NULL,
    started_by   TEXT    NOT NULL,
    object       TEXT,
    event_source TEXT,
    event_id     TEXT,
    event_type   TEXT,
    event        BLOB,
    total        INTEGER NOT NULL,
    -- The run of the server that holds it in memory.
    owner        BLOB,
    -- Nothing of it is to run before.
    due_at       INTEGER NOT NULL,
    cancelled    INTEGER NOT NULL DEFAULT 0,
    state        TEXT CONSTRAINT tasks_state_over CHECK (state IN ('FINISHED', 'FAILED', 'CANCELED')),
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    ended_at     INTEGER,
    CONSTRAINT tasks_id_unique UNIQUE (account, id),
    CONSTRAINT tasks_number_unique UNIQUE (account, number),
    CONSTRAINT tasks_event_unique UNIQUE (account, event_source, event_id),
    CONSTRAINT tasks_over_has_state CHECK ((ended_at IS NULL) = (state IS NULL))
) STRICT;

CREATE INDEX tasks_open ON tasks (account, owner, due_at) WHERE ended_at IS NULL;

CREATE TABLE executions (
    seq           INTEGER NOT NULL PRIMARY KEY,
    account       INTEGER NOT NULL,
    id            BLOB    NOT NULL,
    task          INTEGER NOT NULL CONSTRAINT executions_task_exists REFERENCES tasks (seq) ON DELETE CASCADE,
    hook          BLOB,
    hook_number   INTEGER,
    recipe        BLOB    NOT NULL CONSTRAINT executions_recipe_exists REFERENCES recipes (id),
    server_number INTEGER,
    server_name   TEXT,
    lane          INTEGER NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'WAITING'
        CONSTRAINT executions_state_known CHECK (state IN ('WAITING', 'FINISHED', 'FAILED', 'CANCELED')),
    -- Attempts that have begun, or may have.
    attempt       INTEGER NOT NULL DEFAULT 0,
    -- Attempts that have ended in failure.
    failures      INTEGER NOT NULL DEFAULT 0,
    due_at        INTEGER,
    outcome       TEXT,
    error         TEXT,
    usage         TEXT,
    stdout        BLOB,
    stderr        BLOB,
    dropped_bytes INTEGER NOT NULL DEFAULT 0,
    verdict       TEXT,
    dead          INTEGER NOT NULL DEFAULT 0,
    started_at    INTEGER,
    ended_at      INTEGER,
    CONSTRAINT executions_id_unique UNIQUE (account, id),
    CONSTRAINT executions_over_has_end CHECK ((ended_at IS NULL) = (state = 'WAITING'))
) STRICT;

CREATE INDEX executions_task ON executions (task);
CREATE INDEX executions_recipe ON executions (recipe);
CREATE INDEX executions_dead ON executions (account, id) WHERE dead = 1;
