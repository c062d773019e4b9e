-- The log of all changes, which triggers of the next migration write.
-- migrate:up

-- Every change of a row, by whomever. before and after are the row as the API shows it, without what
-- belongs to other rows (counts, names of areas) and without times; before is null of a row that was
-- created, after of one that was deleted. key tells rows apart whose id was another's before. Of entities less is
-- kept, see entities_as_values and changes_view.
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

-- What the log keeps of an entity: the values of its document, in their order, and lists and objects as text. There
-- are many entities, and they change by the thousand: names that are always the same are not kept, and what is after a
-- change is what is before the next one.
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

-- A change as the API shows it.
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

-- migrate:down
DROP VIEW changes_view;
DROP VIEW entities_as_values;
DROP VIEW entities_as_json;
DROP VIEW devices_as_json;
DROP VIEW config_entries_as_json;
DROP VIEW areas_as_json;
DROP VIEW labels_as_json;
DROP VIEW floors_as_json;
DROP TABLE entity_aliases;
DROP TABLE change_log;
DROP TABLE changes;
