-- Deliveries of webhooks get the names by which the API shows them: `letters` becomes
-- `deliveries`, `fate` becomes `status`, and `said`, which is what the endpoint has answered
-- or why it has not, becomes `response`.
--
-- The table is renamed and not copied: a copy would stop at the first damaged row. SQLite
-- cannot rename constraints, so those are still called `letters_…`.

DROP TRIGGER letters_disk_insert;
DROP TRIGGER letters_disk_delete;
DROP TRIGGER letters_disk_update;
DROP TRIGGER webhooks_disk_delete;

DROP INDEX letters_by_webhook;
DROP INDEX letters_waiting;
DROP INDEX letters_due;
DROP INDEX letters_by_age;

ALTER TABLE letters RENAME COLUMN fate TO status;
ALTER TABLE letters RENAME COLUMN said TO response;
ALTER TABLE letters RENAME TO deliveries;

CREATE INDEX deliveries_by_webhook ON deliveries (webhook, seq);
-- Each insert counts the waiting ones; this makes it independent of how many are retained.
CREATE INDEX deliveries_waiting ON deliveries (webhook, seq) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (webhook, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_age ON deliveries (created_at);

-- Deliveries are deleted with their webhook, and cannot find its account any more by then.
CREATE TRIGGER webhooks_disk_delete BEFORE DELETE ON webhooks BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes
        - (SELECT coalesce(sum(deliveries.bytes), 0) FROM deliveries WHERE deliveries.webhook = OLD.id)
    WHERE account = OLD.account;
END;

CREATE TRIGGER deliveries_disk_insert AFTER INSERT ON deliveries BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = NEW.webhook);
END;
CREATE TRIGGER deliveries_disk_delete AFTER DELETE ON deliveries BEGIN
    UPDATE disk SET bytes = bytes - OLD.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = OLD.webhook);
END;
CREATE TRIGGER deliveries_disk_update AFTER UPDATE OF kind, response, body ON deliveries
WHEN NEW.bytes <> OLD.bytes BEGIN
    UPDATE disk SET bytes = bytes + NEW.bytes - OLD.bytes
    WHERE account = (SELECT webhooks.account FROM webhooks WHERE webhooks.id = NEW.webhook);
END;
