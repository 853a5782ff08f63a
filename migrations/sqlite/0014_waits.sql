-- How long each wait was to last, in microseconds, beside when it ends. That is a time, and
-- means another wait once the clock was set back: no wait lasts longer than it was to.

-- What is to be tried again.
ALTER TABLE executions ADD COLUMN wait_us INTEGER;
ALTER TABLE letters ADD COLUMN wait_us INTEGER;

-- What an address has asked for.
ALTER TABLE webhooks ADD COLUMN pause_us INTEGER;
