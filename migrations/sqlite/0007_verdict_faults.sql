-- What is wrong with the answer of a hook that cannot be used.
ALTER TABLE executions ADD COLUMN verdict_fault TEXT;
