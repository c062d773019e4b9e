-- The schema as the migrations make it, for people to read. Nothing reads this file but a test:
-- change sql/migrations, then run go test ./db -run TestSchemaFile -update

CREATE TABLE floors (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  floor_id    TEXT    NOT NULL UNIQUE,
  name        TEXT    NOT NULL,
  level       INTEGER,
  icon        TEXT,
  aliases     JSON    NOT NULL DEFAULT '[]',
  extra       JSON    NOT NULL DEFAULT '{}',
  created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at TEXT,
  updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
, listed BOOLEAN NOT NULL DEFAULT FALSE);

CREATE TABLE labels (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  label_id    TEXT    NOT NULL UNIQUE,
  name        TEXT    NOT NULL,
  color       TEXT,
  icon        TEXT,
  description TEXT,
  extra       JSON    NOT NULL DEFAULT '{}',
  created_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at TEXT,
  updated_at  TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
, listed BOOLEAN NOT NULL DEFAULT FALSE);

CREATE TABLE areas (
  key                   INTEGER PRIMARY KEY AUTOINCREMENT,
  area_id               TEXT    NOT NULL UNIQUE,
  name                  TEXT    NOT NULL,
  floor_id              TEXT,
  icon                  TEXT,
  picture               TEXT,
  temperature_entity_id TEXT,
  humidity_entity_id    TEXT,
  aliases               JSON    NOT NULL DEFAULT '[]',
  labels                JSON    NOT NULL DEFAULT '[]',
  extra                 JSON    NOT NULL DEFAULT '{}',
  created_at            TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at           TEXT,
  updated_at            TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  -- derived
  floor_key             INTEGER REFERENCES floors (key)
, listed BOOLEAN NOT NULL DEFAULT FALSE);
CREATE INDEX areas_by_floor ON areas (floor_key, area_id);

CREATE TABLE config_entries (
  key                       INTEGER PRIMARY KEY AUTOINCREMENT,
  entry_id                  TEXT    NOT NULL UNIQUE,
  domain                    TEXT    NOT NULL,
  title                     TEXT    NOT NULL,
  source                    TEXT,
  state                     TEXT,
  reason                    TEXT,
  disabled_by               TEXT,
  pref_disable_new_entities BOOLEAN,
  pref_disable_polling      BOOLEAN,
  num_subentries            INTEGER,
  version                   INTEGER,
  minor_version             INTEGER,
  created_at                TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at               TEXT,
  updated_at                TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);
CREATE INDEX config_entries_by_domain ON config_entries (domain, entry_id);

CREATE TABLE devices (
  key                            INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id                      TEXT    NOT NULL UNIQUE,
  name                           TEXT,
  name_by_user                   TEXT,
  manufacturer                   TEXT,
  model                          TEXT,
  model_id                       TEXT,
  hw_version                     TEXT,
  sw_version                     TEXT,
  serial_number                  TEXT,
  entry_type                     TEXT,
  configuration_url              TEXT,
  disabled_by                    TEXT,
  area_id                        TEXT,
  via_device_id                  TEXT,
  parent_device_id               TEXT,
  config_entry_id                TEXT,
  config_subentry_id             TEXT,
  primary_config_entry           TEXT,
  composite_device_id            TEXT,
  composite_primary_config_entry TEXT,
  has_composite_identifiers      BOOLEAN,
  split_at                       TEXT,
  integration                    TEXT,
  labels                         JSON    NOT NULL DEFAULT '[]',
  identifiers                    JSON    NOT NULL DEFAULT '[]',
  connections                    JSON    NOT NULL DEFAULT '[]',
  config_entries                 JSON    NOT NULL DEFAULT '[]',
  config_entries_subentries      JSON    NOT NULL DEFAULT '{}',
  extra                          JSON    NOT NULL DEFAULT '{}',
  created_at                     TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at                    TEXT,
  updated_at                     TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  disabled                       BOOLEAN NOT NULL GENERATED ALWAYS AS (disabled_by IS NOT NULL) VIRTUAL,
  effective_model                TEXT    NOT NULL GENERATED ALWAYS AS (coalesce(model, 'Unknown')) VIRTUAL,
  effective_config_entry_id      TEXT             GENERATED ALWAYS AS (coalesce(primary_config_entry, config_entry_id, json_extract(config_entries, '$[0]'))) VIRTUAL,
  -- derived
  area_key                       INTEGER REFERENCES areas (key),
  via_device_key                 INTEGER REFERENCES devices (key),
  parent_device_key              INTEGER REFERENCES devices (key),
  config_entry_key               INTEGER REFERENCES config_entries (key),
  effective_manufacturer         TEXT    NOT NULL DEFAULT 'Unknown',
  effective_integration          TEXT
, floor_key INTEGER REFERENCES floors (key));
CREATE INDEX devices_by_area         ON devices (area_key, device_id);
CREATE INDEX devices_by_manufacturer ON devices (effective_manufacturer, device_id);
CREATE INDEX devices_by_model        ON devices (effective_model, device_id);
CREATE INDEX devices_by_integration  ON devices (effective_integration, device_id);
CREATE INDEX devices_by_disabled     ON devices (disabled, device_id);
CREATE INDEX devices_by_config_entry ON devices (config_entry_key, device_id);
CREATE INDEX devices_by_composite    ON devices (composite_device_id, device_id) WHERE composite_device_id IS NOT NULL;
CREATE INDEX devices_by_via          ON devices (via_device_key) WHERE via_device_key IS NOT NULL;
CREATE INDEX devices_by_parent       ON devices (parent_device_key) WHERE parent_device_key IS NOT NULL;
CREATE INDEX devices_awaiting_via    ON devices (via_device_id) WHERE via_device_key IS NULL AND via_device_id IS NOT NULL;
CREATE INDEX devices_awaiting_parent ON devices (parent_device_id) WHERE parent_device_key IS NULL AND parent_device_id IS NOT NULL;
CREATE INDEX devices_awaiting_entry  ON devices (effective_config_entry_id) WHERE config_entry_key IS NULL AND effective_config_entry_id IS NOT NULL;

CREATE TABLE entities (
  key                    INTEGER PRIMARY KEY AUTOINCREMENT,
  entity_id              TEXT    NOT NULL UNIQUE,
  registry_id            TEXT    UNIQUE,
  platform               TEXT    NOT NULL DEFAULT 'unknown',
  unique_id              TEXT,
  previous_unique_id     TEXT,
  name                   TEXT,
  original_name          TEXT,
  has_entity_name        BOOLEAN NOT NULL DEFAULT FALSE,
  object_id_base         TEXT,
  suggested_object_id    TEXT,
  translation_key        TEXT,
  icon                   TEXT,
  original_icon          TEXT,
  device_class           TEXT,
  original_device_class  TEXT,
  unit_of_measurement    TEXT,
  supported_features     INTEGER,
  entity_category        TEXT,
  disabled_by            TEXT,
  hidden_by              TEXT,
  device_id              TEXT,
  area_id                TEXT,
  config_entry_id        TEXT,
  config_subentry_id     TEXT,
  labels                 JSON    NOT NULL DEFAULT '[]',
  aliases                JSON    NOT NULL DEFAULT '[]',
  aliases_v2             JSON,
  categories             JSON    NOT NULL DEFAULT '{}',
  capabilities           JSON,
  options                JSON    NOT NULL DEFAULT '{}',
  extra                  JSON    NOT NULL DEFAULT '{}',
  created_at             TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  modified_at            TEXT,
  updated_at             TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  domain                 TEXT    NOT NULL GENERATED ALWAYS AS (ltrim(substr(entity_id, 1, instr(entity_id, '.') - 1), '~')) VIRTUAL,
  disabled               BOOLEAN NOT NULL GENERATED ALWAYS AS (disabled_by IS NOT NULL) VIRTUAL,
  effective_device_class TEXT             GENERATED ALWAYS AS (coalesce(device_class, original_device_class)) VIRTUAL,
  -- Home Assistant's rule: the user's name, else the integration's (after the device's where
  -- has_entity_name says so), else the object id.
  effective_name         TEXT    NOT NULL GENERATED ALWAYS AS (coalesce(
    nullif(name, ''),
    nullif(trim(CASE WHEN has_entity_name THEN coalesce(device_name, '') ELSE '' END || ' ' || coalesce(original_name, '')), ''),
    substr(entity_id, instr(entity_id, '.') + 1))) STORED,
  -- derived
  device_key             INTEGER REFERENCES devices (key),
  area_key               INTEGER REFERENCES areas (key),
  config_entry_key       INTEGER REFERENCES config_entries (key),
  device_name            TEXT
