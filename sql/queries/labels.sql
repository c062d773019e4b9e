-- Lists the labels that match, by label_id, from the one after @after.
-- There are few, so the filters may scan.
-- name: ListLabels :many
SELECT v.* FROM labels_view AS v
WHERE v.label_id > @after
  AND (v.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) OR @label_ids IS NULL)
  AND (v.key IN (SELECT f.rowid - 2199023255552 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 2199023255552 AND f.rowid < 3298534883328) OR @q IS NULL)
ORDER BY v.label_id
LIMIT @lim;

-- Counts what ListLabels would list in all.
-- name: CountLabels :one
SELECT CAST(count(*) AS INTEGER) AS total FROM labels_view AS v
WHERE (v.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) OR @label_ids IS NULL)
  AND (v.key IN (SELECT f.rowid - 2199023255552 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 2199023255552 AND f.rowid < 3298534883328) OR @q IS NULL);

-- Gets one label by its id.
-- name: GetLabel :one
SELECT * FROM labels_view WHERE label_id = @label_id;

-- Finds a label by its id. Gives the registry's own columns, as SaveLabel takes them.
-- name: MatchLabel :one
SELECT
  key, label_id, name, color, icon, description, extra, listed, created_at, modified_at, updated_at
FROM labels
WHERE label_id = @label_id;

-- Stores a label: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveLabel :exec
INSERT INTO labels (
  key, label_id, name, color, icon, description, extra, listed, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @label_id, @name, @color, @icon, @description, @extra, @listed,
  @created_at, @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  label_id = excluded.label_id,
  name = excluded.name,
  color = excluded.color,
  icon = excluded.icon,
  description = excluded.description,
  extra = excluded.extra,
  listed = excluded.listed,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Deletes the labels whose keys are in the JSON list @keys, but for those that something has: of these, one
-- that no registry has listed stays in any case, another where what has it was told as well. Gives the ids.
-- name: DeleteLabels :many
DELETE FROM labels
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
  AND NOT EXISTS (
    SELECT 1 FROM area_labels AS k
    WHERE k.label_key = labels.key AND (CAST(@areas_told AS BOOLEAN) OR NOT labels.listed))
  AND NOT EXISTS (
    SELECT 1 FROM device_labels AS k
    WHERE k.label_key = labels.key AND (CAST(@devices_told AS BOOLEAN) OR NOT labels.listed))
  AND NOT EXISTS (
    SELECT 1 FROM entity_labels AS k
    WHERE k.label_key = labels.key AND (CAST(@entities_told AS BOOLEAN) OR NOT labels.listed))
RETURNING label_id;

-- Leaves of the labels whose keys are in the JSON list @keys what is known of one that is
-- referred to only. Gives the ids.
-- name: UnlistLabels :many
UPDATE labels SET
  name = label_id, color = NULL, icon = NULL, description = NULL, extra = '{}', listed = FALSE, modified_at = NULL,
  updated_at = @updated_at
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT))) AND listed
RETURNING label_id;
