-- What outlives a crash, a clock that is set, and a row that cannot be read.

-- Attempts that were running when the server was killed.
ALTER TABLE executions ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

-- Tasks that could not be read. Apart from their rows, which perhaps cannot be
-- written either.
CREATE TABLE set_aside (
    task   INTEGER NOT NULL PRIMARY KEY CONSTRAINT set_aside_task_exists REFERENCES tasks (seq) ON DELETE CASCADE,
    reason TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

-- The latest time that was believed to be right: one row.
CREATE TABLE clock (
    id      INTEGER NOT NULL PRIMARY KEY CONSTRAINT clock_one CHECK (id = 1),
    seen_at INTEGER NOT NULL
) STRICT;

-- Written to see whether writing succeeds: one row.
CREATE TABLE probe (
    id   INTEGER NOT NULL PRIMARY KEY CONSTRAINT probe_one CHECK (id = 1),
    flip INTEGER NOT NULL
) STRICT;

INSERT INTO probe (id, flip) VALUES (1, 0);

-- First attempts are due whatever the clock says; only what waits to be tried again
-- has a time.
UPDATE tasks SET due_at = 0 WHERE ended_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM executions WHERE task = tasks.seq AND due_at IS NOT NULL);
