-- Webhooks may be told of states, too. states_since is the place in the history's recent states from which a
-- webhook is told of them; empty where that could not be seen when it began to want them.
-- migrate:up
ALTER TABLE webhooks ADD COLUMN states_since TEXT NOT NULL DEFAULT '';

-- What is needed to call a webhook, secrets included, and from where on it is told.
CREATE VIEW webhook_targets_view AS
SELECT t.webhook_id, t.url, t.events, t.filter, t.status, t.secret, t.old_secret, t.old_secret_until,
       t.since, w.states_since, t.active_since
FROM webhook_targets AS t
JOIN webhooks AS w ON w.webhook_id = t.webhook_id;

-- migrate:down
DROP VIEW webhook_targets_view;
ALTER TABLE webhooks DROP COLUMN states_since;
