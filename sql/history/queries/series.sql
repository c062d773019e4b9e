-- Finds the rows of entities: those with one of the registry ids, and those with one of the names. Both
-- are JSON lists.
-- name: FindSeries :many
SELECT s.e, s.entity_id, s.registry_id FROM series AS s
WHERE s.registry_id <> '' AND s.registry_id IN (SELECT value FROM json_each(CAST(@registry_ids AS TEXT)))
UNION
SELECT s.e, s.entity_id, s.registry_id FROM series AS s
WHERE s.entity_id IN (SELECT value FROM json_each(CAST(@entity_ids AS TEXT)))
ORDER BY 1;

-- Lists the rows of a registry id, the one that new points go to first.
-- name: ListSeriesOfID :many
SELECT e, entity_id, named_at FROM series WHERE registry_id <> '' AND registry_id = CAST(@registry_id AS TEXT) ORDER BY e;

-- Lists the rows of a name, the one that new points without a registry id go to first.
-- name: ListSeriesOfName :many
SELECT e, registry_id FROM series WHERE entity_id = @entity_id ORDER BY registry_id = '', named_at DESC, e;

-- Adds a row.
-- name: AddSeries :one
INSERT INTO series (entity_id, registry_id, named_at) VALUES (@entity_id, @registry_id, @named_at) RETURNING e;

-- Binds the row of a name to a registry id, where it is bound to none.
-- name: BindSeries :execrows
UPDATE series SET registry_id = @registry_id WHERE entity_id = @entity_id AND registry_id = '';

-- Notes a new name.
-- name: RenameSeries :exec
UPDATE series SET entity_id = @entity_id, named_at = @named_at WHERE e = @e;

-- Lists the rows after the one with @after, in order.
-- name: ListSeries :many
SELECT e FROM series WHERE e > @after ORDER BY e LIMIT @lim;

-- Keeps attributes that are newer than those there are, and different from them.
-- name: SaveAttributes :exec
INSERT INTO attributes (e, at, document) VALUES (@e, @at, @document)
ON CONFLICT (e) DO UPDATE SET at = excluded.at, document = excluded.document
WHERE excluded.at >= attributes.at AND excluded.document <> attributes.document;

-- Forgets attributes that are older than a point which came without any.
-- name: ForgetAttributes :exec
UPDATE attributes SET at = @at, document = '' WHERE e = @e AND at < @at AND document <> '';

-- Gets the newest attributes of the rows in a JSON list, of those that have some.
-- name: ListAttributes :many
SELECT e, at, document FROM attributes
WHERE e IN (SELECT value FROM json_each(CAST(@es AS TEXT))) AND document <> ''
ORDER BY e;
