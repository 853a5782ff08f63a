-- What makes an attempt repeatable: start, seed and limits, the build that ran it, and a digest
-- of its files, as JSON. Attempts from before have none. It has less than 300 bytes, which the
-- flat amount of a row has room for.

ALTER TABLE executions ADD COLUMN recording TEXT;
ALTER TABLE attempts ADD COLUMN recording TEXT;

DROP TRIGGER executions_attempts;

CREATE TRIGGER executions_attempts AFTER UPDATE OF attempt, outcome, error ON executions
WHEN (OLD.outcome IS NOT NULL OR OLD.error IS NOT NULL)
    AND (NEW.attempt > OLD.attempt OR (NEW.outcome IS NULL AND NEW.error IS NULL))
    AND typeof(OLD.attempt) = 'integer' AND OLD.attempt BETWEEN 1 AND 4294967295
    AND typeof(OLD.account) = 'integer' BEGIN
    INSERT INTO attempts (
        execution, attempt, account, outcome, error, usage, stdout, stderr, dropped_bytes, verdict, verdict_fault,
        recording, started_at, ended_at
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
        CASE typeof(OLD.recording) WHEN 'text' THEN OLD.recording END,
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
        dropped_bytes = 0, verdict = NULL, verdict_fault = NULL, recording = NULL
    WHERE seq = NEW.seq AND NEW.attempt > OLD.attempt AND NEW.state = 'WAITING'
        AND NEW.started_at IS OLD.started_at AND NEW.outcome IS OLD.outcome AND NEW.error IS OLD.error
        AND NEW.usage IS OLD.usage;
END;
