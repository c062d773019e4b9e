-- A place in recent: which file it is in, as another one has the same ids, and up to which id rows may have
-- been deleted, so that who goes on from an earlier one is told that some are lost.
-- migrate:up
ALTER TABLE keeping ADD COLUMN file_id TEXT NOT NULL DEFAULT '';
ALTER TABLE keeping ADD COLUMN emptied INTEGER NOT NULL DEFAULT 0;
UPDATE keeping SET file_id = lower(hex(randomblob(8))), emptied = coalesce((SELECT min(id) - 1 FROM recent), 0);

-- migrate:down
ALTER TABLE keeping DROP COLUMN emptied;
ALTER TABLE keeping DROP COLUMN file_id;
