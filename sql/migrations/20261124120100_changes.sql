-- The log of all changes, which triggers of the next migration write.
-- migrate:up

-- Every change of a row, by whomever. before and after are the row as the API shows it, without what
-- belongs to other rows (counts, names of areas) and without times; before is null of a row that was
-- created, after of one that was deleted. key tells rows apart whose id was another's before.
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
-- A moment is found from the nearest of these, so that most changes need no entry.
CREATE INDEX changes_by_time ON changes (at) WHERE seq % 64 = 0;

-- Which log this is, and up to where it was pruned: one row.
CREATE TABLE change_log (
  log_id     TEXT    NOT NULL,
  pruned_seq INTEGER NOT NULL DEFAULT 0,
  pruned_at  TEXT    NOT NULL DEFAULT ''
);
INSERT INTO change_log (log_id) VALUES (lower(hex(randomblob(6))));

-- Names that an entity had before, and when.
CREATE TABLE entity_aliases (
  entity_id   TEXT    NOT NULL,
  entity_key  INTEGER NOT NULL REFERENCES entities (key),
  valid_from  TEXT    NOT NULL,
  valid_until TEXT    NOT NULL
);
CREATE INDEX entity_aliases_by_id  ON entity_aliases (entity_id, valid_until);
CREATE INDEX entity_aliases_by_key ON entity_aliases (entity_key, valid_until);

-- A change as the API shows it.
CREATE VIEW changes_view AS
SELECT c.seq, c.at, c.kind, c.id, c.action, c.before, c.after FROM changes AS c;

-- Each row as the change log keeps it.
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

-- migrate:down
DROP VIEW entities_as_json;
DROP VIEW devices_as_json;
DROP VIEW config_entries_as_json;
DROP VIEW areas_as_json;
DROP VIEW labels_as_json;
DROP VIEW floors_as_json;
DROP VIEW changes_view;
DROP TABLE entity_aliases;
DROP TABLE change_log;
DROP TABLE changes;
