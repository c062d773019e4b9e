-- What follows from the registries' own columns, in one place for every writer, the sqlite3 shell
-- included: links by internal key, names and areas that hold in the end, label membership, aliases of
-- renamed entities, and the log of all changes.
--
-- Nothing is refused for coming in the wrong order. An area, floor or label that is not known yet
-- becomes a row named from its id; a device or config entry that is not known leaves the link null
-- until it arrives. Only what SQLite 3.40 has is used here, so that older shells can write too.
--
-- SQLite does not say in which order the triggers of one event run. So what must come in order stands
-- in one trigger: derive, then log. None of the others needs what another one does.
-- migrate:up

-- How the derived columns of a device follow from its own: a child device (parent_device_id) takes
-- what it lacks from what its parent has of its own. A parent is no child: there is just one step.
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

-- How the derived columns of an entity follow from its own and its device's. What its device is called is
-- kept beside it, so that a name needs no other row.
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

-- Ids are identities: what was named by one is found by it for ever. Only an entity may be renamed.
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

-- The devices first: an entity that names the area itself then changes but once.
CREATE TRIGGER areas_deleted BEFORE DELETE ON areas
BEGIN
  DELETE FROM area_labels WHERE area_key = OLD.key;
  UPDATE devices SET area_id = NULL WHERE area_key = OLD.key AND area_id = OLD.area_id;
  UPDATE entities SET area_id = NULL WHERE area_key = OLD.key AND area_id = OLD.area_id;
  INSERT INTO changes (kind, key, id, action, before)
  SELECT 'area', j.key, OLD.area_id, 'deleted', j.document FROM areas_as_json AS j WHERE j.key = OLD.key;
END;

CREATE TRIGGER config_entries_inserted AFTER INSERT ON config_entries
BEGIN
  INSERT INTO changes (kind, key, id, action, after)
  VALUES ('config_entry', NEW.key, NEW.entry_id, 'created', (SELECT j.document FROM config_entries_as_json AS j WHERE j.key = NEW.key));
  UPDATE devices SET (area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration) =
    (SELECT area_key, via_device_key, parent_device_key, config_entry_key, effective_manufacturer, effective_integration FROM devices_resolved AS r WHERE r.key = devices.key), updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE config_entry_key IS NULL AND effective_config_entry_id = NEW.entry_id;
  UPDATE entities SET config_entry_key = NEW.key WHERE config_entry_key IS NULL AND config_entry_id = NEW.entry_id;
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

-- A device that changes because another row did: whoever sets its derived columns for that sets updated_at too,
-- while devices_updated, which logs what the device itself changed, does not.
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

CREATE TRIGGER devices_placed AFTER UPDATE OF area_key ON devices
WHEN NEW.area_key IS NOT OLD.area_key
BEGIN
  UPDATE entities SET area_key = NEW.area_key, updated_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
  WHERE device_key = NEW.key AND coalesce(area_id, '') = '' AND area_key IS NOT NEW.area_key;
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

-- The area that an entity moves to, before it is linked.
CREATE TRIGGER entities_moving BEFORE UPDATE OF area_id ON entities
WHEN NEW.area_id IS NOT OLD.area_id AND NEW.area_id <> ''
BEGIN
  INSERT INTO areas (area_id, name)
  SELECT NEW.area_id, NEW.area_id WHERE NOT EXISTS (SELECT 1 FROM areas WHERE area_id = NEW.area_id);
END;

-- Also for what its device changes, but not for what entities_inserted derives: device_name is null before that.
-- What the trigger itself derives does not call it again, because triggers are not recursive (where a
-- program makes them so, an entity that is moved or named is logged in two steps).
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

-- A name that begins with ~ is one between two, see ParkEntity.
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

-- Label membership follows the labels column.
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

-- A writer that does not say when (the sqlite3 shell) has the row stamped for it.
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

-- migrate:down
DROP TRIGGER entities_stamped;
DROP TRIGGER devices_stamped;
DROP TRIGGER config_entries_stamped;
DROP TRIGGER areas_stamped;
DROP TRIGGER labels_stamped;
DROP TRIGGER floors_stamped;
DROP TRIGGER entities_labelled;
DROP TRIGGER entities_labelled_first;
DROP TRIGGER devices_labelled;
DROP TRIGGER devices_labelled_first;
DROP TRIGGER areas_labelled;
DROP TRIGGER areas_labelled_first;
DROP TRIGGER entities_deleted;
DROP TRIGGER entities_logged;
DROP TRIGGER entities_renamed;
DROP TRIGGER entities_updated;
DROP TRIGGER entities_moving;
DROP TRIGGER entities_inserted;
DROP TRIGGER devices_deleted;
DROP TRIGGER devices_logged;
DROP TRIGGER devices_named;
DROP TRIGGER devices_placed;
DROP TRIGGER devices_moved;
DROP TRIGGER devices_updated;
DROP TRIGGER devices_inserted;
DROP TRIGGER config_entries_deleted;
DROP TRIGGER config_entries_logged;
DROP TRIGGER config_entries_updated;
DROP TRIGGER config_entries_inserted;
DROP TRIGGER areas_deleted;
DROP TRIGGER areas_updated;
DROP TRIGGER areas_inserted;
DROP TRIGGER labels_deleted;
DROP TRIGGER labels_updated;
DROP TRIGGER labels_inserted;
DROP TRIGGER floors_deleted;
DROP TRIGGER floors_updated;
DROP TRIGGER floors_inserted;
DROP TRIGGER devices_keep_id;
DROP TRIGGER config_entries_keep_id;
DROP TRIGGER labels_keep_id;
DROP TRIGGER areas_keep_id;
DROP TRIGGER floors_keep_id;
DROP VIEW entities_resolved;
DROP VIEW devices_resolved;
