-- Lists the floors that match, by floor_id, from the one after @after.
-- There are few, so the filters may scan.
-- name: ListFloors :many
SELECT v.* FROM floors_view AS v
WHERE v.floor_id > @after
  AND (v.key IN (SELECT f.rowid - 0 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 0 AND f.rowid < 1099511627776) OR @q IS NULL)
ORDER BY v.floor_id
LIMIT @lim;

-- Counts what ListFloors would list in all.
-- name: CountFloors :one
SELECT CAST(count(*) AS INTEGER) AS total FROM floors_view AS v
WHERE (v.key IN (SELECT f.rowid - 0 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 0 AND f.rowid < 1099511627776) OR @q IS NULL);

-- Gets one floor by its id.
-- name: GetFloor :one
SELECT * FROM floors_view WHERE floor_id = @floor_id;

-- Finds a floor by its id. Gives the registry's own columns, as SaveFloor takes them.
-- name: MatchFloor :one
SELECT
  key, floor_id, name, level, icon, aliases, extra, listed, created_at, modified_at, updated_at
FROM floors
WHERE floor_id = @floor_id;

-- Stores a floor: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveFloor :exec
INSERT INTO floors (
  key, floor_id, name, level, icon, aliases, extra, listed, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @floor_id, @name, @level, @icon, @aliases, @extra, @listed, @created_at,
  @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  floor_id = excluded.floor_id,
  name = excluded.name,
  level = excluded.level,
  icon = excluded.icon,
  aliases = excluded.aliases,
  extra = excluded.extra,
  listed = excluded.listed,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Deletes the floors whose keys are in the JSON list @keys, but for those that areas are on: of these, one
-- that no registry has listed stays in any case, another where the areas were told as well. Gives the ids.
-- name: DeleteFloors :many
DELETE FROM floors
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
  AND NOT EXISTS (
    SELECT 1 FROM areas AS a
    WHERE a.floor_key = floors.key AND (CAST(@areas_told AS BOOLEAN) OR NOT floors.listed))
RETURNING floor_id;

-- Leaves of the floors whose keys are in the JSON list @keys what is known of one that is
-- referred to only. Gives the ids.
-- name: UnlistFloors :many
UPDATE floors SET
  name = floor_id, level = NULL, icon = NULL, aliases = '[]', extra = '{}', listed = FALSE, modified_at = NULL,
  updated_at = @updated_at
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT))) AND listed
RETURNING floor_id;
