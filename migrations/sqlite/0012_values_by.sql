-- Who has set the arguments and variables of a hook, as long as that is one principal: the
-- one who made the hook, unless somebody has changed it since.
ALTER TABLE hooks ADD COLUMN values_by BLOB;
UPDATE hooks SET values_by = created_by WHERE modified_by IS NULL;
