-- What an event had for content, as a SHA-256: one that comes again with the same source and
-- id is answered with its first task only if its content is the same. Events from before have
-- none, and count as the same.

ALTER TABLE tasks ADD COLUMN event_content BLOB;
ALTER TABLE seen ADD COLUMN content BLOB;

-- What the hooks of an event were not given of it, as a JSON list of sentences.
ALTER TABLE tasks ADD COLUMN warnings TEXT;