, floor_key INTEGER REFERENCES floors (key), device_manufacturer TEXT, device_model TEXT);
CREATE INDEX entities_by_unique_id    ON entities (unique_id, platform) WHERE unique_id IS NOT NULL;
CREATE INDEX entities_by_device       ON entities (device_key, entity_id);
CREATE INDEX entities_by_area         ON entities (area_key, entity_id);
CREATE INDEX entities_by_domain       ON entities (domain, entity_id);
CREATE INDEX entities_by_platform     ON entities (platform, entity_id);
CREATE INDEX entities_by_device_class ON entities (effective_device_class, entity_id) WHERE effective_device_class IS NOT NULL;
CREATE INDEX entities_by_category     ON entities (entity_category, entity_id) WHERE entity_category IS NOT NULL;
CREATE INDEX entities_by_disabled     ON entities (disabled, entity_id);
CREATE INDEX entities_by_config_entry ON entities (config_entry_key) WHERE config_entry_key IS NOT NULL;
CREATE INDEX entities_awaiting_device ON entities (device_id, entity_id) WHERE device_key IS NULL AND device_id IS NOT NULL;
CREATE INDEX entities_awaiting_entry  ON entities (config_entry_id) WHERE config_entry_key IS NULL AND config_entry_id IS NOT NULL;

CREATE TABLE area_labels (
  label_key INTEGER NOT NULL REFERENCES labels (key) ON DELETE CASCADE,
  area_key  INTEGER NOT NULL REFERENCES areas (key) ON DELETE CASCADE,
  PRIMARY KEY (label_key, area_key)
) WITHOUT ROWID;
CREATE INDEX area_labels_by_area ON area_labels (area_key);

CREATE TABLE device_labels (
  label_key  INTEGER NOT NULL REFERENCES labels (key) ON DELETE CASCADE,
  device_key INTEGER NOT NULL REFERENCES devices (key) ON DELETE CASCADE, device_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (label_key, device_key)
) WITHOUT ROWID;
CREATE INDEX device_labels_by_device ON device_labels (device_key);

CREATE TABLE entity_labels (
  label_key  INTEGER NOT NULL REFERENCES labels (key) ON DELETE CASCADE,
  entity_key INTEGER NOT NULL REFERENCES entities (key) ON DELETE CASCADE, entity_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (label_key, entity_key)
) WITHOUT ROWID;
CREATE INDEX entity_labels_by_entity ON entity_labels (entity_key);

CREATE TABLE changes (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  at     TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  kind   TEXT    NOT NULL,
  key    INTEGER NOT NULL,
  id     TEXT    NOT NULL,
  action TEXT    NOT NULL,
  before JSON,
  after  JSON
);
CREATE INDEX changes_by_kind ON changes (kind);
CREATE INDEX changes_by_key  ON changes (key, kind);
CREATE INDEX changes_by_id   ON changes (id, kind);
CREATE INDEX changes_by_time ON changes (at) WHERE seq % 64 = 0;

CREATE TABLE change_log (
  log_id     TEXT    NOT NULL,
  pruned_seq INTEGER NOT NULL DEFAULT 0,
  pruned_at  TEXT    NOT NULL DEFAULT ''
);

CREATE TABLE entity_aliases (
  entity_id   TEXT    NOT NULL,
  entity_key  INTEGER NOT NULL REFERENCES entities (key),
  valid_from  TEXT    NOT NULL,
  valid_until TEXT    NOT NULL
);
CREATE INDEX entity_aliases_by_id  ON entity_aliases (entity_id, valid_until);
CREATE INDEX entity_aliases_by_key ON entity_aliases (entity_key, valid_until);

CREATE VIEW floors_as_json AS
SELECT t.key, json_object(
    'floor_id', t.floor_id, 'name', t.name, 'level', t.level, 'icon', t.icon, 'aliases', json(t.aliases),
    'extra', json(t.extra)) AS document
FROM floors AS t;

CREATE VIEW labels_as_json AS
SELECT t.key, json_object(
    'label_id', t.label_id, 'name', t.name, 'color', t.color, 'icon', t.icon, 'description', t.description,
    'extra', json(t.extra)) AS document
FROM labels AS t;

CREATE VIEW areas_as_json AS
SELECT t.key, json_object(
    'area_id', t.area_id, 'name', t.name, 'floor_id', t.floor_id, 'icon', t.icon, 'picture', t.picture,
    'aliases', json(t.aliases), 'labels', json(t.labels), 'temperature_entity_id', t.temperature_entity_id,
    'humidity_entity_id', t.humidity_entity_id, 'extra', json(t.extra)) AS document
FROM areas AS t;

CREATE VIEW config_entries_as_json AS
SELECT t.key, json_object(
    'entry_id', t.entry_id, 'domain', t.domain, 'title', t.title, 'state', t.state, 'reason', t.reason,
    'source', t.source, 'disabled_by', t.disabled_by,
    'pref_disable_new_entities', json(CASE WHEN t.pref_disable_new_entities THEN 'true' WHEN NOT t.pref_disable_new_entities THEN 'false' END),
    'pref_disable_polling', json(CASE WHEN t.pref_disable_polling THEN 'true' WHEN NOT t.pref_disable_polling THEN 'false' END),
    'num_subentries', t.num_subentries, 'version', t.version, 'minor_version', t.minor_version) AS document
FROM config_entries AS t;

CREATE VIEW devices_as_json AS
SELECT t.key, json_object(
    'device_id', t.device_id,
    'name', coalesce(nullif(t.name_by_user, ''), nullif(t.name, ''), nullif(t.model, ''), t.device_id),
    'manufacturer', t.effective_manufacturer, 'model', t.effective_model, 'model_id', t.model_id,
    'area_id', (SELECT a.area_id FROM areas AS a WHERE a.key = t.area_key),
    'integration', t.effective_integration, 'sw_version', t.sw_version, 'hw_version', t.hw_version,
    'serial_number', t.serial_number, 'entry_type', t.entry_type, 'configuration_url', t.configuration_url,
    'disabled', json(iif(t.disabled, 'true', 'false')), 'disabled_by', t.disabled_by,
    'labels', json(t.labels), 'via_device_id', t.via_device_id, 'parent_device_id', t.parent_device_id,
    'name_by_user', t.name_by_user, 'original_name', t.name, 'own_area_id', t.area_id,
    'identifiers', json(t.identifiers), 'connections', json(t.connections),
    'config_entry_id', t.config_entry_id, 'config_subentry_id', t.config_subentry_id,
    'config_entries', json(t.config_entries),
    'config_entries_subentries', json(t.config_entries_subentries),
    'primary_config_entry', t.primary_config_entry, 'composite_device_id', t.composite_device_id,
    'composite_primary_config_entry', t.composite_primary_config_entry,
    'has_composite_identifiers', json(CASE WHEN t.has_composite_identifiers THEN 'true' WHEN NOT t.has_composite_identifiers THEN 'false' END),
    'split_at', t.split_at, 'extra', json(t.extra)) AS document
FROM devices AS t;

CREATE VIEW entities_as_json AS
SELECT t.key, json_object(
    'entity_id', t.entity_id, 'name', t.effective_name, 'domain', t.domain, 'platform', t.platform,
    'device_id', t.device_id, 'area_id', (SELECT a.area_id FROM areas AS a WHERE a.key = t.area_key),
    'device_class', t.effective_device_class, 'entity_category', t.entity_category,
    'unit_of_measurement', t.unit_of_measurement, 'icon', coalesce(t.icon, t.original_icon),
    'disabled', json(iif(t.disabled, 'true', 'false')), 'disabled_by', t.disabled_by,
    'hidden_by', t.hidden_by, 'labels', json(t.labels), 'aliases', json(t.aliases),
    'aliases_v2', json(t.aliases_v2), 'name_by_user', t.name, 'original_name', t.original_name,
    'has_entity_name', json(iif(t.has_entity_name, 'true', 'false')), 'own_area_id', t.area_id,
    'original_device_class', t.original_device_class, 'original_icon', t.original_icon,
    'translation_key', t.translation_key, 'supported_features', t.supported_features,
    'capabilities', json(t.capabilities), 'categories', json(t.categories), 'options', json(t.options),
    'registry_id', t.registry_id, 'unique_id', t.unique_id, 'previous_unique_id', t.previous_unique_id,
    'config_entry_id', t.config_entry_id, 'config_subentry_id', t.config_subentry_id,
    'object_id_base', t.object_id_base, 'suggested_object_id', t.suggested_object_id, 'extra', json(t.extra)) AS document
