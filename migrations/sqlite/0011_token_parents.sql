-- A session is a child of the token that logged in, and ends with it. Nothing records the
-- parents of existing sessions, so they end here; their clients log in again, as they must
-- every day.
DELETE FROM tokens WHERE kind = 'session';

ALTER TABLE tokens ADD COLUMN parent BLOB
    CONSTRAINT tokens_parent_exists REFERENCES tokens (id) ON DELETE CASCADE
    CONSTRAINT tokens_session_has_parent CHECK ((kind = 'session') = (parent IS NOT NULL));

CREATE INDEX tokens_parent ON tokens (parent) WHERE parent IS NOT NULL;
-- Ordered by rowid, that is by insertion, which does not depend on the clock.
CREATE INDEX tokens_sessions_of_principal ON tokens (account, principal) WHERE kind = 'session';
CREATE INDEX tokens_sessions_of_account ON tokens (account) WHERE kind = 'session';

-- Until when the address has asked to be left alone (Retry-After).
ALTER TABLE webhooks ADD COLUMN paused_until INTEGER;
