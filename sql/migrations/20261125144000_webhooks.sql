-- Who is told of changes. How far each has been told, and what it answered, is in a file of its own
-- (sql/deliveries), so that a delivery writes nothing here.
-- migrate:up

-- secret signs what is sent, and so does old_secret until old_secret_until, after a rotation. since is the
-- place in the change log at which the webhook was registered; active_since is when it was last enabled, or
-- given another URL. Not in the change log, as secrets are no business of those who follow it.
CREATE TABLE webhooks (
  key              INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id       TEXT    NOT NULL UNIQUE CHECK (webhook_id <> ''),
  url              TEXT    NOT NULL,
  events           JSON    NOT NULL CHECK (json_type(events) = 'array'),
  filter           JSON    NOT NULL DEFAULT '{}' CHECK (json_type(filter) = 'object'),
  team             TEXT,
  status           TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
  reason           TEXT    CHECK (reason IN ('user', 'gone', 'failing')),
  secret           TEXT    NOT NULL CHECK (secret <> ''),
  old_secret       TEXT,
  old_secret_until TEXT,
  since            TEXT    NOT NULL,
  active_since     TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  created_at       TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  updated_at       TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  CHECK ((reason IS NULL) = (status = 'active'))
);

-- A webhook as the API shows it: without its secrets.
CREATE VIEW webhooks_view AS
SELECT w.webhook_id AS id, w.url, w.events, w.filter, w.team, w.status, w.reason, w.old_secret_until,
       w.created_at, w.updated_at
FROM webhooks AS w;

-- A webhook as the service before this one showed it.
CREATE VIEW ha_webhooks_view AS
SELECT w.webhook_id AS id, w.url AS webhook_url, w.team, w.events, w.created_at, w.status
FROM webhooks AS w;

-- What is needed to call a webhook, secrets included.
CREATE VIEW webhook_targets AS
SELECT w.webhook_id, w.url, w.events, w.filter, w.status, w.secret,
       coalesce(w.old_secret, '') AS old_secret, coalesce(w.old_secret_until, '') AS old_secret_until,
       w.since, w.active_since
FROM webhooks AS w;

-- migrate:down
DROP VIEW webhook_targets;
DROP VIEW ha_webhooks_view;
DROP VIEW webhooks_view;
DROP TABLE webhooks;