FROM entities AS t;

CREATE VIEW entities_as_values AS
SELECT t.key, json_array(
    t.entity_id, t.effective_name, t.domain, t.platform, t.device_id,
    (SELECT a.area_id FROM areas AS a WHERE a.key = t.area_key), t.effective_device_class,
    t.entity_category, t.unit_of_measurement, coalesce(t.icon, t.original_icon), t.disabled, t.disabled_by,
    t.hidden_by, t.labels, t.aliases, t.aliases_v2, t.name, t.original_name, t.has_entity_name, t.area_id,
    t.original_device_class, t.original_icon, t.translation_key, t.supported_features, t.capabilities,
    t.categories, t.options, t.registry_id, t.unique_id, t.previous_unique_id, t.config_entry_id,
    t.config_subentry_id, t.object_id_base, t.suggested_object_id, t.extra) AS list
FROM entities AS t;

CREATE VIEW changes_view AS
SELECT c.seq, c.at, c.kind, c.id, c.action,
       CASE WHEN c.kind <> 'entity' THEN c.before WHEN c.before IS NOT NULL THEN json_object(
         'entity_id', c.before ->> 0, 'name', c.before ->> 1, 'domain', c.before ->> 2,
         'platform', c.before ->> 3, 'device_id', c.before ->> 4, 'area_id', c.before ->> 5,
         'device_class', c.before ->> 6, 'entity_category', c.before ->> 7,
         'unit_of_measurement', c.before ->> 8, 'icon', c.before ->> 9,
         'disabled', json(iif(c.before ->> 10, 'true', 'false')), 'disabled_by', c.before ->> 11,
         'hidden_by', c.before ->> 12, 'labels', json(c.before ->> 13), 'aliases', json(c.before ->> 14),
         'aliases_v2', json(c.before ->> 15), 'name_by_user', c.before ->> 16,
         'original_name', c.before ->> 17, 'has_entity_name', json(iif(c.before ->> 18, 'true', 'false')),
         'own_area_id', c.before ->> 19, 'original_device_class', c.before ->> 20,
         'original_icon', c.before ->> 21, 'translation_key', c.before ->> 22,
         'supported_features', c.before ->> 23, 'capabilities', json(c.before ->> 24),
         'categories', json(c.before ->> 25), 'options', json(c.before ->> 26),
         'registry_id', c.before ->> 27, 'unique_id', c.before ->> 28,
         'previous_unique_id', c.before ->> 29, 'config_entry_id', c.before ->> 30,
         'config_subentry_id', c.before ->> 31, 'object_id_base', c.before ->> 32,
         'suggested_object_id', c.before ->> 33, 'extra', json(c.before ->> 34)) END AS "before",
       CASE WHEN c.kind <> 'entity' THEN c.after WHEN c.action <> 'deleted' THEN (
         SELECT json_object(
           'entity_id', j.list ->> 0, 'name', j.list ->> 1, 'domain', j.list ->> 2,
           'platform', j.list ->> 3, 'device_id', j.list ->> 4, 'area_id', j.list ->> 5,
           'device_class', j.list ->> 6, 'entity_category', j.list ->> 7,
           'unit_of_measurement', j.list ->> 8, 'icon', j.list ->> 9,
           'disabled', json(iif(j.list ->> 10, 'true', 'false')), 'disabled_by', j.list ->> 11,
           'hidden_by', j.list ->> 12, 'labels', json(j.list ->> 13), 'aliases', json(j.list ->> 14),
           'aliases_v2', json(j.list ->> 15), 'name_by_user', j.list ->> 16, 'original_name', j.list ->> 17,
           'has_entity_name', json(iif(j.list ->> 18, 'true', 'false')), 'own_area_id', j.list ->> 19,
           'original_device_class', j.list ->> 20, 'original_icon', j.list ->> 21,
           'translation_key', j.list ->> 22, 'supported_features', j.list ->> 23,
           'capabilities', json(j.list ->> 24), 'categories', json(j.list ->> 25),
           'options', json(j.list ->> 26), 'registry_id', j.list ->> 27, 'unique_id', j.list ->> 28,
           'previous_unique_id', j.list ->> 29, 'config_entry_id', j.list ->> 30,
           'config_subentry_id', j.list ->> 31, 'object_id_base', j.list ->> 32,
           'suggested_object_id', j.list ->> 33, 'extra', json(j.list ->> 34))
         FROM (
           SELECT coalesce(
             (SELECT n.before FROM changes AS n WHERE n.key = c.key AND n.kind = 'entity' AND n.seq > c.seq ORDER BY n.seq LIMIT 1),
             (SELECT v.list FROM entities_as_values AS v WHERE v.key = c.key)) AS list
           LIMIT 1
         ) AS j) END AS "after"
FROM changes AS c;

CREATE TRIGGER floors_keep_id BEFORE UPDATE OF floor_id ON floors
WHEN NEW.floor_id <> OLD.floor_id
BEGIN
  SELECT raise(ABORT, 'floor_id identifies the floor and cannot change');
END;

CREATE TRIGGER areas_keep_id BEFORE UPDATE OF area_id ON areas
WHEN NEW.area_id <> OLD.area_id
BEGIN
  SELECT raise(ABORT, 'area_id identifies the area and cannot change');
END;

CREATE TRIGGER labels_keep_id BEFORE UPDATE OF label_id ON labels
WHEN NEW.label_id <> OLD.label_id
BEGIN
  SELECT raise(ABORT, 'label_id identifies the label and cannot change');
END;

CREATE TRIGGER config_entries_keep_id BEFORE UPDATE OF entry_id ON config_entries
WHEN NEW.entry_id <> OLD.entry_id
BEGIN
  SELECT raise(ABORT, 'entry_id identifies the config entry and cannot change');
END;

CREATE TRIGGER devices_keep_id BEFORE UPDATE OF device_id ON devices
WHEN NEW.device_id <> OLD.device_id
BEGIN
  SELECT raise(ABORT, 'device_id identifies the device and cannot change');
END;

CREATE TRIGGER floors_inserted AFTER INSERT ON floors
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('floor', NEW.key, NEW.floor_id, 'created', (SELECT j.document FROM floors_as_json AS j WHERE j.key = NEW.key));
END;

CREATE TRIGGER floors_updated AFTER UPDATE OF
  name, level, icon, aliases, extra ON floors
