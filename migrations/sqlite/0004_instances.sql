-- What an instance belongs to; hosts have neither.
ALTER TABLE servers ADD COLUMN project TEXT;
ALTER TABLE servers ADD COLUMN instance_group TEXT;
