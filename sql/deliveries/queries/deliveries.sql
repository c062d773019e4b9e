-- Lists the deliveries to a webhook, the newest first, of a status where it is given, from the one before
-- the key @before.
-- name: ListDeliveries :many
SELECT v.*
FROM (
  SELECT s.key FROM deliveries AS s
  WHERE s.webhook_id = @webhook_id AND s.status = sqlc.narg('status') AND s.key < @before
    AND s.status <> 'delivered'
  UNION ALL
  SELECT k.key FROM deliveries AS k
  WHERE k.webhook_id = @webhook_id AND k.key < @before
    AND (@status IS NULL OR @status = 'delivered' AND k.status = 'delivered')
  ORDER BY 1 DESC LIMIT @lim
) AS found
JOIN deliveries_view AS v ON v.key = found.key
ORDER BY found.key DESC;

-- Counts what ListDeliveries would list in all.
-- name: CountDeliveries :one
SELECT CAST(count(*) AS INTEGER) AS total FROM deliveries AS d
WHERE d.webhook_id = @webhook_id AND (d.status = sqlc.narg('status') OR @status IS NULL);

-- Counts what has not arrived: what is to be sent again, and what was given up.
-- name: CountUndelivered :many
SELECT d.status, CAST(count(*) AS INTEGER) AS total FROM deliveries AS d
WHERE d.status <> 'delivered'
GROUP BY d.status
ORDER BY d.status;

-- Gets one delivery to a webhook.
-- name: GetDelivery :one
SELECT * FROM deliveries_view WHERE webhook_id = @webhook_id AND id = @id;

-- Gets what is to be sent to a webhook again next: of its line, or of what is aside.
-- name: GetDue :one
SELECT d.message_id, m.event, m.body, d.aside, d.cursor, d.states, d.attempts, d.created_at, CAST(d.next_at AS TEXT) AS next_at
FROM deliveries AS d
JOIN messages AS m ON m.message_id = d.message_id
WHERE d.webhook_id = @webhook_id AND d.aside = @aside AND d.next_at IS NOT NULL
ORDER BY d.next_at
LIMIT 1;

-- Keeps a message, if it is not kept for another webhook.
-- name: SaveMessage :exec
INSERT INTO messages (message_id, event, body, created_at)
VALUES (@message_id, @event, @body, @created_at)
ON CONFLICT (message_id) DO NOTHING;

-- Notes what came of sending a message.
-- name: SaveDelivery :exec
INSERT INTO deliveries (
  webhook_id, message_id, status, aside, cursor, states, attempts, next_at, status_code, latency_ms,
  response, error, created_at, updated_at
) VALUES (
  @webhook_id, @message_id, @status, @aside, @cursor, @states, @attempts, @next_at, @status_code, @latency_ms,
  @response, @error, @created_at, @updated_at
)
ON CONFLICT (message_id, webhook_id) DO UPDATE SET
  status = excluded.status,
  aside = excluded.aside,
  cursor = excluded.cursor,
  states = excluded.states,
  attempts = excluded.attempts,
  next_at = excluded.next_at,
  status_code = excluded.status_code,
  latency_ms = excluded.latency_ms,
  response = excluded.response,
  error = excluded.error,
  updated_at = excluded.updated_at;

-- Has a message sent once more: beside the line where it was done with, with all its retries, and else as
-- it is, at once.
-- name: ReplayDelivery :execrows
UPDATE deliveries SET
  aside = aside OR status <> 'retrying',
  attempts = CASE WHEN status = 'retrying' THEN attempts ELSE 0 END,
  status = 'retrying',
  next_at = CAST(@now AS TEXT),
  updated_at = @now
WHERE webhook_id = @webhook_id AND message_id = @message_id;

-- Has all that is to be sent to a webhook again sent at once.
-- name: HastenDeliveries :exec
UPDATE deliveries SET next_at = CAST(@now AS TEXT), updated_at = @now
WHERE webhook_id = @webhook_id AND next_at > @now;

-- Forgets deliveries that were done with before a time, or that belong to no webhook among @ids, the oldest
-- first.
-- name: PruneDeliveries :execrows
DELETE FROM deliveries WHERE key IN (
  SELECT d.key FROM deliveries AS d
  WHERE d.updated_at < @before
    AND (d.status <> 'retrying' OR d.webhook_id NOT IN (SELECT value FROM json_each(CAST(@ids AS TEXT))))
  ORDER BY d.updated_at LIMIT @lim
);

-- Forgets messages from before a time that belong to no delivery.
-- name: PruneMessages :execrows
DELETE FROM messages WHERE message_id IN (
  SELECT m.message_id FROM messages AS m
  WHERE m.created_at < @before AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.message_id = m.message_id)
  ORDER BY m.created_at LIMIT @lim
);

-- Gets the body of a message; nothing where it is not kept.
-- name: GetBody :one
SELECT body FROM messages WHERE message_id = @message_id;

-- Forgets the deliveries to a webhook.
-- name: ForgetDeliveries :exec
DELETE FROM deliveries WHERE webhook_id = @webhook_id;