BEGIN
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'floor', NEW.key, NEW.floor_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'floor_id', OLD.floor_id, 'name', OLD.name, 'level', OLD.level, 'icon', OLD.icon,
      'aliases', json(OLD.aliases), 'extra', json(OLD.extra)) AS previous,
      (SELECT j.document FROM floors_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
END;

CREATE TRIGGER floors_deleted BEFORE DELETE ON floors
BEGIN
  UPDATE areas SET floor_id = NULL WHERE floor_key = OLD.key;
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'floor', j.key, OLD.floor_id, 'deleted', j.document FROM floors_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER labels_inserted AFTER INSERT ON labels
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('label', NEW.key, NEW.label_id, 'created', (SELECT j.document FROM labels_as_json AS j WHERE j.key = NEW.key));
END;

CREATE TRIGGER labels_updated AFTER UPDATE OF
  name, color, icon, description, extra ON labels
BEGIN
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'label', NEW.key, NEW.label_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'label_id', OLD.label_id, 'name', OLD.name, 'color', OLD.color, 'icon', OLD.icon,
      'description', OLD.description, 'extra', json(OLD.extra)) AS previous,
      (SELECT j.document FROM labels_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
END;

CREATE TRIGGER labels_deleted BEFORE DELETE ON labels
BEGIN
  UPDATE areas SET labels = (SELECT json_group_array(j.value) FROM json_each(areas.labels) AS j WHERE j.value <> OLD.label_id)
  WHERE key IN (SELECT area_key FROM area_labels WHERE label_key = OLD.key);
  UPDATE devices SET labels = (SELECT json_group_array(j.value) FROM json_each(devices.labels) AS j WHERE j.value <> OLD.label_id)
  WHERE key IN (SELECT device_key FROM device_labels WHERE label_key = OLD.key);
  UPDATE entities SET labels = (SELECT json_group_array(j.value) FROM json_each(entities.labels) AS j WHERE j.value <> OLD.label_id)
  WHERE key IN (SELECT entity_key FROM entity_labels WHERE label_key = OLD.key);
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'label', j.key, OLD.label_id, 'deleted', j.document FROM labels_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER areas_inserted AFTER INSERT ON areas
BEGIN
  INSERT INTO floors (floor_id, name)
  SELECT NEW.floor_id, NEW.floor_id
  WHERE NEW.floor_id <> '' AND NOT EXISTS (SELECT 1 FROM floors WHERE floor_id = NEW.floor_id);
  UPDATE areas SET floor_key = (SELECT f.key FROM floors AS f WHERE f.floor_id = NEW.floor_id) WHERE key = NEW.key;
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('area', NEW.key, NEW.area_id, 'created', (SELECT j.document FROM areas_as_json AS j WHERE j.key = NEW.key));
END;

CREATE TRIGGER areas_updated AFTER UPDATE OF
  name, floor_id, icon, picture, temperature_entity_id, humidity_entity_id, aliases, labels, extra ON areas
BEGIN
  INSERT INTO floors (floor_id, name)
  SELECT NEW.floor_id, NEW.floor_id
  WHERE NEW.floor_id IS NOT OLD.floor_id AND NEW.floor_id <> '' AND NOT EXISTS (SELECT 1 FROM floors WHERE floor_id = NEW.floor_id);
  UPDATE areas SET floor_key = (SELECT f.key FROM floors AS f WHERE f.floor_id = NEW.floor_id) WHERE key = NEW.key AND NEW.floor_id IS NOT OLD.floor_id;
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'area', NEW.key, NEW.area_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'area_id', OLD.area_id, 'name', OLD.name, 'floor_id', OLD.floor_id, 'icon', OLD.icon,
      'picture', OLD.picture, 'aliases', json(OLD.aliases), 'labels', json(OLD.labels),
      'temperature_entity_id', OLD.temperature_entity_id, 'humidity_entity_id', OLD.humidity_entity_id,
      'extra', json(OLD.extra)) AS previous,
      (SELECT j.document FROM areas_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
END;

CREATE TRIGGER areas_deleted BEFORE DELETE ON areas
BEGIN
  DELETE FROM area_labels WHERE area_key = OLD.key;
  UPDATE devices SET area_id = NULL WHERE area_key = OLD.key AND area_id = OLD.area_id;
  UPDATE entities SET area_id = NULL WHERE area_key = OLD.key AND area_id = OLD.area_id;
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'area', j.key, OLD.area_id, 'deleted', j.document FROM areas_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER config_entries_updated AFTER UPDATE OF
  domain, title, source, state, reason, disabled_by, pref_disable_new_entities, pref_disable_polling,
  num_subentries, version, minor_version ON config_entries
BEGIN
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'config_entry', NEW.key, NEW.entry_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'entry_id', OLD.entry_id, 'domain', OLD.domain, 'title', OLD.title, 'state', OLD.state,
      'reason', OLD.reason, 'source', OLD.source, 'disabled_by', OLD.disabled_by,
      'pref_disable_new_entities', json(CASE WHEN OLD.pref_disable_new_entities THEN 'true' WHEN NOT OLD.pref_disable_new_entities THEN 'false' END),
      'pref_disable_polling', json(CASE WHEN OLD.pref_disable_polling THEN 'true' WHEN NOT OLD.pref_disable_polling THEN 'false' END),
      'num_subentries', OLD.num_subentries, 'version', OLD.version, 'minor_version', OLD.minor_version) AS previous,
      (SELECT j.document FROM config_entries_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
  UPDATE devices SET effective_integration = NEW.domain, updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key = NEW.key AND NEW.domain <> OLD.domain;
END;

CREATE TRIGGER config_entries_logged BEFORE DELETE ON config_entries
BEGIN
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'config_entry', j.key, OLD.entry_id, 'deleted', j.document FROM config_entries_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER devices_moved AFTER UPDATE OF updated_at ON devices
WHEN (NEW.area_key, NEW.effective_manufacturer, NEW.effective_integration)
  IS NOT (OLD.area_key, OLD.effective_manufacturer, OLD.effective_integration)
BEGIN
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'device', NEW.key, NEW.device_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'device_id', OLD.device_id,
      'name', coalesce(nullif(OLD.name_by_user, ''), nullif(OLD.name, ''), nullif(OLD.model, ''), OLD.device_id),
      'manufacturer', OLD.effective_manufacturer, 'model', OLD.effective_model, 'model_id', OLD.model_id,
      'area_id', (SELECT a.area_id FROM areas AS a WHERE a.key = OLD.area_key),
      'integration', OLD.effective_integration, 'sw_version', OLD.sw_version, 'hw_version', OLD.hw_version,
      'serial_number', OLD.serial_number, 'entry_type', OLD.entry_type,
      'configuration_url', OLD.configuration_url, 'disabled', json(iif(OLD.disabled, 'true', 'false')),
      'disabled_by', OLD.disabled_by, 'labels', json(OLD.labels), 'via_device_id', OLD.via_device_id,
      'parent_device_id', OLD.parent_device_id, 'name_by_user', OLD.name_by_user, 'original_name', OLD.name,
      'own_area_id', OLD.area_id, 'identifiers', json(OLD.identifiers),
      'connections', json(OLD.connections), 'config_entry_id', OLD.config_entry_id,
      'config_subentry_id', OLD.config_subentry_id, 'config_entries', json(OLD.config_entries),
      'config_entries_subentries', json(OLD.config_entries_subentries),
      'primary_config_entry', OLD.primary_config_entry, 'composite_device_id', OLD.composite_device_id,
      'composite_primary_config_entry', OLD.composite_primary_config_entry,
      'has_composite_identifiers', json(CASE WHEN OLD.has_composite_identifiers THEN 'true' WHEN NOT OLD.has_composite_identifiers THEN 'false' END),
      'split_at', OLD.split_at, 'extra', json(OLD.extra)) AS previous,
      (SELECT j.document FROM devices_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
END;

CREATE TRIGGER devices_named AFTER UPDATE OF name, name_by_user ON devices
WHEN (NEW.name, NEW.name_by_user) IS NOT (OLD.name, OLD.name_by_user)
BEGIN
  UPDATE entities SET device_name = (SELECT r.device_name FROM entities_resolved AS r WHERE r.key = entities.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = NEW.key;
END;

CREATE TRIGGER devices_logged BEFORE DELETE ON devices
BEGIN
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'device', j.key, OLD.device_id, 'deleted', j.document FROM devices_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER entities_moving BEFORE UPDATE OF area_id ON entities
WHEN NEW.area_id IS NOT OLD.area_id AND NEW.area_id <> ''
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id WHERE NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
END;

CREATE TRIGGER entities_renamed AFTER UPDATE OF entity_id ON entities
WHEN NEW.entity_id <> OLD.entity_id AND OLD.entity_id < '~'
BEGIN
  INSERT INTO entity_aliases (entity_id, entity_key, valid_from, valid_until)
  SELECT OLD.entity_id, NEW.key, coalesce((SELECT max(a.valid_until) FROM entity_aliases AS a WHERE a.entity_key = NEW.key), OLD.created_at), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now');
END;

CREATE TRIGGER entities_logged BEFORE DELETE ON entities
BEGIN
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'entity', v.key, OLD.entity_id, 'deleted', v.list FROM entities_as_values AS v WHERE v.key = OLD.key;
END;

CREATE TRIGGER entities_deleted AFTER DELETE ON entities
BEGIN
  DELETE FROM entity_labels WHERE entity_key = OLD.key;
  DELETE FROM entity_aliases WHERE entity_key = OLD.key;
END;

CREATE TRIGGER areas_labelled_first AFTER INSERT ON areas
WHEN NEW.labels <> '[]'
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM area_labels
  WHERE area_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO area_labels (label_key, area_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM area_labels AS k WHERE k.label_key = l.key AND k.area_key = NEW.key);
END;

CREATE TRIGGER areas_labelled AFTER UPDATE OF labels ON areas
WHEN NEW.labels <> OLD.labels
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM area_labels
  WHERE area_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO area_labels (label_key, area_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM area_labels AS k WHERE k.label_key = l.key AND k.area_key = NEW.key);
END;

CREATE TRIGGER devices_labelled_first AFTER INSERT ON devices
WHEN NEW.labels <> '[]'
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM device_labels
  WHERE device_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO device_labels (label_key, device_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM device_labels AS k WHERE k.label_key = l.key AND k.device_key = NEW.key);
END;

CREATE TRIGGER devices_labelled AFTER UPDATE OF labels ON devices
WHEN NEW.labels <> OLD.labels
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM device_labels
  WHERE device_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO device_labels (label_key, device_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM device_labels AS k WHERE k.label_key = l.key AND k.device_key = NEW.key);
END;

CREATE TRIGGER entities_labelled_first AFTER INSERT ON entities
WHEN NEW.labels <> '[]'
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM entity_labels
  WHERE entity_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO entity_labels (label_key, entity_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM entity_labels AS k WHERE k.label_key = l.key AND k.entity_key = NEW.key);
END;

CREATE TRIGGER entities_labelled AFTER UPDATE OF labels ON entities
WHEN NEW.labels <> OLD.labels
BEGIN
  INSERT INTO labels (label_id, name)
  SELECT DISTINCT j.value, j.value FROM json_each(NEW.labels) AS j
  WHERE j.value <> '' AND NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.label_id = j.value);
  DELETE FROM entity_labels
  WHERE entity_key = NEW.key
    AND label_key NOT IN (SELECT l.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value);
  INSERT INTO entity_labels (label_key, entity_key)
  SELECT DISTINCT l.key, NEW.key FROM labels AS l JOIN json_each(NEW.labels) AS j ON l.label_id = j.value
  WHERE NOT EXISTS (SELECT 1 FROM entity_labels AS k WHERE k.label_key = l.key AND k.entity_key = NEW.key);
END;

CREATE TRIGGER floors_stamped AFTER UPDATE OF
  name, level, icon, aliases, extra ON floors
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE floors SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE TRIGGER labels_stamped AFTER UPDATE OF
  name, color, icon, description, extra ON labels
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE labels SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE TRIGGER areas_stamped AFTER UPDATE OF
  name, floor_id, icon, picture, temperature_entity_id, humidity_entity_id, aliases, labels, extra ON areas
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE areas SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE TRIGGER config_entries_stamped AFTER UPDATE OF
  domain, title, source, state, reason, disabled_by, pref_disable_new_entities, pref_disable_polling,
  num_subentries, version, minor_version ON config_entries
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE config_entries SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE TRIGGER devices_stamped AFTER UPDATE OF
  name, name_by_user, manufacturer, model, model_id, hw_version, sw_version, serial_number, entry_type,
  configuration_url, disabled_by, area_id, via_device_id, parent_device_id, config_entry_id,
  config_subentry_id, primary_config_entry, composite_device_id, composite_primary_config_entry,
  has_composite_identifiers, split_at, integration, labels, identifiers, connections, config_entries,
  config_entries_subentries, extra ON devices
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE devices SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE TRIGGER entities_stamped AFTER UPDATE OF
  entity_id, registry_id, platform, unique_id, previous_unique_id, name, original_name, has_entity_name,
  object_id_base, suggested_object_id, translation_key, icon, original_icon, device_class,
  original_device_class, unit_of_measurement, supported_features, entity_category, disabled_by, hidden_by,
  device_id, area_id, config_entry_id, config_subentry_id, labels, aliases, aliases_v2, categories,
  capabilities, options, extra ON entities
WHEN NEW.updated_at = OLD.updated_at
BEGIN
  UPDATE entities SET updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE key = NEW.key;
END;

CREATE VIEW floors_view AS
SELECT f.key, f.floor_id, f.name, f.level, f.icon, f.aliases,
       CAST((SELECT count(*) FROM areas AS a WHERE a.floor_key = f.key) AS INTEGER) AS area_count,
       f.extra, f.created_at, f.modified_at, f.updated_at
FROM floors AS f;

CREATE VIEW labels_view AS
SELECT l.key, l.label_id, l.name, l.color, l.icon, l.description,
       CAST((SELECT count(*) FROM area_labels AS k WHERE k.label_key = l.key) AS INTEGER) AS area_count,
       CAST((SELECT count(*) FROM device_labels AS k WHERE k.label_key = l.key) AS INTEGER) AS device_count,
       CAST((SELECT count(*) FROM entity_labels AS k WHERE k.label_key = l.key) AS INTEGER) AS entity_count,
       l.extra, l.created_at, l.modified_at, l.updated_at
FROM labels AS l;

CREATE VIEW areas_view AS
SELECT a.key, a.area_id, a.name, a.floor_id, f.name AS floor_name, a.icon, a.picture, a.aliases, a.labels,
       a.temperature_entity_id, a.humidity_entity_id,
       CAST((SELECT count(*) FROM devices AS d WHERE d.area_key = a.key) AS INTEGER) AS device_count,
       CAST((SELECT count(*) FROM entities AS e WHERE e.area_key = a.key) AS INTEGER) AS entity_count,
       a.extra, a.created_at, a.modified_at, a.updated_at
FROM areas AS a
LEFT JOIN floors AS f ON f.key = a.floor_key;

CREATE VIEW config_entries_view AS
SELECT c.key, c.entry_id, c.domain, c.title, c.state, c.reason, c.source, c.disabled_by,
       c.pref_disable_new_entities, c.pref_disable_polling, c.num_subentries, c.version, c.minor_version,
       CAST((SELECT count(*) FROM devices AS d WHERE d.config_entry_key = c.key) AS INTEGER) AS device_count,
       CAST((SELECT count(*) FROM entities AS e WHERE e.config_entry_key = c.key) AS INTEGER) AS entity_count,
       c.created_at, c.modified_at, c.updated_at, c.updated_at AS timestamp
FROM config_entries AS c;

CREATE VIEW devices_view AS
SELECT d.key, d.device_id,
       CAST(coalesce(nullif(d.name_by_user, ''), nullif(d.name, ''), nullif(d.model, ''), d.device_id) AS TEXT) AS name,
       d.effective_manufacturer AS manufacturer, d.effective_model AS model, d.model_id,
       a.area_id, a.name AS area_name, a.floor_id,
       d.effective_integration AS integration,
       CAST((SELECT count(*) FROM entities AS e WHERE e.device_key = d.key) AS INTEGER) AS entity_count,
       d.sw_version, d.hw_version, d.serial_number, d.entry_type, d.configuration_url,
       d.disabled, d.disabled_by, d.labels, d.via_device_id, d.parent_device_id,
       d.name_by_user, d.name AS original_name, d.area_id AS own_area_id,
       d.identifiers, d.connections,
       d.config_entry_id, d.config_subentry_id, d.config_entries, d.config_entries_subentries, d.primary_config_entry,
       d.composite_device_id, d.composite_primary_config_entry, d.has_composite_identifiers, d.split_at,
       d.extra, d.created_at, d.modified_at, d.updated_at, d.updated_at AS timestamp
FROM devices AS d
LEFT JOIN areas AS a ON a.key = d.area_key;

CREATE VIEW entities_view AS
SELECT e.key, e.entity_id, e.effective_name AS name, e.domain, e.platform, e.device_id,
       a.area_id, a.name AS area_name, a.floor_id,
       e.effective_device_class AS device_class, e.entity_category, e.unit_of_measurement,
       coalesce(e.icon, e.original_icon) AS icon,
       e.disabled, e.disabled_by, e.hidden_by, e.labels, e.aliases, e.aliases_v2,
       e.name AS name_by_user, e.original_name, e.has_entity_name, e.area_id AS own_area_id,
       e.original_device_class, e.original_icon, e.translation_key, e.supported_features, e.capabilities,
       e.categories, e.options,
       e.registry_id, e.unique_id, e.previous_unique_id, e.config_entry_id, e.config_subentry_id,
       e.object_id_base, e.suggested_object_id,
       e.extra, e.created_at, e.modified_at, e.updated_at, e.updated_at AS timestamp
FROM entities AS e
LEFT JOIN areas AS a ON a.key = e.area_key;

CREATE TABLE preferences (
  key        INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id    TEXT    NOT NULL UNIQUE,
  document   JSON    NOT NULL CHECK (json_type(document) = 'object'),
  created_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
  updated_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
);

CREATE TABLE preference_defaults (
  document       JSON NOT NULL,
  teams_taken_at TEXT
);

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
  updated_at       TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')), states_since TEXT NOT NULL DEFAULT '',
  CHECK ((reason IS NULL) = (status = 'active'))
);

