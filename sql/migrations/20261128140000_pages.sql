-- Pages of a floor, of a manufacturer, of a model and of a label are read in the order of their index, as all other
-- pages: an entity has beside it what its device is made by, and entities and devices on which floor their area is.
-- migrate:up
ALTER TABLE devices ADD COLUMN floor_key INTEGER REFERENCES floors (key);
ALTER TABLE entities ADD COLUMN floor_key INTEGER REFERENCES floors (key);
ALTER TABLE entities ADD COLUMN device_manufacturer TEXT;
ALTER TABLE entities ADD COLUMN device_model TEXT;
ALTER TABLE device_labels ADD COLUMN device_id TEXT NOT NULL DEFAULT '';
ALTER TABLE entity_labels ADD COLUMN entity_id TEXT NOT NULL DEFAULT '';

-- Nobody changed anything: no trigger is on these columns, so nothing is logged or stamped.
UPDATE devices SET floor_key = (SELECT a.floor_key FROM areas AS a WHERE a.key = devices.area_key)
WHERE area_key IS NOT NULL;
UPDATE entities SET
  floor_key = (SELECT a.floor_key FROM areas AS a WHERE a.key = entities.area_key),
  (device_manufacturer, device_model) =
    (SELECT d.effective_manufacturer, d.effective_model FROM devices AS d WHERE d.key = entities.device_key)
WHERE area_key IS NOT NULL OR device_key IS NOT NULL;
UPDATE device_labels SET device_id = (SELECT d.device_id FROM devices AS d WHERE d.key = device_labels.device_key);
UPDATE entity_labels SET entity_id = (SELECT e.entity_id FROM entities AS e WHERE e.key = entity_labels.entity_key);

CREATE INDEX devices_by_floor          ON devices (floor_key, device_id) WHERE floor_key IS NOT NULL;
CREATE INDEX entities_by_floor         ON entities (floor_key, entity_id) WHERE floor_key IS NOT NULL;
CREATE INDEX entities_by_manufacturer  ON entities (device_manufacturer, entity_id) WHERE device_manufacturer IS NOT NULL;
CREATE INDEX entities_by_model         ON entities (device_model, entity_id) WHERE device_model IS NOT NULL;
CREATE INDEX entities_by_platform_of_device ON entities (platform, device_id, device_key) WHERE device_key IS NOT NULL;
CREATE INDEX entities_by_domain_of_device   ON entities (domain, device_id, device_key) WHERE device_key IS NOT NULL;
CREATE INDEX device_labels_in_order    ON device_labels (label_key, device_id);
CREATE INDEX entity_labels_in_order    ON entity_labels (label_key, entity_id);

DROP TRIGGER entities_updated;
DROP TRIGGER entities_inserted;
DROP TRIGGER devices_deleted;
DROP TRIGGER devices_placed;
DROP TRIGGER devices_updated;
DROP TRIGGER devices_inserted;
DROP TRIGGER config_entries_deleted;
DROP TRIGGER config_entries_inserted;
DROP VIEW entities_resolved;
DROP VIEW devices_resolved;

-- What follows is as before, but for the new columns beside those that they follow from.
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

-- devices_updated may run before it or after, so it reads what the device is made by as that is by then.
CREATE TRIGGER devices_made AFTER UPDATE OF model, effective_manufacturer ON devices
WHEN (NEW.effective_model, NEW.effective_manufacturer) IS NOT (OLD.effective_model, OLD.effective_manufacturer)
BEGIN
  UPDATE entities SET (device_manufacturer, device_model) =
    (SELECT d.effective_manufacturer, d.effective_model FROM devices AS d WHERE d.key = NEW.key)
  WHERE device_key = NEW.key;
END;

-- What is in an area moves along to another floor. In its log nothing changed: a row names its area.
CREATE TRIGGER areas_moved AFTER UPDATE OF floor_key ON areas
WHEN NEW.floor_key IS NOT OLD.floor_key
BEGIN
  UPDATE devices SET floor_key = NEW.floor_key WHERE area_key = NEW.key;
  UPDATE entities SET floor_key = NEW.floor_key WHERE area_key = NEW.key;
END;

-- Pages of a label are in the order of ids. A device keeps its own; an entity may be renamed.
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

-- migrate:down
DROP TRIGGER entities_relabelled;
DROP TRIGGER entity_labels_added;
DROP TRIGGER device_labels_added;
DROP TRIGGER areas_moved;
DROP TRIGGER devices_made;
DROP TRIGGER entities_updated;
DROP TRIGGER entities_inserted;
DROP TRIGGER devices_deleted;
DROP TRIGGER devices_placed;
DROP TRIGGER devices_updated;
DROP TRIGGER devices_inserted;
DROP TRIGGER config_entries_deleted;
DROP TRIGGER config_entries_inserted;
DROP VIEW entities_resolved;
DROP VIEW devices_resolved;

