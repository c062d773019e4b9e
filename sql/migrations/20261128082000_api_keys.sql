-- Who may do what: API keys. Of a key only the SHA-256 is stored. That is enough, and no slow hash is needed: a key
-- is 256 random bits, so there are no likely ones to try.
-- migrate:up

-- scopes is a list of what the key is good for. starts_with is the beginning of the key, by which people tell theirs
-- apart. Not in the change log, as keys are no business of those who follow it.
CREATE TABLE api_keys (
  key          INTEGER PRIMARY KEY AUTOINCREMENT,
  key_id       TEXT    NOT NULL UNIQUE CHECK (key_id <> ''),
  name         TEXT    NOT NULL CHECK (name <> ''),
  hash         TEXT    NOT NULL UNIQUE CHECK (length(hash) = 64),
  starts_with  TEXT    NOT NULL,
  scopes       JSON    NOT NULL CHECK (json_type(scopes) = 'array'),
  created_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  expires_at   TEXT,
  last_used_at TEXT
);

-- A key as the API shows it: without its hash.
CREATE VIEW api_keys_view AS
SELECT k.key_id AS id, k.name, k.starts_with, k.scopes, k.created_at, k.expires_at, k.last_used_at
FROM api_keys AS k;

-- migrate:down
DROP VIEW api_keys_view;
DROP TABLE api_keys;