CREATE VIEW webhooks_view AS
SELECT w.webhook_id AS id, w.url, w.events, w.filter, w.team, w.status, w.reason, w.old_secret_until,
       w.created_at, w.updated_at
FROM webhooks AS w;

CREATE VIEW ha_webhooks_view AS
SELECT w.webhook_id AS id, w.url AS webhook_url, w.team, w.events, w.created_at, w.status
FROM webhooks AS w;

CREATE VIEW webhook_targets AS
SELECT w.webhook_id, w.url, w.events, w.filter, w.status, w.secret,
       coalesce(w.old_secret, '') AS old_secret, coalesce(w.old_secret_until, '') AS old_secret_until,
       w.since, w.active_since
FROM webhooks AS w;

CREATE VIEW registry_rows AS
SELECT 'floors' AS kind, f.key, f.floor_id AS id, f.listed FROM floors AS f
UNION ALL
SELECT 'labels', l.key, l.label_id, l.listed FROM labels AS l
UNION ALL
SELECT 'areas', a.key, a.area_id, a.listed FROM areas AS a
UNION ALL
SELECT 'config_entries', c.key, c.entry_id, TRUE FROM config_entries AS c
UNION ALL
SELECT 'devices', d.key, d.device_id, TRUE FROM devices AS d
UNION ALL
SELECT 'entities', e.key, e.entity_id, TRUE FROM entities AS e;

