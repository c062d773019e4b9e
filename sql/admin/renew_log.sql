-- Makes the change log another one, so that whoever followed the one before is told so: what came after the backup
-- is not in it.
UPDATE change_log SET log_id = lower(hex(randomblob(6)))
