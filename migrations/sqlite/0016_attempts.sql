-- Attempts that are not an execution's last: what is tried or redriven again does not wipe
-- out what was. The last attempt stays in `executions`, so that what ends well the first
-- time costs nothing more.

CREATE TABLE attempts (
    execution     INTEGER NOT NULL CONSTRAINT attempts_execution_exists REFERENCES executions (seq) ON DELETE CASCADE,
    attempt       INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    outcome       TEXT,
    error         TEXT,
    usage         TEXT,
    stdout        BLOB,
    stderr        BLOB,
    dropped_bytes INTEGER NOT NULL,
    verdict       TEXT,
    verdict_fault TEXT,
    started_at    INTEGER,
    ended_at      INTEGER,
    bytes INTEGER GENERATED ALWAYS AS (
        512 + coalesce(octet_length(outcome), 0) + coalesce(octet_length(error), 0) + coalesce(octet_length(usage), 0)
        + coalesce(octet_length(verdict), 0) + coalesce(octet_length(verdict_fault), 0)
        + coalesce(octet_length(stdout), 0) + coalesce(octet_length(stderr), 0)
    ) VIRTUAL,
    CONSTRAINT attempts_attempt_unique PRIMARY KEY (execution, attempt)
) STRICT;

-- What an account has is counted again from its rows.
CREATE INDEX attempts_account ON attempts (account);

CREATE TRIGGER attempts_disk_insert AFTER INSERT ON attempts BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER attempts_disk_delete AFTER DELETE ON attempts BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;

-- An attempt leaves `executions` when a later one is recorded or counted, or when it is
-- redriven. A trigger, so that no statement can forget it. What is damaged is left out: it
-- must not keep the execution from going on.
--
-- The newest 32 are kept: retries are bounded by their policy, at 20 attempts and 11 more for
-- want of room, but a client may redrive without end.
CREATE TRIGGER executions_attempts AFTER UPDATE OF attempt, outcome, error ON executions
WHEN (OLD.outcome IS NOT NULL OR OLD.error IS NOT NULL)
    AND (NEW.attempt > OLD.attempt OR (NEW.outcome IS NULL AND NEW.error IS NULL))
    AND typeof(OLD.attempt) = 'integer' AND OLD.attempt BETWEEN 1 AND 4294967295
    AND typeof(OLD.account) = 'integer' BEGIN
    INSERT INTO attempts (
        execution, attempt, account, outcome, error, usage, stdout, stderr, dropped_bytes, verdict, verdict_fault,
        started_at, ended_at
    )
    SELECT
        OLD.seq, OLD.attempt, OLD.account,
        CASE typeof(OLD.outcome) WHEN 'text' THEN OLD.outcome END,
        CASE typeof(OLD.error) WHEN 'text' THEN OLD.error END,
        CASE typeof(OLD.usage) WHEN 'text' THEN OLD.usage END,
        CASE typeof(OLD.stdout) WHEN 'blob' THEN OLD.stdout END,
        CASE typeof(OLD.stderr) WHEN 'blob' THEN OLD.stderr END,
        CASE typeof(OLD.dropped_bytes) WHEN 'integer' THEN OLD.dropped_bytes ELSE 0 END,
        CASE typeof(OLD.verdict) WHEN 'text' THEN OLD.verdict END,
        CASE typeof(OLD.verdict_fault) WHEN 'text' THEN OLD.verdict_fault END,
        CASE typeof(OLD.started_at) WHEN 'integer' THEN OLD.started_at END,
        -- One that is tried again has ended where its wait began.
        CASE
            WHEN typeof(OLD.ended_at) = 'integer' THEN OLD.ended_at
            WHEN typeof(OLD.due_at) = 'integer' AND typeof(OLD.wait_us) = 'integer' AND OLD.wait_us >= 0
                AND OLD.due_at BETWEEN OLD.wait_us AND 253402300799999999 THEN OLD.due_at - OLD.wait_us
        END
    WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE execution = OLD.seq AND attempt = OLD.attempt);
    DELETE FROM attempts WHERE execution = OLD.seq AND attempt <= OLD.attempt - 32;
    -- A later attempt that is only counted, since it was killed with the server, has left
    -- nothing: what stands there still is the earlier one's.
    UPDATE executions SET outcome = NULL, error = NULL, usage = NULL, stdout = NULL, stderr = NULL,
        dropped_bytes = 0, verdict = NULL, verdict_fault = NULL
    WHERE seq = NEW.seq AND NEW.attempt > OLD.attempt AND NEW.state = 'WAITING'
        AND NEW.started_at IS OLD.started_at AND NEW.outcome IS OLD.outcome AND NEW.error IS OLD.error
        AND NEW.usage IS OLD.usage;
END;
