-- Appends a point; counts 0 where there is one of the entity and time already.
-- name: AppendPoint :execrows
INSERT INTO recent (e, at, state, context)
SELECT @e, @at, @state, sqlc.narg('context')
WHERE NOT EXISTS (SELECT 1 FROM points AS p WHERE p.e = @e AND p.at = @at)
ON CONFLICT DO NOTHING;

-- Says whether there is a point.
-- name: PointExists :one
SELECT CAST(EXISTS (SELECT 1 FROM recent AS r WHERE r.at = @at AND r.e = @e)
  OR EXISTS (SELECT 1 FROM points AS p WHERE p.e = @e AND p.at = @at) AS INTEGER) AS found;

-- Lists the rows after @after, in the order in which they came.
-- name: ListTail :many
SELECT r.id, r.e, r.at, r.state FROM recent AS r
WHERE r.id > @after
ORDER BY r.id
LIMIT @lim;

-- Lists rows after @after, in the order in which they came.
-- name: ListEntries :many
SELECT r.id, s.entity_id, s.registry_id, r.at, r.state, r.context
FROM recent AS r JOIN series AS s ON s.e = r.e
WHERE r.id > @after
ORDER BY r.id
LIMIT @lim;

-- Lists rows after @after, in the order in which they came, with the rows of series.
-- name: ListArrivals :many
SELECT r.id, r.e, s.entity_id, s.registry_id, r.at, r.state, r.context
FROM recent AS r JOIN series AS s ON s.e = r.e
WHERE r.id > @after
ORDER BY r.id
LIMIT @lim;

-- Tells which file it is, up to which id rows may have been deleted, the newest row, and of what time the row
-- @id is, 0 where it is not there.
-- name: GetRecent :one
SELECT k.file_id, k.emptied,
       CAST(coalesce((SELECT max(n.id) FROM recent AS n), 0) AS INTEGER) AS newest,
       CAST(coalesce((SELECT l.at FROM recent AS l ORDER BY l.id DESC LIMIT 1), 0) AS INTEGER) AS newest_at,
       CAST(coalesce((SELECT r.at FROM recent AS r WHERE r.id = @id), 0) AS INTEGER) AS at
FROM keeping AS k;

-- Gets the time of the first row after @id, 0 where there is none.
-- name: TimeAfterRow :one
SELECT CAST(coalesce((SELECT r.at FROM recent AS r WHERE r.id > @id ORDER BY r.id LIMIT 1), 0) AS INTEGER) AS at;

-- Lists points that are all in recent, newest first, from the one after the cursor. @es is a JSON list of rows, or null for all.
-- name: ListRecentEvents :many
SELECT r.e, s.entity_id, s.registry_id, r.at, r.state, r.context
FROM recent AS r JOIN series AS s ON s.e = r.e
WHERE r.at >= @from_at AND r.at <= @until
  AND (r.at < @until OR s.entity_id < @before)
  AND (r.e IN (SELECT value FROM json_each(CAST(sqlc.narg('es') AS TEXT))) OR @es IS NULL)
ORDER BY r.at DESC, s.entity_id DESC
LIMIT @lim;

-- Gets the newest id that was given, 0 where none was.
-- name: NewestID :one
SELECT CAST(coalesce(max(id), 0) AS INTEGER) AS id FROM recent;

-- Registers a follower, which has passed what there is already, or nothing of it.
-- name: AddFollower :exec
INSERT INTO followers (name, id, given_from)
SELECT @name,
       CASE WHEN CAST(@from_now AS INTEGER) THEN coalesce((SELECT max(id) FROM recent), 0) ELSE coalesce((SELECT min(id) - 1 FROM recent), 0) END,
       CASE WHEN CAST(@from_now AS INTEGER) THEN 9223372036854775807 ELSE k.recent_from END
FROM keeping AS k
WHERE true
ON CONFLICT DO NOTHING;

-- Notes how far a follower is. It never goes back.
-- name: PassFollower :exec
UPDATE followers SET id = max(id, CAST(@id AS INTEGER)) WHERE name = @name;

-- Forgets a follower.
-- name: RemoveFollower :exec
DELETE FROM followers WHERE name = @name;

-- Tells how far each follower is behind: how many rows, and since when. Ids have no gaps after the last one that
-- was passed.
-- name: ListFollowers :many
SELECT f.name, f.dropped,
       CAST(max(coalesce((SELECT max(r.id) FROM recent AS r), 0) - f.id, 0) AS INTEGER) AS buffered,
       CAST(coalesce((SELECT r.at FROM recent AS r WHERE r.id > f.id ORDER BY r.id LIMIT 1), 0) AS INTEGER) AS since
FROM followers AS f
ORDER BY f.name;

-- Tells how far a follower is, of what time its next row is, and the newest id that was given. Whoever is not
-- registered was given nothing.
-- name: GetFollowing :one
SELECT f.id, f.given_from, f.dropped,
       CAST(coalesce((SELECT r.at FROM recent AS r WHERE r.id > f.id ORDER BY r.id LIMIT 1), 0) AS INTEGER) AS since,
       CAST(coalesce((SELECT max(r.id) FROM recent AS r), 0) AS INTEGER) AS newest
FROM (
  SELECT CAST(coalesce(max(w.id), 0) AS INTEGER) AS id,
         CAST(coalesce(max(w.given_from), 9223372036854775807) AS INTEGER) AS given_from,
         CAST(coalesce(max(w.dropped), 0) AS INTEGER) AS dropped
  FROM followers AS w WHERE w.name = @name
) AS f;

-- Tells of what time the rows after @after are: nulls spelt out, as nothing is before its end where there is none.
-- name: SpanAfter :one
SELECT CAST(coalesce(min(r.at), 0) AS INTEGER) AS earliest, CAST(coalesce(max(r.at), -1) AS INTEGER) AS latest FROM recent AS r WHERE r.id > @after;