CREATE VIEW unresolved_view AS
SELECT 'floors' AS kind, f.floor_id AS id FROM floors AS f WHERE NOT f.listed AND f.name = f.floor_id
UNION ALL
SELECT 'labels', l.label_id FROM labels AS l WHERE NOT l.listed AND l.name = l.label_id
UNION ALL
SELECT 'areas', a.area_id FROM areas AS a WHERE NOT a.listed AND a.name = a.area_id
UNION ALL
SELECT 'config_entries', r.id
FROM (
  SELECT e.config_entry_id AS id FROM entities AS e WHERE e.config_entry_key IS NULL AND e.config_entry_id IS NOT NULL
  UNION
  SELECT d.config_entry_id FROM devices AS d
  UNION
  SELECT d.primary_config_entry FROM devices AS d
  UNION
  SELECT j.value FROM devices AS d JOIN json_each(d.config_entries) AS j
) AS r
WHERE r.id <> '' AND NOT EXISTS (SELECT 1 FROM config_entries AS c WHERE c.entry_id = r.id)
UNION ALL
SELECT 'devices', r.id
FROM (
  SELECT e.device_id AS id FROM entities AS e WHERE e.device_key IS NULL AND e.device_id IS NOT NULL
  UNION
  SELECT d.via_device_id FROM devices AS d WHERE d.via_device_key IS NULL AND d.via_device_id IS NOT NULL
  UNION
  SELECT d.parent_device_id FROM devices AS d WHERE d.parent_device_key IS NULL AND d.parent_device_id IS NOT NULL
) AS r
WHERE r.id <> '' AND NOT EXISTS (SELECT 1 FROM devices AS d WHERE d.device_id = r.id)
UNION ALL
SELECT 'entities', r.id
FROM (
  SELECT a.temperature_entity_id AS id FROM areas AS a
  UNION
  SELECT a.humidity_entity_id FROM areas AS a
) AS r
WHERE r.id <> '' AND NOT EXISTS (SELECT 1 FROM entities AS e WHERE e.entity_id = r.id);

CREATE TABLE search_kinds (
  kind  TEXT    PRIMARY KEY,
  first INTEGER NOT NULL
);

CREATE TABLE search_dirty (id INTEGER PRIMARY KEY);

CREATE TABLE search_text (
  id    INTEGER PRIMARY KEY,
  names TEXT NOT NULL,
  ids   TEXT NOT NULL,
  more  TEXT NOT NULL
);

CREATE TRIGGER search_text_inserted AFTER INSERT ON search_text
BEGIN
  INSERT INTO search (rowid, names, ids, more) VALUES (NEW.id, NEW.names, NEW.ids, NEW.more);
END;

CREATE TRIGGER search_text_updated AFTER UPDATE ON search_text
BEGIN
  INSERT INTO search (search, rowid, names, ids, more) VALUES ('delete', OLD.id, OLD.names, OLD.ids, OLD.more);
  INSERT INTO search (rowid, names, ids, more) VALUES (NEW.id, NEW.names, NEW.ids, NEW.more);
END;

CREATE TRIGGER search_text_deleted AFTER DELETE ON search_text
BEGIN
  INSERT INTO search (search, rowid, names, ids, more) VALUES ('delete', OLD.id, OLD.names, OLD.ids, OLD.more);
END;

CREATE VIEW floors_as_words AS
SELECT t.key,
       t.name
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '') AS names,
       t.floor_id AS ids, '' AS more
FROM floors AS t;

CREATE VIEW areas_as_words AS
SELECT t.key,
       t.name
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '') AS names,
       t.area_id AS ids,
       coalesce((SELECT f.name FROM floors AS f WHERE f.key = t.floor_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM area_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.area_key = t.key), '') AS more
FROM areas AS t;

CREATE VIEW labels_as_words AS
SELECT t.key, t.name AS names, t.label_id AS ids, coalesce(t.description, '') AS more
FROM labels AS t;

CREATE VIEW devices_as_words AS
SELECT t.key,
       coalesce(nullif(t.name_by_user, ''), nullif(t.name, ''), nullif(t.model, ''), t.device_id) AS names,
       t.device_id AS ids,
       coalesce(t.effective_manufacturer, '')
         || ' ' || coalesce(t.effective_model, '')
         || ' ' || coalesce(t.model_id, '')
         || ' ' || coalesce(t.effective_integration, '')
         || ' ' || coalesce((SELECT a.name FROM areas AS a WHERE a.key = t.area_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM device_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.device_key = t.key), '') AS more
FROM devices AS t;

CREATE VIEW entities_as_words AS
SELECT t.key,
       coalesce(t.effective_name, '')
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '')
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases_v2) AS j), '') AS names,
       t.entity_id AS ids,
       coalesce((SELECT a.name FROM areas AS a WHERE a.key = t.area_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM entity_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.entity_key = t.key), '') AS more
FROM entities AS t;

CREATE VIEW config_entries_as_words AS
SELECT t.key, t.title AS names, t.entry_id AS ids, t.domain AS more
FROM config_entries AS t;

CREATE TRIGGER floors_found_first AFTER INSERT ON floors
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + NEW.key);
END;

CREATE TRIGGER floors_found AFTER UPDATE OF name, aliases ON floors
WHEN (NEW.name, NEW.aliases) IS NOT (OLD.name, OLD.aliases)
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 1099511627776 + t.key FROM areas AS t WHERE t.floor_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + t.key);
END;

CREATE TRIGGER floors_lost AFTER DELETE ON floors
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + OLD.key);
END;

CREATE TRIGGER areas_found_first AFTER INSERT ON areas
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.key);
END;

CREATE TRIGGER areas_found AFTER UPDATE OF name, aliases, floor_key ON areas
WHEN (NEW.name, NEW.aliases, NEW.floor_key) IS NOT (OLD.name, OLD.aliases, OLD.floor_key)
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 3298534883328 + t.key FROM devices AS t WHERE t.area_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + t.key);
  INSERT INTO search_dirty (id) SELECT 4398046511104 + t.key FROM entities AS t WHERE t.area_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + t.key);
END;

CREATE TRIGGER areas_lost AFTER DELETE ON areas
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + OLD.key);
END;

CREATE TRIGGER labels_found_first AFTER INSERT ON labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + NEW.key);
END;

CREATE TRIGGER labels_found AFTER UPDATE OF name, description ON labels
WHEN (NEW.name, NEW.description) IS NOT (OLD.name, OLD.description)
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 1099511627776 + t.area_key FROM area_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + t.area_key);
  INSERT INTO search_dirty (id) SELECT 3298534883328 + t.device_key FROM device_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + t.device_key);
  INSERT INTO search_dirty (id) SELECT 4398046511104 + t.entity_key FROM entity_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + t.entity_key);
END;

CREATE TRIGGER labels_lost AFTER DELETE ON labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + OLD.key);
END;

CREATE TRIGGER devices_found_first AFTER INSERT ON devices
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.key);
END;

CREATE TRIGGER devices_found AFTER UPDATE OF name, name_by_user, model, model_id, effective_manufacturer, effective_integration, area_key ON devices
WHEN (NEW.name, NEW.name_by_user, NEW.model, NEW.model_id, NEW.effective_manufacturer, NEW.effective_integration, NEW.area_key, NEW.effective_model) IS NOT (OLD.name, OLD.name_by_user, OLD.model, OLD.model_id, OLD.effective_manufacturer, OLD.effective_integration, OLD.area_key, OLD.effective_model)
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.key);
END;

