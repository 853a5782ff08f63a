-- Principals, to whom tokens belong; what Astra's hooks need beside: applications,
-- criteria, overrides, labels, and who made what (sixteen zeros: the system itself).

ALTER TABLE accounts ADD COLUMN hooks_enabled INTEGER NOT NULL DEFAULT 1
    CONSTRAINT accounts_hooks_enabled_bool CHECK (hooks_enabled IN (0, 1));
ALTER TABLE accounts ADD COLUMN last_app INTEGER NOT NULL DEFAULT 0;

CREATE TABLE principals (
    account     INTEGER NOT NULL CONSTRAINT principals_account_exists REFERENCES accounts (number),
    id          BLOB    NOT NULL CONSTRAINT principals_id_length CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL CONSTRAINT principals_role_known CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT principals_id_unique PRIMARY KEY (account, id),
    CONSTRAINT principals_name_unique UNIQUE (account, name)
) STRICT;

-- Each name that tokens have becomes a principal, with an identifier that is a
-- random UUID. An issued token's role goes before those of sessions, which it has
-- begotten; where there are sessions alone, the highest of theirs.
INSERT INTO principals (account, id, name, role, created_at, modified_at)
SELECT
    account,
    unhex(hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 2)
        || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || hex(randomblob(6))),
    name,
    CASE coalesce(max(level) FILTER (WHERE kind = 'issued'), max(level))
        WHEN 3 THEN 'owner' WHEN 2 THEN 'admin' WHEN 1 THEN 'member' ELSE 'viewer' END,
    min(created_at),
    min(created_at)
FROM (
    SELECT account, name, kind, created_at,
        CASE role WHEN 'owner' THEN 3 WHEN 'admin' THEN 2 WHEN 'member' THEN 1 ELSE 0 END AS level
    FROM tokens
) AS named
GROUP BY account, name;

