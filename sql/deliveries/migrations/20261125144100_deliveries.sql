-- What webhooks were sent. This file is apart from the metadata, which a delivery does not touch. It may be
-- deleted: each webhook is then sent, under the same ids, what the change log keeps since it was registered.
-- migrate:up

-- How far each webhook has come in the change log, since when it does nothing but fail, and when it last
-- took a message. Times are RFC 3339 in UTC with six decimals.
CREATE TABLE lines (
  webhook_id    TEXT NOT NULL PRIMARY KEY,
  cursor        TEXT NOT NULL,
  failing_since TEXT,
  delivered_at  TEXT,
  updated_at    TEXT NOT NULL
);

-- What is sent. A change is the same message to all webhooks that want it.
CREATE TABLE messages (
  message_id TEXT NOT NULL PRIMARY KEY,
  event      TEXT NOT NULL,
  body       TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE INDEX messages_by_age ON messages (created_at);

-- What became of a message to a webhook. While it is retried, the webhook's line waits behind it, unless it
-- is aside. next_at is when it is to be sent again, null where there is nothing left to do; cursor is the
-- place in the change log after it, empty where the line is past it or it was never in one.
CREATE TABLE deliveries (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id  TEXT    NOT NULL,
  message_id  TEXT    NOT NULL,
  status      TEXT    NOT NULL CHECK (status IN ('retrying', 'delivered', 'failed')),
  aside       BOOLEAN NOT NULL,
  cursor      TEXT    NOT NULL,
  attempts    INTEGER NOT NULL,
  next_at     TEXT    CHECK ((next_at IS NOT NULL) = (status = 'retrying')),
  status_code INTEGER,
  latency_ms  REAL,
  response    TEXT,
  error       TEXT,
  created_at  TEXT    NOT NULL,
  updated_at  TEXT    NOT NULL,
  UNIQUE (message_id, webhook_id)
);
CREATE INDEX deliveries_due        ON deliveries (webhook_id, aside, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_by_age     ON deliveries (updated_at);
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, key);
CREATE INDEX deliveries_by_status  ON deliveries (webhook_id, status, key) WHERE status <> 'delivered';

-- A delivery as the API shows it.
CREATE VIEW deliveries_view AS
SELECT d.key, d.message_id AS id, d.webhook_id, m.event, d.status, d.attempts, d.next_at, d.status_code,
       d.latency_ms, d.response, d.error, d.created_at, d.updated_at
FROM deliveries AS d
JOIN messages AS m ON m.message_id = d.message_id;

-- migrate:down
DROP VIEW deliveries_view;
DROP TABLE deliveries;
DROP TABLE messages;
DROP TABLE lines;