CREATE TRIGGER devices_lost AFTER DELETE ON devices
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + OLD.key);
END;

CREATE TRIGGER entities_found_first AFTER INSERT ON entities
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.key);
END;

CREATE TRIGGER entities_found AFTER UPDATE OF entity_id, name, original_name, has_entity_name, device_name, aliases, aliases_v2, area_key ON entities
WHEN (NEW.entity_id, NEW.effective_name, NEW.aliases, NEW.aliases_v2, NEW.area_key) IS NOT (OLD.entity_id, OLD.effective_name, OLD.aliases, OLD.aliases_v2, OLD.area_key)
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.key);
END;

CREATE TRIGGER entities_lost AFTER DELETE ON entities
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + OLD.key);
END;

CREATE TRIGGER config_entries_found_first AFTER INSERT ON config_entries
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + NEW.key);
END;

CREATE TRIGGER config_entries_found AFTER UPDATE OF title, domain ON config_entries
WHEN (NEW.title, NEW.domain) IS NOT (OLD.title, OLD.domain)
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + NEW.key);
END;

CREATE TRIGGER config_entries_lost AFTER DELETE ON config_entries
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + OLD.key);
END;

CREATE TRIGGER area_labels_found AFTER INSERT ON area_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.area_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.area_key);
END;

CREATE TRIGGER area_labels_lost AFTER DELETE ON area_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + OLD.area_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + OLD.area_key);
END;

CREATE TRIGGER device_labels_found AFTER INSERT ON device_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.device_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.device_key);
END;

CREATE TRIGGER device_labels_lost AFTER DELETE ON device_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + OLD.device_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + OLD.device_key);
END;

CREATE TRIGGER entity_labels_found AFTER INSERT ON entity_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.entity_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.entity_key);
END;

CREATE TRIGGER entity_labels_lost AFTER DELETE ON entity_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + OLD.entity_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + OLD.entity_key);
END;

CREATE VIEW webhook_targets_view AS
SELECT t.webhook_id, t.url, t.events, t.filter, t.status, t.secret, t.old_secret, t.old_secret_until,
       t.since, w.states_since, t.active_since
FROM webhook_targets AS t
JOIN webhooks AS w ON w.webhook_id = t.webhook_id;

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

CREATE VIEW api_keys_view AS
SELECT k.key_id AS id, k.name, k.starts_with, k.scopes, k.created_at, k.expires_at, k.last_used_at
FROM api_keys AS k;

CREATE VIRTUAL TABLE search USING fts5(names, ids, more, content='search_text', content_rowid='id', tokenize='ascii', prefix='1 2', columnsize=0);

CREATE TABLE 'search_data'(id INTEGER PRIMARY KEY, block BLOB);

CREATE TABLE 'search_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;

CREATE TABLE 'search_config'(k PRIMARY KEY, v) WITHOUT ROWID;
CREATE INDEX devices_by_floor          ON devices (floor_key, device_id) WHERE floor_key IS NOT NULL;
CREATE INDEX entities_by_floor         ON entities (floor_key, entity_id) WHERE floor_key IS NOT NULL;
CREATE INDEX entities_by_manufacturer  ON entities (device_manufacturer, entity_id) WHERE device_manufacturer IS NOT NULL;
CREATE INDEX entities_by_model         ON entities (device_model, entity_id) WHERE device_model IS NOT NULL;
CREATE INDEX entities_by_platform_of_device ON entities (platform, device_id, device_key) WHERE device_key IS NOT NULL;
CREATE INDEX entities_by_domain_of_device   ON entities (domain, device_id, device_key) WHERE device_key IS NOT NULL;
CREATE INDEX device_labels_in_order    ON device_labels (label_key, device_id);
CREATE INDEX entity_labels_in_order    ON entity_labels (label_key, entity_id);

CREATE VIEW devices_resolved AS
SELECT d.key,
       coalesce(a.key, b.key) AS area_key,
       iif(a.key IS NULL, b.floor_key, a.floor_key) AS floor_key,
       v.key AS via_device_key,
       p.key AS parent_device_key,
       c.key AS config_entry_key,
       coalesce(d.manufacturer, p.manufacturer, 'Unknown') AS effective_manufacturer,
       coalesce(c.domain, d.integration, json_extract(d.identifiers, '$[0][0]')) AS effective_integration
FROM devices AS d
LEFT JOIN areas AS a ON a.area_id = d.area_id
LEFT JOIN devices AS v ON v.device_id = d.via_device_id
LEFT JOIN devices AS p ON p.device_id = d.parent_device_id AND p.key <> d.key
LEFT JOIN areas AS b ON b.area_id = p.area_id
LEFT JOIN config_entries AS c ON c.entry_id = d.effective_config_entry_id;

CREATE VIEW entities_resolved AS
SELECT e.key,
       d.key AS device_key,
       coalesce(a.key, d.area_key) AS area_key,
       iif(a.key IS NULL, d.floor_key, a.floor_key) AS floor_key,
       c.key AS config_entry_key,
       CAST(coalesce(nullif(d.name_by_user, ''), d.name, '') AS TEXT) AS device_name,
       d.effective_manufacturer AS device_manufacturer,
       d.effective_model AS device_model
FROM entities AS e
LEFT JOIN devices AS d ON d.device_id = e.device_id
LEFT JOIN areas AS a ON a.area_id = e.area_id
LEFT JOIN config_entries AS c ON c.entry_id = e.config_entry_id;

CREATE TRIGGER config_entries_inserted AFTER INSERT ON config_entries
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('config_entry', NEW.key, NEW.entry_id, 'created', (SELECT j.document FROM config_entries_as_json AS j WHERE j.key = NEW.key));
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key IS NULL AND effective_config_entry_id = NEW.entry_id;
  UPDATE entities SET config_entry_key = NEW.key WHERE config_entry_key IS NULL AND config_entry_id = NEW.entry_id;
END;

CREATE TRIGGER config_entries_deleted AFTER DELETE ON config_entries
BEGIN
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key = OLD.key;
  UPDATE entities SET config_entry_key = NULL WHERE config_entry_key = OLD.key;
END;

CREATE TRIGGER devices_inserted AFTER INSERT ON devices
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id
  WHERE NEW.area_id <> '' AND NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key)
  WHERE key = NEW.key;
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('device', NEW.key, NEW.device_id, 'created', (SELECT j.document FROM devices_as_json AS j WHERE j.key = NEW.key));
  UPDATE devices SET via_device_key = NEW.key WHERE via_device_key IS NULL AND via_device_id = NEW.device_id;
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key IS NULL AND parent_device_id = NEW.device_id AND key <> NEW.key;
  UPDATE entities SET (device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model) =
    (SELECT device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model FROM entities_resolved AS r WHERE r.key = entities.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key IS NULL AND device_id = NEW.device_id;
END;

CREATE TRIGGER devices_updated AFTER UPDATE OF
  name, name_by_user, manufacturer, model, model_id, hw_version, sw_version, serial_number, entry_type,
  configuration_url, disabled_by, area_id, via_device_id, parent_device_id, config_entry_id,
  config_subentry_id, primary_config_entry, composite_device_id, composite_primary_config_entry,
  has_composite_identifiers, split_at, integration, labels, identifiers, connections, config_entries,
  config_entries_subentries, extra ON devices
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id
  WHERE NEW.area_id IS NOT OLD.area_id AND NEW.area_id <> '' AND NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key)
  WHERE key = NEW.key AND (NEW.area_id, NEW.via_device_id, NEW.parent_device_id, NEW.manufacturer, NEW.config_entry_id,
     NEW.primary_config_entry, NEW.config_entries, NEW.integration, NEW.identifiers)
    IS NOT (OLD.area_id, OLD.via_device_id, OLD.parent_device_id, OLD.manufacturer, OLD.config_entry_id,
     OLD.primary_config_entry, OLD.config_entries, OLD.integration, OLD.identifiers);
  INSERT INTO changes (kind, key, id, action, before, after)
  SELECT 'device', NEW.key, NEW.device_id, 'updated', c.previous, c.present
  FROM (SELECT json_object(
      'device_id', OLD.device_id,
      'name', coalesce(nullif(OLD.name_by_user, ''), nullif(OLD.name, ''), nullif(OLD.model, ''), OLD.device_id),
      'manufacturer', OLD.effective_manufacturer, 'model', OLD.effective_model, 'model_id', OLD.model_id,
      'area_id', (SELECT a.area_id FROM areas AS a WHERE a.key = OLD.area_key),
      'integration', OLD.effective_integration, 'sw_version', OLD.sw_version, 'hw_version', OLD.hw_version,
      'serial_number', OLD.serial_number, 'entry_type', OLD.entry_type,
      'configuration_url', OLD.configuration_url, 'disabled', json(iif(OLD.disabled, 'true', 'false')),
      'disabled_by', OLD.disabled_by, 'labels', json(OLD.labels), 'via_device_id', OLD.via_device_id,
      'parent_device_id', OLD.parent_device_id, 'name_by_user', OLD.name_by_user, 'original_name', OLD.name,
      'own_area_id', OLD.area_id, 'identifiers', json(OLD.identifiers),
      'connections', json(OLD.connections), 'config_entry_id', OLD.config_entry_id,
      'config_subentry_id', OLD.config_subentry_id, 'config_entries', json(OLD.config_entries),
      'config_entries_subentries', json(OLD.config_entries_subentries),
      'primary_config_entry', OLD.primary_config_entry, 'composite_device_id', OLD.composite_device_id,
      'composite_primary_config_entry', OLD.composite_primary_config_entry,
      'has_composite_identifiers', json(CASE WHEN OLD.has_composite_identifiers THEN 'true' WHEN NOT OLD.has_composite_identifiers THEN 'false' END),
      'split_at', OLD.split_at, 'extra', json(OLD.extra)) AS previous,
      (SELECT j.document FROM devices_as_json AS j WHERE j.key = NEW.key) AS present LIMIT 1) AS c
  WHERE c.previous <> c.present;
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key = NEW.key AND (NEW.area_id, NEW.manufacturer) IS NOT (OLD.area_id, OLD.manufacturer);
END;

