-- What each user prefers: one JSON object a user, whose members are the clients' own.
-- migrate:up
CREATE TABLE preferences (
  key        INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    TEXT    NOT NULL UNIQUE,
  document   JSON    NOT NULL CHECK (json_type(document) = 'object'),
  created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  updated_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);

-- What a user has who stored nothing yet, and whether the teams of the environment were taken over:
-- one row.
CREATE TABLE preference_defaults (
  document       JSON NOT NULL,
  teams_taken_at TEXT
);
INSERT INTO preference_defaults (document) VALUES ('{"selected_teams":{},"notification_settings":{}}');

-- Each row as the change log keeps it, which is as the API shows it.
CREATE VIEW preferences_as_json AS
SELECT t.key, json_insert(t.document, '$.user_id', t.user_id) AS document
FROM preferences AS t;

CREATE TRIGGER preferences_keep_id BEFORE UPDATE OF user_id ON preferences
WHEN NEW.user_id <> OLD.user_id
BEGIN
  SELECT raise(ABORT, 'user_id identifies the preferences and cannot change');
END;

CREATE TRIGGER preferences_inserted AFTER INSERT ON preferences
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  SELECT 'preference', j.key, NEW.user_id, 'created', j.document FROM preferences_as_json AS j WHERE j.key = NEW.key;
END;

CREATE TRIGGER preferences_updated AFTER UPDATE OF document ON preferences
WHEN NEW.document <> OLD.document
BEGIN
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'preference', j.key, NEW.user_id, 'updated', json_insert(OLD.document, '$.user_id', OLD.user_id), j.document
  FROM preferences_as_json AS j WHERE j.key = NEW.key;
END;

CREATE TRIGGER preferences_deleted BEFORE DELETE ON preferences
BEGIN
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'preference', j.key, OLD.user_id, 'deleted', j.document FROM preferences_as_json AS j WHERE j.key = OLD.key;
END;

-- migrate:down
DROP VIEW preferences_as_json;
DROP TABLE preference_defaults;
DROP TABLE preferences;
