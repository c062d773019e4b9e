-- Lists the areas that match, by area_id, from the one after @after.
-- There are tens of them, so the filters may scan.
-- name: ListAreas :many
SELECT v.* FROM areas_view AS v
WHERE v.area_id > @after
  AND (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT))) OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.key IN (SELECT f.rowid - 1099511627776 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 1099511627776 AND f.rowid < 2199023255552) OR @q IS NULL)
ORDER BY v.area_id
LIMIT @lim;

-- Counts what ListAreas would list in all.
-- name: CountAreas :one
SELECT CAST(count(*) AS INTEGER) AS total FROM areas_view AS v
WHERE (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT))) OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.key IN (SELECT f.rowid - 1099511627776 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 1099511627776 AND f.rowid < 2199023255552) OR @q IS NULL);

-- Gets one area by its id.
-- name: GetArea :one
SELECT * FROM areas_view WHERE area_id = @area_id;

-- Finds a area by its id. Gives the registry's own columns, as SaveArea takes them.
-- name: MatchArea :one
SELECT
  key, area_id, name, floor_id, icon, picture, temperature_entity_id, humidity_entity_id, aliases,
  labels, extra, listed, created_at, modified_at, updated_at
FROM areas
WHERE area_id = @area_id;

-- Stores a area: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveArea :exec
INSERT INTO areas (
  key, area_id, name, floor_id, icon, picture, temperature_entity_id, humidity_entity_id, aliases,
  labels, extra, listed, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @area_id, @name, @floor_id, @icon, @picture,
  @temperature_entity_id, @humidity_entity_id, @aliases, @labels, @extra, @listed, @created_at, @modified_at,
  @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  area_id = excluded.area_id,
  name = excluded.name,
  floor_id = excluded.floor_id,
  icon = excluded.icon,
  picture = excluded.picture,
  temperature_entity_id = excluded.temperature_entity_id,
  humidity_entity_id = excluded.humidity_entity_id,
  aliases = excluded.aliases,
  labels = excluded.labels,
  extra = excluded.extra,
  listed = excluded.listed,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Deletes the areas whose keys are in the JSON list @keys, but for those that devices or entities are in by
-- what they say themselves: of these, one that no registry has listed stays in any case, another where
-- they were told as well. Gives the ids.
-- name: DeleteAreas :many
DELETE FROM areas
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
  AND NOT EXISTS (
    SELECT 1 FROM devices AS d
    WHERE d.area_key = areas.key AND d.area_id = areas.area_id AND (CAST(@devices_told AS BOOLEAN) OR NOT areas.listed))
  AND NOT EXISTS (
    SELECT 1 FROM entities AS e
    WHERE e.area_key = areas.key AND e.area_id = areas.area_id AND (CAST(@entities_told AS BOOLEAN) OR NOT areas.listed))
RETURNING area_id;

-- Leaves of the areas whose keys are in the JSON list @keys what is known of one that is
-- referred to only. Gives the ids.
-- name: UnlistAreas :many
UPDATE areas SET
  name = area_id, floor_id = NULL, icon = NULL, picture = NULL, temperature_entity_id = NULL, humidity_entity_id = NULL,
  aliases = '[]', labels = '[]', extra = '{}', listed = FALSE, modified_at = NULL, updated_at = @updated_at
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT))) AND listed
RETURNING area_id;
