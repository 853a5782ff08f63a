-- What an account has set up is charged to it like what it has sent: its servers, apps,
-- hooks and webhooks, and the letters that those are owed. A row is charged its contents
-- and a flat amount, as in 0009.

ALTER TABLE servers ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    -- Once in the row and once in the index.
    512 + 2 * octet_length(name) + coalesce(octet_length(host), 0) + coalesce(octet_length(project), 0)
    + coalesce(octet_length(instance_group), 0) + octet_length(labels)
) VIRTUAL;

ALTER TABLE apps ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + 2 * octet_length(name) + octet_length(containers)
) VIRTUAL;

ALTER TABLE hooks ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + 2 * coalesce(octet_length(name), 0) + octet_length(description) + octet_length(event)
    + octet_length(servers) + octet_length(criteria) + octet_length(args) + octet_length(env)
    + octet_length(limits) + octet_length(retry) + octet_length(labels)
) VIRTUAL;

ALTER TABLE webhooks ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + octet_length(url) + octet_length(events) + coalesce(octet_length(project), 0) + octet_length(secret)
) VIRTUAL;

ALTER TABLE letters ADD COLUMN bytes INTEGER GENERATED ALWAYS AS (
    512 + octet_length(kind) + coalesce(octet_length(said), 0) + coalesce(octet_length(body), 0)
) VIRTUAL;

CREATE INDEX webhooks_account ON webhooks (account);

UPDATE disk SET bytes = bytes
    + (SELECT coalesce(sum(servers.bytes), 0) FROM servers WHERE servers.account = disk.account)
    + (SELECT coalesce(sum(apps.bytes), 0) FROM apps WHERE apps.account = disk.account)
    + (SELECT coalesce(sum(hooks.bytes), 0) FROM hooks WHERE hooks.account = disk.account)
    + (SELECT coalesce(sum(webhooks.bytes), 0) FROM webhooks WHERE webhooks.account = disk.account)
    + (SELECT coalesce(sum(letters.bytes), 0) FROM webhooks JOIN letters ON letters.webhook = webhooks.id
        WHERE webhooks.account = disk.account);

CREATE TRIGGER servers_disk_insert AFTER INSERT ON servers BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER servers_disk_delete AFTER DELETE ON servers BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;
CREATE TRIGGER servers_disk_update AFTER UPDATE OF name, host, project, instance_group, labels ON servers
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes WHERE account = NEW.account;
END;

CREATE TRIGGER apps_disk_insert AFTER INSERT ON apps BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER apps_disk_delete AFTER DELETE ON apps BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;
CREATE TRIGGER apps_disk_update AFTER UPDATE OF name, containers ON apps
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes WHERE account = NEW.account;
END;

CREATE TRIGGER hooks_disk_insert AFTER INSERT ON hooks BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
CREATE TRIGGER hooks_disk_delete AFTER DELETE ON hooks BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes WHERE account = OLD.account;
END;
CREATE TRIGGER hooks_disk_update
AFTER UPDATE OF name, description, event, servers, criteria, args, env, limits, retry, labels ON hooks
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes WHERE account = NEW.account;
END;

CREATE TRIGGER webhooks_disk_insert AFTER INSERT ON webhooks BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes WHERE account = NEW.account;
END;
-- Its letters go with it, and then find nobody any more whom they were charged to.
CREATE TRIGGER webhooks_disk_delete BEFORE DELETE ON webhooks BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes
        - (SELECT coalesce(sum(letters.bytes), 0) FROM letters WHERE letters.webhook = OLD.id)
    WHERE account = OLD.account;
END;

CREATE TRIGGER letters_disk_insert AFTER INSERT ON letters BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = NEW.webhook);
END;
CREATE TRIGGER letters_disk_delete AFTER DELETE ON letters BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = OLD.webhook);
END;
CREATE TRIGGER letters_disk_update AFTER UPDATE OF kind, said, body ON letters
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = NEW.webhook);
END;