CREATE TRIGGER devices_placed AFTER UPDATE OF area_key ON devices
WHEN NEW.area_key IS NOT OLD.area_key
BEGIN
  UPDATE entities SET area_key = NEW.area_key, floor_key = NEW.floor_key, updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = NEW.key AND coalesce(area_id, '') = '' AND area_key IS NOT NEW.area_key;
END;

CREATE TRIGGER devices_deleted AFTER DELETE ON devices
BEGIN
  DELETE FROM device_labels WHERE device_key = OLD.key;
  UPDATE devices SET via_device_key = NULL WHERE via_device_key = OLD.key;
  UPDATE devices SET (area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, floor_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key = OLD.key;
  UPDATE entities SET (device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model) =
    (SELECT device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model FROM entities_resolved AS r WHERE r.key = entities.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = OLD.key;
END;

CREATE TRIGGER entities_inserted AFTER INSERT ON entities
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id
  WHERE NEW.area_id <> '' AND NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
  UPDATE entities SET (device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model) =
    (SELECT device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model FROM entities_resolved AS r WHERE r.key = entities.key)
  WHERE key = NEW.key;
  INSERT INTO changes (kind, key, id, action) VALUES ('entity', NEW.key, NEW.entity_id, 'created');
END;

CREATE TRIGGER entities_updated AFTER UPDATE OF
  entity_id, registry_id, platform, unique_id, previous_unique_id, name, original_name, has_entity_name,
  object_id_base, suggested_object_id, translation_key, icon, original_icon, device_class,
  original_device_class, unit_of_measurement, supported_features, entity_category, disabled_by, hidden_by,
  device_id, area_id, config_entry_id, config_subentry_id, labels, aliases, aliases_v2, categories,
  capabilities, options, extra, area_key, device_name ON entities
WHEN OLD.device_name IS NOT NULL
BEGIN
  UPDATE entities SET (device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model) =
    (SELECT device_key, area_key, floor_key, config_entry_key, device_name, device_manufacturer, device_model FROM entities_resolved AS r WHERE r.key = entities.key)
  WHERE key = NEW.key AND (NEW.device_id, NEW.area_id, NEW.config_entry_id) IS NOT (OLD.device_id, OLD.area_id, OLD.config_entry_id);
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'entity', NEW.key, NEW.entity_id, 'updated', json_array(
      OLD.entity_id, OLD.effective_name, OLD.domain, OLD.platform, OLD.device_id,
      (SELECT a.area_id FROM areas AS a WHERE a.key = OLD.area_key), OLD.effective_device_class,
      OLD.entity_category, OLD.unit_of_measurement, coalesce(OLD.icon, OLD.original_icon), OLD.disabled,
      OLD.disabled_by, OLD.hidden_by, OLD.labels, OLD.aliases, OLD.aliases_v2, OLD.name, OLD.original_name,
      OLD.has_entity_name, OLD.area_id, OLD.original_device_class, OLD.original_icon, OLD.translation_key,
      OLD.supported_features, OLD.capabilities, OLD.categories, OLD.options, OLD.registry_id, OLD.unique_id,
      OLD.previous_unique_id, OLD.config_entry_id, OLD.config_subentry_id, OLD.object_id_base,
      OLD.suggested_object_id, OLD.extra)
  FROM entities AS t
  WHERE t.key = NEW.key AND (
      t.entity_id, t.effective_name, t.domain, t.platform, t.device_id, t.area_key,
      t.effective_device_class, t.entity_category, t.unit_of_measurement, coalesce(t.icon, t.original_icon),
      t.disabled, t.disabled_by, t.hidden_by, t.labels, t.aliases, t.aliases_v2, t.name, t.original_name,
      t.has_entity_name, t.area_id, t.original_device_class, t.original_icon, t.translation_key,
      t.supported_features, t.capabilities, t.categories, t.options, t.registry_id, t.unique_id,
      t.previous_unique_id, t.config_entry_id, t.config_subentry_id, t.object_id_base,
      t.suggested_object_id, t.extra)
    IS NOT (
      OLD.entity_id, OLD.effective_name, OLD.domain, OLD.platform, OLD.device_id, OLD.area_key,
      OLD.effective_device_class, OLD.entity_category, OLD.unit_of_measurement,
      coalesce(OLD.icon, OLD.original_icon), OLD.disabled, OLD.disabled_by, OLD.hidden_by, OLD.labels,
      OLD.aliases, OLD.aliases_v2, OLD.name, OLD.original_name, OLD.has_entity_name, OLD.area_id,
      OLD.original_device_class, OLD.original_icon, OLD.translation_key, OLD.supported_features,
      OLD.capabilities, OLD.categories, OLD.options, OLD.registry_id, OLD.unique_id, OLD.previous_unique_id,
      OLD.config_entry_id, OLD.config_subentry_id, OLD.object_id_base, OLD.suggested_object_id, OLD.extra);
END;

CREATE TRIGGER devices_made AFTER UPDATE OF model, effective_manufacturer ON devices
WHEN (NEW.effective_model, NEW.effective_manufacturer) IS NOT (OLD.effective_model, OLD.effective_manufacturer)
BEGIN
  UPDATE entities SET (device_manufacturer, device_model) =
    (SELECT d.effective_manufacturer, d.effective_model FROM devices AS d WHERE d.key = NEW.key)
  WHERE device_key = NEW.key;
END;

CREATE TRIGGER areas_moved AFTER UPDATE OF floor_key ON areas
WHEN NEW.floor_key IS NOT OLD.floor_key
BEGIN
  UPDATE devices SET floor_key = NEW.floor_key WHERE area_key = NEW.key;
  UPDATE entities SET floor_key = NEW.floor_key WHERE area_key = NEW.key;
END;

CREATE TRIGGER device_labels_added AFTER INSERT ON device_labels
BEGIN
  UPDATE device_labels SET device_id = (SELECT d.device_id FROM devices AS d WHERE d.key = NEW.device_key)
  WHERE label_key = NEW.label_key AND device_key = NEW.device_key;
END;

CREATE TRIGGER entity_labels_added AFTER INSERT ON entity_labels
BEGIN
  UPDATE entity_labels SET entity_id = (SELECT e.entity_id FROM entities AS e WHERE e.key = NEW.entity_key)
  WHERE label_key = NEW.label_key AND entity_key = NEW.entity_key;
END;

CREATE TRIGGER entities_relabelled AFTER UPDATE OF entity_id ON entities
WHEN NEW.entity_id <> OLD.entity_id
BEGIN
  UPDATE entity_labels SET entity_id = NEW.entity_id WHERE entity_key = NEW.key;
END;

CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance);
CREATE INDEX search_text_by_name ON search_text (id >> 40, names);
