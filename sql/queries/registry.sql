-- Counts the rows of a kind that a registry lists, and finds the newest row of the kind.
-- name: MeasureRegistry :one
SELECT CAST(coalesce(sum(r.listed), 0) AS INTEGER) AS listed,
       CAST(coalesce(max(r.key), 0) AS INTEGER) AS newest
FROM registry_rows AS r
WHERE r.kind = @kind;

-- Lists the rows of a kind, up to the newest that there was, whose keys are not in the JSON list @claimed.
-- name: ListUnclaimed :many
SELECT r.key, r.id, r.listed
FROM registry_rows AS r
WHERE r.kind = @kind
  AND r.key <= @newest
  AND r.key NOT IN (SELECT value FROM json_each(CAST(@claimed AS TEXT)))
ORDER BY r.id;

-- Lists the ids that are referred to and not known, at most @most of each kind, with how many there are
-- of the kind.
-- name: ListUnresolved :many
SELECT u.kind, CAST(u.id AS TEXT) AS id, CAST(u.total AS INTEGER) AS total
FROM (
  SELECT r.kind, r.id,
         count(*) OVER (PARTITION BY r.kind) AS total,
         row_number() OVER (PARTITION BY r.kind ORDER BY r.id) AS place
  FROM unresolved_view AS r
) AS u
WHERE u.place <= CAST(@most AS INTEGER)
ORDER BY u.kind, u.id;
