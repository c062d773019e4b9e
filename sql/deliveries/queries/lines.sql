-- Gets how far a webhook has come.
-- name: GetLine :one
SELECT * FROM lines WHERE webhook_id = @webhook_id;

-- Notes how far a webhook has come.
-- name: SaveLine :exec
INSERT INTO lines (webhook_id, cursor, failing_since, delivered_at, updated_at, states)
VALUES (@webhook_id, @cursor, @failing_since, @delivered_at, @updated_at, @states)
ON CONFLICT (webhook_id) DO UPDATE SET
  cursor = excluded.cursor,
  failing_since = excluded.failing_since,
  delivered_at = excluded.delivered_at,
  updated_at = excluded.updated_at,
  states = excluded.states;

-- Counts the webhooks among @ids whose last call failed, and says since when the first of them does.
-- name: CountFailing :one
SELECT CAST(count(*) AS INTEGER) AS failing, CAST(coalesce(min(l.failing_since), '') AS TEXT) AS since
FROM lines AS l
WHERE l.failing_since IS NOT NULL AND l.webhook_id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- Forgets a webhook's place.
-- name: ForgetLine :exec
DELETE FROM lines WHERE webhook_id = @webhook_id;

-- Forgets the places of webhooks that are not among @ids, and were not before a time.
-- name: PruneLines :execrows
DELETE FROM lines
WHERE updated_at < @before AND webhook_id NOT IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));