-- SQLite cannot add a column with a reference of two columns: made anew.
CREATE TABLE tokens_new (
    id         BLOB    NOT NULL PRIMARY KEY,
    account    INTEGER NOT NULL CONSTRAINT tokens_account_exists REFERENCES accounts (number),
    principal  BLOB    NOT NULL,
    hash       BLOB    NOT NULL CONSTRAINT tokens_hash_length CHECK (length(hash) = 32),
    name       TEXT    NOT NULL,
    role       TEXT    NOT NULL CONSTRAINT tokens_role_known CHECK (role IN ('viewer', 'member', 'admin', 'owner')),
    kind       TEXT    NOT NULL CONSTRAINT tokens_kind_known CHECK (kind IN ('issued', 'session')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    CONSTRAINT tokens_hash_unique UNIQUE (hash),
    CONSTRAINT tokens_session_expires CHECK (kind = 'issued' OR expires_at IS NOT NULL),
    CONSTRAINT tokens_principal_exists FOREIGN KEY (account, principal)
        REFERENCES principals (account, id) ON DELETE CASCADE
) STRICT;

INSERT INTO tokens_new (id, account, principal, hash, name, role, kind, created_at, expires_at, used_at)
SELECT tokens.id, tokens.account, principals.id, hash, tokens.name, tokens.role, kind, tokens.created_at, expires_at, used_at
FROM tokens
JOIN principals ON principals.account = tokens.account AND principals.name = tokens.name;

DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;

CREATE UNIQUE INDEX tokens_name_unique ON tokens (account, name) WHERE kind = 'issued';
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_principal ON tokens (account, principal);

-- SQL knows no MD5: where it is missing, it is filled in when the store is opened.
ALTER TABLE sources ADD COLUMN base64_md5 TEXT;
ALTER TABLE sources ADD COLUMN private INTEGER NOT NULL DEFAULT 0
    CONSTRAINT sources_private_bool CHECK (private IN (0, 1));
ALTER TABLE sources ADD COLUMN preloaded INTEGER NOT NULL DEFAULT 0
    CONSTRAINT sources_preloaded_bool CHECK (preloaded IN (0, 1));
ALTER TABLE sources ADD COLUMN labels TEXT NOT NULL DEFAULT '[]';
ALTER TABLE sources ADD COLUMN created_by BLOB NOT NULL DEFAULT x'00000000000000000000000000000000';
ALTER TABLE sources ADD COLUMN modified_by BLOB;

CREATE INDEX sources_without_md5 ON sources (digest) WHERE base64_md5 IS NULL;

CREATE TABLE apps (
    account     INTEGER NOT NULL CONSTRAINT apps_account_exists REFERENCES accounts (number),
    number      INTEGER NOT NULL,
    id          BLOB    NOT NULL CONSTRAINT apps_id_length CHECK (length(id) = 16),
    name        TEXT    NOT NULL,
    replicated  INTEGER NOT NULL CONSTRAINT apps_replicated_bool CHECK (replicated IN (0, 1)),
    containers  TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT apps_number_unique PRIMARY KEY (account, number),
    CONSTRAINT apps_id_unique UNIQUE (account, id),
    CONSTRAINT apps_name_unique UNIQUE (account, name)
) STRICT;

-- SQLite cannot change a CHECK: made anew.
CREATE TABLE hooks_new (
    account        INTEGER NOT NULL CONSTRAINT hooks_account_exists REFERENCES accounts (number),
    number         INTEGER NOT NULL,
    id             BLOB    NOT NULL,
    name           TEXT,
    description    TEXT    NOT NULL,
    source         BLOB    NOT NULL,
    event          TEXT    NOT NULL,
    targets        TEXT    NOT NULL CONSTRAINT hooks_targets_known CHECK (targets IN ('once', 'all', 'these', 'containers')),
    servers        TEXT    NOT NULL,
    app            BLOB,
    criteria       TEXT    NOT NULL,
    args           TEXT    NOT NULL,
    env            TEXT    NOT NULL,
    limits         TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    enabled        INTEGER NOT NULL CONSTRAINT hooks_enabled_bool CHECK (enabled IN (0, 1)),
    failure_policy TEXT    NOT NULL CONSTRAINT hooks_failure_policy_known CHECK (failure_policy IN ('open', 'closed')),
    retry          TEXT    NOT NULL,
    managed        INTEGER NOT NULL CONSTRAINT hooks_managed_bool CHECK (managed IN (0, 1)),
    labels         TEXT    NOT NULL,
    created_by     BLOB    NOT NULL,
    modified_by    BLOB,
    created_at     INTEGER NOT NULL,
    modified_at    INTEGER NOT NULL,
    CONSTRAINT hooks_number_unique PRIMARY KEY (account, number),
    CONSTRAINT hooks_id_unique UNIQUE (account, id),
    -- Two that have no name do not have the same.
    CONSTRAINT hooks_name_unique UNIQUE (account, name),
    CONSTRAINT hooks_app_has_containers CHECK (app IS NULL OR targets = 'containers'),
    CONSTRAINT hooks_source_exists FOREIGN KEY (account, source) REFERENCES sources (account, id),
    CONSTRAINT hooks_app_exists FOREIGN KEY (account, app) REFERENCES apps (account, id)
) STRICT;

INSERT INTO hooks_new (account, number, id, description, source, event, targets, servers, criteria, args, env, limits,
    position, enabled, failure_policy, retry, managed, labels, created_by, created_at, modified_at)
SELECT account, number, id, '', source, event, targets, servers, '[]', args, env, limits,
    position, enabled, failure_policy, retry, 0, '[]', x'00000000000000000000000000000000', created_at, modified_at
FROM hooks;

DROP TABLE hooks;
ALTER TABLE hooks_new RENAME TO hooks;

CREATE INDEX hooks_source ON hooks (account, source);
CREATE INDEX hooks_app ON hooks (account, app) WHERE app IS NOT NULL;

-- Which of the operator's hooks run for which application.
CREATE TABLE overrides (
    account     INTEGER NOT NULL CONSTRAINT overrides_account_exists REFERENCES accounts (number),
    id          BLOB    NOT NULL CONSTRAINT overrides_id_length CHECK (length(id) = 16),
    app         BLOB    NOT NULL,
    hook        BLOB    NOT NULL,
    enabled     INTEGER NOT NULL CONSTRAINT overrides_enabled_bool CHECK (enabled IN (0, 1)),
    labels      TEXT    NOT NULL,
    created_by  BLOB    NOT NULL,
    modified_by BLOB,
    created_at  INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    CONSTRAINT overrides_id_unique PRIMARY KEY (account, id),
    CONSTRAINT overrides_hook_unique UNIQUE (account, hook, app),
    CONSTRAINT overrides_app_exists FOREIGN KEY (account, app) REFERENCES apps (account, id) ON DELETE CASCADE,
    CONSTRAINT overrides_hook_exists FOREIGN KEY (account, hook) REFERENCES hooks (account, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX overrides_app ON overrides (account, app);

ALTER TABLE executions ADD COLUMN container TEXT;
