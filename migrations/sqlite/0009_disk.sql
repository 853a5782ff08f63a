-- What each account has on the disk. The sums are kept by triggers, in the transaction
-- that changes a row, so that no statement can forget them; `tenterhook check-data`
-- holds them against the rows. A row is charged its contents and a flat amount for the
-- columns of fixed size and the entries in indexes.

ALTER TABLE tasks ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + octet_length(name) + octet_length(started_by) + coalesce(octet_length(object), 0)
    -- Once in the row and once in the index.
    + 2 * (coalesce(octet_length(event_source), 0) + coalesce(octet_length(event_id), 0))
    + coalesce(octet_length(event_type), 0) + coalesce(octet_length(event), 0)
) VIRTUAL;

ALTER TABLE executions ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + coalesce(octet_length(server_name), 0) + coalesce(octet_length(container), 0)
    + coalesce(octet_length(outcome), 0) + coalesce(octet_length(error), 0) + coalesce(octet_length(usage), 0)
    + coalesce(octet_length(verdict), 0) + coalesce(octet_length(verdict_fault), 0)
    + coalesce(octet_length(stdout), 0) + coalesce(octet_length(stderr), 0)
) VIRTUAL;

-- Which recipes and programs an account has brought. It pays for all of them, whoever
-- else has brought the same; what no account has brought goes at once.
CREATE TABLE account_recipes (
    account INTEGER NOT NULL CONSTRAINT account_recipes_account_exists REFERENCES accounts (number),
    digest  BLOB    NOT NULL,
    recipe  BLOB    NOT NULL CONSTRAINT account_recipes_recipe_exists REFERENCES recipes (id),
    bytes   INTEGER NOT NULL,
    CONSTRAINT account_recipes_recipe_unique PRIMARY KEY (account, digest, recipe)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_recipes_recipe ON account_recipes (recipe);

CREATE TABLE account_programs (
    account INTEGER NOT NULL CONSTRAINT account_programs_account_exists REFERENCES accounts (number),
    digest  BLOB    NOT NULL CONSTRAINT account_programs_program_exists REFERENCES programs (digest),
    bytes   INTEGER NOT NULL,
    CONSTRAINT account_programs_digest_unique PRIMARY KEY (account, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX account_programs_program ON account_programs (digest);

INSERT INTO account_recipes (account, digest, recipe, bytes)
SELECT DISTINCT executions.account, recipes.digest, recipes.id,
    256 + octet_length(recipes.name) + octet_length(recipes.content)
FROM executions JOIN recipes ON recipes.id = executions.recipe;

INSERT INTO account_programs (account, digest, bytes)
SELECT brought.account, brought.digest, 256 + octet_length(programs.bytes)
FROM (SELECT account, digest FROM sources UNION SELECT account, digest FROM account_recipes) AS brought
JOIN programs ON programs.digest = brought.digest;

DELETE FROM recipes WHERE NOT EXISTS (SELECT 1 FROM account_recipes WHERE recipe = recipes.id);
DELETE FROM programs WHERE NOT EXISTS (SELECT 1 FROM account_programs WHERE digest = programs.digest);

CREATE TRIGGER account_recipes_last AFTER DELETE ON account_recipes
WHEN NOT EXISTS (SELECT 1 FROM account_recipes WHERE recipe = OLD.recipe) BEGIN
    DELETE FROM recipes WHERE id = OLD.recipe;
END;
CREATE TRIGGER account_programs_last AFTER DELETE ON account_programs
WHEN NOT EXISTS (SELECT 1 FROM account_programs WHERE digest = OLD.digest) BEGIN
    DELETE FROM programs WHERE digest = OLD.digest;
END;

-- Whether an account still needs a recipe or a program is asked of an index alone.
DROP INDEX executions_recipe;
CREATE INDEX executions_recipe ON executions (recipe, account);
DROP INDEX sources_program;
CREATE INDEX sources_program ON sources (digest, account);

-- What is over, oldest first in each account: what is removed is found here.
CREATE INDEX tasks_over ON tasks (account, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE disk (
    account    INTEGER NOT NULL PRIMARY KEY CONSTRAINT disk_account_exists REFERENCES accounts (number),
    bytes      INTEGER NOT NULL,
    tasks_over INTEGER NOT NULL
) STRICT;

INSERT INTO disk (account, bytes, tasks_over)
SELECT
    accounts.number,
    (SELECT coalesce(sum(tasks.bytes), 0) FROM tasks WHERE tasks.account = accounts.number)
    + (SELECT coalesce(sum(executions.bytes), 0) FROM executions WHERE executions.account = accounts.number)
    + (SELECT coalesce(sum(brought.bytes), 0) FROM account_recipes AS brought WHERE brought.account = accounts.number)
    + (SELECT coalesce(sum(brought.bytes), 0) FROM account_programs AS brought WHERE brought.account = accounts.number),
    (SELECT count(*) FROM tasks WHERE tasks.account = accounts.number AND tasks.ended_at IS NOT NULL)
FROM accounts;

CREATE TRIGGER accounts_disk AFTER INSERT ON accounts BEGIN
    INSERT INTO disk (account, bytes, tasks_over) VALUES (NEW.number, 0, 0);
END;

CREATE TRIGGER tasks_disk_insert AFTER INSERT ON tasks BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes, tasks_over = tasks_over + (NEW.ended_at IS NOT NULL)
    WHERE account = NEW.account;
END;
CREATE TRIGGER tasks_disk_delete AFTER DELETE ON tasks BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes, tasks_over = tasks_over - (OLD.ended_at IS NOT NULL)
    WHERE account = OLD.account;
END;
CREATE TRIGGER tasks_disk_ended AFTER UPDATE OF ended_at ON tasks
WHEN (NEW.ended_at IS NULL) <> (OLD.ended_at IS NULL) BEGIN
    UPDATE disk SET tasks_over = tasks_over + (NEW.ended_at IS NOT NULL) - (OLD.ended_at IS NOT NULL)
    WHERE account = NEW.account;
END;
CREATE TRIGGER tasks_disk_update
AFTER UPDATE OF name, started_by, object, event_source, event_id, event_type, event ON tasks BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes WHERE account = NEW.account;
END;

CREATE TRIGGER executions_disk_insert AFTER INSERT ON executions BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER executions_disk_delete AFTER DELETE ON executions BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;
CREATE TRIGGER executions_disk_update
AFTER UPDATE OF server_name, container, outcome, error, usage, verdict, verdict_fault, stdout, stderr ON executions
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes WHERE account = NEW.account;
END;

CREATE TRIGGER account_recipes_disk_insert AFTER INSERT ON account_recipes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER account_recipes_disk_delete AFTER DELETE ON account_recipes BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;

CREATE TRIGGER account_programs_disk_insert AFTER INSERT ON account_programs BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER account_programs_disk_delete AFTER DELETE ON account_programs BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;
