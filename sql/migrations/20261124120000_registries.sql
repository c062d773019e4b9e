-- The registries of a home, as Home Assistant keeps them.
--
-- Each table holds two sorts of columns. The first are the registry's own, under the registry's
-- names, word for word: a reference such as devices.area_id stays what the registry said, whether or
-- not its target is known. The second, under "derived", follow from the first and are kept by the
-- triggers of the next migration: links by internal key, and the values that hold in the end.
-- Times are RFC 3339 in UTC with six decimals, so that text order is time order.
-- Keys are never used twice (AUTOINCREMENT): the change log tells rows apart by them.
-- migrate:up
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
);

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
);

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
);
CREATE INDEX areas_by_floor ON areas (floor_key, area_id);

-- An allow-list: a config entry's data, options, subentries and discovery keys hold secrets, so they
-- have no column here, and there is no extra.
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
);
CREATE INDEX devices_by_area         ON devices (area_key, device_id);
CREATE INDEX devices_by_manufacturer ON devices (effective_manufacturer, device_id);
CREATE INDEX devices_by_model        ON devices (effective_model, device_id);
CREATE INDEX devices_by_integration  ON devices (effective_integration, device_id);
CREATE INDEX devices_by_disabled     ON devices (disabled, device_id);
CREATE INDEX devices_by_config_entry ON devices (config_entry_key, device_id);
CREATE INDEX devices_by_composite    ON devices (composite_device_id, device_id) WHERE composite_device_id IS NOT NULL;
CREATE INDEX devices_by_via          ON devices (via_device_key) WHERE via_device_key IS NOT NULL;
CREATE INDEX devices_by_parent       ON devices (parent_device_key) WHERE parent_device_key IS NOT NULL;
-- References whose target has not arrived: few, and looked up whenever a row arrives.
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
);
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
  device_key INTEGER NOT NULL REFERENCES devices (key) ON DELETE CASCADE,
  PRIMARY KEY (label_key, device_key)
) WITHOUT ROWID;
CREATE INDEX device_labels_by_device ON device_labels (device_key);

CREATE TABLE entity_labels (
  label_key  INTEGER NOT NULL REFERENCES labels (key) ON DELETE CASCADE,
  entity_key INTEGER NOT NULL REFERENCES entities (key) ON DELETE CASCADE,
  PRIMARY KEY (label_key, entity_key)
) WITHOUT ROWID;
CREATE INDEX entity_labels_by_entity ON entity_labels (entity_key);

-- migrate:down
DROP TABLE entity_labels;
DROP TABLE device_labels;
DROP TABLE area_labels;
DROP TABLE entities;
DROP TABLE devices;
DROP TABLE config_entries;
DROP TABLE areas;
DROP TABLE labels;
DROP TABLE floors;