DROP INDEX entity_labels_in_order;
DROP INDEX device_labels_in_order;
DROP INDEX entities_by_domain_of_device;
DROP INDEX entities_by_platform_of_device;
DROP INDEX entities_by_model;
DROP INDEX entities_by_manufacturer;
DROP INDEX entities_by_floor;
DROP INDEX devices_by_floor;

CREATE VIEW devices_resolved AS
SELECT d.key,
       coalesce(a.key, b.key) AS area_key,
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
       c.key AS config_entry_key,
       CAST(coalesce(nullif(d.name_by_user, ''), d.name, '') AS TEXT) AS device_name
FROM entities AS e
LEFT JOIN devices AS d ON d.device_id = e.device_id
LEFT JOIN areas AS a ON a.area_id = e.area_id
LEFT JOIN config_entries AS c ON c.entry_id = e.config_entry_id;

ALTER TABLE entity_labels DROP COLUMN entity_id;
ALTER TABLE device_labels DROP COLUMN device_id;
ALTER TABLE entities DROP COLUMN device_model;
ALTER TABLE entities DROP COLUMN device_manufacturer;
ALTER TABLE entities DROP COLUMN floor_key;
ALTER TABLE devices DROP COLUMN floor_key;

CREATE TRIGGER config_entries_inserted AFTER INSERT ON config_entries
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('config_entry', NEW.key, NEW.entry_id, 'created', (SELECT j.document FROM config_entries_as_json AS j WHERE j.key = NEW.key));
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key IS NULL AND effective_config_entry_id = NEW.entry_id;
  UPDATE entities SET config_entry_key = NEW.key WHERE config_entry_key IS NULL AND config_entry_id = NEW.entry_id;
END;

CREATE TRIGGER config_entries_deleted AFTER DELETE ON config_entries
BEGIN
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key = OLD.key;
  UPDATE entities SET config_entry_key = NULL WHERE config_entry_key = OLD.key;
END;

CREATE TRIGGER devices_inserted AFTER INSERT ON devices
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id
  WHERE NEW.area_id <> '' AND NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key)
  WHERE key = NEW.key;
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('device', NEW.key, NEW.device_id, 'created', (SELECT j.document FROM devices_as_json AS j WHERE j.key = NEW.key));
  UPDATE devices SET via_device_key = NEW.key WHERE via_device_key IS NULL AND via_device_id = NEW.device_id;
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key IS NULL AND parent_device_id = NEW.device_id AND key <> NEW.key;
  UPDATE entities SET (device_key, area_key, config_entry_key, device_name) =
    (SELECT device_key, area_key, config_entry_key, device_name FROM entities_resolved AS r WHERE r.key = entities.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
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
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key)
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
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key = NEW.key AND (NEW.area_id, NEW.manufacturer) IS NOT (OLD.area_id, OLD.manufacturer);
END;

CREATE TRIGGER devices_placed AFTER UPDATE OF area_key ON devices
WHEN NEW.area_key IS NOT OLD.area_key
BEGIN
  UPDATE entities SET area_key = NEW.area_key, updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = NEW.key AND coalesce(area_id, '') = '' AND area_key IS NOT NEW.area_key;
END;

CREATE TRIGGER devices_deleted AFTER DELETE ON devices
BEGIN
  DELETE FROM device_labels WHERE device_key = OLD.key;
  UPDATE devices SET via_device_key = NULL WHERE via_device_key = OLD.key;
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE parent_device_key = OLD.key;
  UPDATE entities SET (device_key, area_key, config_entry_key, device_name) =
    (SELECT device_key, area_key, config_entry_key, device_name FROM entities_resolved AS r WHERE r.key = entities.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = OLD.key;
END;

CREATE TRIGGER entities_inserted AFTER INSERT ON entities
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id
  WHERE NEW.area_id <> '' AND NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
  UPDATE entities SET (device_key, area_key, config_entry_key, device_name) =
    (SELECT device_key, area_key, config_entry_key, device_name FROM entities_resolved AS r WHERE r.key = entities.key)
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
  UPDATE entities SET (device_key, area_key, config_entry_key, device_name) =
    (SELECT device_key, area_key, config_entry_key, device_name FROM entities_resolved AS r WHERE r.key = entities.key)
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
