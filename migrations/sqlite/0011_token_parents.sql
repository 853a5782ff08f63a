-- A session is a child of the token that logged in, and ends with it. Of those that are
-- there nothing says whose they are, so they end here: whoever held one logs in again,
-- which a session asks for every day anyway.
DELETE FROM tokens WHERE kind = 'session';

ALTER TABLE tokens ADD COLUMN parent BLOB
    CONSTRAINT tokens_parent_exists REFERENCES tokens (id) ON DELETE CASCADE
    CONSTRAINT tokens_session_has_parent CHECK ((kind = 'session') = (parent IS NOT NULL));

CREATE INDEX tokens_parent ON tokens (parent) WHERE parent IS NOT NULL;
-- In the order in which they were made, which is that of their rowids and no clock's.
CREATE INDEX tokens_sessions_of_principal ON tokens (account, principal) WHERE kind = 'session';
CREATE INDEX tokens_sessions_of_account ON tokens (account) WHERE kind = 'session';

-- Until when an address has asked to be left alone.
ALTER TABLE webhooks ADD COLUMN paused_until INTEGER;
