-- Lists webhooks by id, from the one after @after, of a status where it is given. There are tens of them.
-- name: ListWebhooks :many
SELECT v.* FROM webhooks_view AS v
WHERE v.id > @after AND (v.status = sqlc.narg('status') OR @status IS NULL)
ORDER BY v.id
LIMIT @lim;

-- Counts what ListWebhooks would list in all.
-- name: CountWebhooks :one
SELECT CAST(count(*) AS INTEGER) AS total FROM webhooks_view AS v
WHERE (v.status = sqlc.narg('status') OR @status IS NULL);

-- Gets one webhook by its id.
-- name: GetWebhook :one
SELECT * FROM webhooks_view WHERE id = @id;

-- Lists webhooks by id, from the one after @after, as the service before this one showed them.
-- name: ListHAWebhooks :many
SELECT v.* FROM ha_webhooks_view AS v WHERE v.id > @after ORDER BY v.id LIMIT @lim;

-- Gets one webhook by its id, as the service before this one showed it.
-- name: GetHAWebhook :one
SELECT * FROM ha_webhooks_view WHERE id = @id;

-- Lists what is needed to call the webhooks that are active.
-- name: ListWebhookTargets :many
SELECT * FROM webhook_targets_view WHERE status = 'active' ORDER BY webhook_id;

-- Gets what is needed to call one webhook, whatever its status.
-- name: GetWebhookTarget :one
SELECT * FROM webhook_targets_view WHERE webhook_id = @webhook_id;

-- Gives the ids of all webhooks, as a JSON list.
-- name: GetWebhookIDs :one
SELECT CAST(json_group_array(w.webhook_id) AS TEXT) AS ids FROM webhooks AS w;

-- Counts webhooks: those that are active, and those that were given up.
-- name: CountWebhookStates :one
SELECT CAST(coalesce(sum(w.status = 'active'), 0) AS INTEGER) AS active,
       CAST(coalesce(sum(w.status = 'disabled'), 0) AS INTEGER) AS disabled,
       CAST(coalesce(sum(w.reason = 'failing'), 0) AS INTEGER) AS failing,
       CAST(coalesce(sum(w.reason = 'gone'), 0) AS INTEGER) AS gone
FROM webhooks AS w;

-- Registers a webhook, now where @created_at is null. Counts 0 where the id is taken: who has it keeps it as
-- it is.
-- name: CreateWebhook :execrows
INSERT INTO webhooks (webhook_id, url, events, filter, team, secret, since, states_since, created_at)
VALUES (
  @webhook_id, @url, @events, @filter, @team, @secret, @since, @states_since,
  coalesce(CAST(sqlc.narg('created_at') AS TEXT), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
)
ON CONFLICT (webhook_id) DO NOTHING;

-- Changes a webhook, but for its secrets. Who disables it is a user; what it is disabled for stays.
-- name: UpdateWebhook :exec
UPDATE webhooks SET
  url = @url,
  events = @events,
  filter = @filter,
  team = @team,
  status = @status,
  reason = CASE WHEN @status = 'active' THEN NULL ELSE coalesce(reason, 'user') END,
  active_since = CASE
    WHEN status = @status AND url = @url THEN active_since
    ELSE strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  END,
  updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
WHERE webhook_id = @webhook_id
  AND (url, events, filter, team, status) IS NOT (@url, @events, @filter, @team, @status);

-- Notes from where a webhook is told of states.
-- name: BeginStates :exec
UPDATE webhooks SET states_since = @states_since WHERE webhook_id = @webhook_id;

-- Disables an active webhook for a reason, if it still has the URL.
-- name: DisableWebhook :execrows
UPDATE webhooks SET
  status = 'disabled',
  reason = @reason,
  updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
WHERE webhook_id = @webhook_id AND status = 'active' AND url = @url;

-- Gives a webhook a new secret. The one before is good for another day.
-- name: RotateWebhook :execrows
UPDATE webhooks SET
  old_secret = secret,
  old_secret_until = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '+24 hours'),
  secret = @secret,
  updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
WHERE webhook_id = @webhook_id;

-- Deletes a webhook.
-- name: DeleteWebhook :execrows
DELETE FROM webhooks WHERE webhook_id = @webhook_id;
