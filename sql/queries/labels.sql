-- Lists the labels that match, by label_id, from the one after @after.
-- There are few, so the filters may scan.
-- name: ListLabels :many
SELECT v.* FROM labels_view AS v
WHERE v.label_id > @after
  AND (v.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) OR @label_ids IS NULL)
  AND (instr(lower(v.name || char(10) || v.label_id || char(10) || coalesce(v.description, '')), lower(CAST(sqlc.narg('q') AS TEXT))) > 0 OR @q IS NULL)
ORDER BY v.label_id
LIMIT @lim;

-- Counts what ListLabels would list in all.
-- name: CountLabels :one
SELECT CAST(count(*) AS INTEGER) AS total FROM labels_view AS v
WHERE (v.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) OR @label_ids IS NULL)
  AND (instr(lower(v.name || char(10) || v.label_id || char(10) || coalesce(v.description, '')), lower(CAST(sqlc.narg('q') AS TEXT))) > 0 OR @q IS NULL);

-- Gets one label by its id.
-- name: GetLabel :one
SELECT * FROM labels_view WHERE label_id = @label_id;

-- Finds a label by its id. Gives the registry's own columns, as SaveLabel takes them.
-- name: MatchLabel :one
SELECT
  key, label_id, name, color, icon, description, extra, created_at, modified_at, updated_at
FROM labels
WHERE label_id = @label_id;

-- Stores a label: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveLabel :exec
INSERT INTO labels (
  key, label_id, name, color, icon, description, extra, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @label_id, @name, @color, @icon, @description, @extra,
  @created_at, @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  label_id = excluded.label_id,
  name = excluded.name,
  color = excluded.color,
  icon = excluded.icon,
  description = excluded.description,
  extra = excluded.extra,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;
