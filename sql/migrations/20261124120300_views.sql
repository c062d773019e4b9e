-- What a client may see, under the names it sees it by. The HTTP API serves these rows as they are,
-- and sqlite3, Datasette and Grafana may read them too: names are chosen once.
--
-- name, area_id, device_class, icon, manufacturer are the values that hold in the end; what the
-- registry itself said stands beside them (name_by_user, original_name, own_area_id, ...).
-- timestamp repeats updated_at for clients of the service before this one.
-- migrate:up
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

-- migrate:down
DROP VIEW entities_view;
DROP VIEW devices_view;
DROP VIEW config_entries_view;
DROP VIEW areas_view;
DROP VIEW labels_view;
DROP VIEW floors_view;
