-- Lists the devices that match every filter that is set, by device_id, from the one after @after.
-- How it is built, and why, stands above ListEntities.
-- name: ListDevices :many
SELECT v.*
FROM (
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT))))
    AND d.device_id > @after
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.key IN (SELECT e.device_key FROM entities AS e WHERE e.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT))))
    AND d.device_id > @after
    AND @device_ids IS NULL
  UNION ALL
  SELECT k.device_key, k.device_id FROM device_labels AS k
  WHERE k.label_key = (SELECT l.key FROM labels AS l WHERE l.label_id = json_extract(CAST(sqlc.narg('label_ids') AS TEXT), '$[0]'))
    AND k.device_id > @after
    AND coalesce(@device_ids, @entity_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('label_ids') AS TEXT)) = 1
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.area_key = (SELECT a.key FROM areas AS a WHERE a.area_id = json_extract(CAST(sqlc.narg('area_ids') AS TEXT), '$[0]'))
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('area_ids') AS TEXT)) = 1
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.area_key IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.floor_key = (SELECT f.key FROM floors AS f WHERE f.floor_id = sqlc.narg('floor_id'))
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.effective_model = sqlc.narg('model')
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.effective_manufacturer = sqlc.narg('manufacturer')
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.effective_integration = sqlc.narg('integration')
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer) IS NULL
  UNION ALL
  SELECT DISTINCT e.device_key, e.device_id FROM entities AS e
  WHERE e.platform = sqlc.narg('platform')
    AND e.device_id > @after
    AND e.device_key IS NOT NULL
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @integration) IS NULL
  UNION ALL
  SELECT DISTINCT e.device_key, e.device_id FROM entities AS e
  WHERE e.domain = sqlc.narg('domain')
    AND e.device_id > @after
    AND e.device_key IS NOT NULL
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @integration, @platform) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.disabled = sqlc.narg('disabled')
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @integration, @platform, @domain) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.key IN (SELECT f.rowid - 3298534883328 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 3298534883328 AND f.rowid < 4398046511104)
    AND d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @integration, @platform, @domain, @disabled) IS NULL
  UNION ALL
  SELECT d.key, d.device_id FROM devices AS d
  WHERE d.device_id > @after
    AND coalesce(@device_ids, @entity_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @integration, @platform, @domain, @disabled, @q) IS NULL
  UNION ALL
  SELECT DISTINCT k.device_key, k.device_id FROM labels AS l CROSS JOIN device_labels AS k
  WHERE l.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) AND k.label_key = l.key
    AND k.device_id > @after
    AND k.device_id <= coalesce((SELECT n.device_id FROM device_labels AS n WHERE n.label_key = l.key AND n.device_id > @after AND coalesce(@area_ids, @floor_id, @model, @manufacturer, @integration, @platform, @domain, @disabled, @q) IS NULL ORDER BY n.device_id LIMIT 1 OFFSET @lim), x'')
    AND coalesce(@device_ids, @entity_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('label_ids') AS TEXT)) > 1
  UNION ALL
  SELECT d.key, d.device_id FROM areas AS a CROSS JOIN devices AS d
  WHERE a.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT))) AND d.area_key = a.key
    AND d.device_id > @after
    AND d.device_id <= coalesce((SELECT n.device_id FROM devices AS n WHERE n.area_key = a.key AND n.device_id > @after AND coalesce(@floor_id, @model, @manufacturer, @integration, @platform, @domain, @disabled, @q) IS NULL ORDER BY n.device_id LIMIT 1 OFFSET @lim), x'')
    AND coalesce(@device_ids, @entity_ids, @label_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('area_ids') AS TEXT)) > 1
  ORDER BY 2 LIMIT -1
) AS k
JOIN devices_view AS v ON v.key = k.key
WHERE (v.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))) OR @device_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e WHERE e.device_key = v.key AND e.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT)))) OR @entity_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)))
    OR v.area_id IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (v.model = sqlc.narg('model') OR @model IS NULL)
  AND (v.manufacturer = sqlc.narg('manufacturer') OR @manufacturer IS NULL)
  AND (v.integration = sqlc.narg('integration') OR @integration IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e INDEXED BY entities_by_device WHERE e.device_key = v.key AND e.platform = sqlc.narg('platform')) OR @platform IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e INDEXED BY entities_by_device WHERE e.device_key = v.key AND e.domain = sqlc.narg('domain')) OR @domain IS NULL)
  AND (v.disabled = sqlc.narg('disabled') OR @disabled IS NULL)
  AND (v.key IN (SELECT f.rowid - 3298534883328 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 3298534883328 AND f.rowid < 4398046511104) OR @q IS NULL)
ORDER BY k.device_id
LIMIT @lim;

-- Counts what ListDevices would list in all: a scan, so only where the client asks for a total.
-- name: CountDevices :one
SELECT CAST(count(*) AS INTEGER) AS total
FROM devices_view AS v
WHERE (v.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))) OR @device_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e WHERE e.device_key = v.key AND e.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT)))) OR @entity_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)))
    OR v.area_id IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (v.model = sqlc.narg('model') OR @model IS NULL)
  AND (v.manufacturer = sqlc.narg('manufacturer') OR @manufacturer IS NULL)
  AND (v.integration = sqlc.narg('integration') OR @integration IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e INDEXED BY entities_by_device WHERE e.device_key = v.key AND e.platform = sqlc.narg('platform')) OR @platform IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e INDEXED BY entities_by_device WHERE e.device_key = v.key AND e.domain = sqlc.narg('domain')) OR @domain IS NULL)
  AND (v.disabled = sqlc.narg('disabled') OR @disabled IS NULL)
  AND (v.key IN (SELECT f.rowid - 3298534883328 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 3298534883328 AND f.rowid < 4398046511104) OR @q IS NULL);

-- Gets one device by its id, or by the id of the device that it was split from: of several, the one of the
-- config entry that was the first of that, else the first.
-- name: GetDevice :one
SELECT * FROM devices_view
WHERE key = coalesce(
  (SELECT d.key FROM devices AS d WHERE d.device_id = @device_id),
  (SELECT s.key FROM devices AS s WHERE s.composite_device_id = @device_id
   ORDER BY s.config_entry_id IS NOT s.composite_primary_config_entry, s.device_id LIMIT 1));

-- Finds a device by its id. Gives the registry's own columns, as SaveDevice takes them.
-- name: MatchDevice :one
SELECT
  key, device_id, name, name_by_user, manufacturer, model, model_id, hw_version, sw_version,
  serial_number, entry_type, configuration_url, disabled_by, area_id, via_device_id,
  parent_device_id, config_entry_id, config_subentry_id, primary_config_entry, composite_device_id,
  composite_primary_config_entry, has_composite_identifiers, split_at, integration, labels,
  identifiers, connections, config_entries, config_entries_subentries, extra, created_at,
  modified_at, updated_at
FROM devices
WHERE device_id = @device_id;

-- Stores a device: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveDevice :exec
INSERT INTO devices (
  key, device_id, name, name_by_user, manufacturer, model, model_id, hw_version, sw_version,
  serial_number, entry_type, configuration_url, disabled_by, area_id, via_device_id,
  parent_device_id, config_entry_id, config_subentry_id, primary_config_entry, composite_device_id,
  composite_primary_config_entry, has_composite_identifiers, split_at, integration, labels,
  identifiers, connections, config_entries, config_entries_subentries, extra, created_at,
  modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @device_id, @name, @name_by_user, @manufacturer, @model,
  @model_id, @hw_version, @sw_version, @serial_number, @entry_type, @configuration_url,
  @disabled_by, @area_id, @via_device_id, @parent_device_id, @config_entry_id, @config_subentry_id,
  @primary_config_entry, @composite_device_id, @composite_primary_config_entry,
  @has_composite_identifiers, @split_at, @integration, @labels, @identifiers, @connections,
  @config_entries, @config_entries_subentries, @extra, @created_at, @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  device_id = excluded.device_id,
  name = excluded.name,
  name_by_user = excluded.name_by_user,
  manufacturer = excluded.manufacturer,
  model = excluded.model,
  model_id = excluded.model_id,
  hw_version = excluded.hw_version,
  sw_version = excluded.sw_version,
  serial_number = excluded.serial_number,
  entry_type = excluded.entry_type,
  configuration_url = excluded.configuration_url,
  disabled_by = excluded.disabled_by,
  area_id = excluded.area_id,
  via_device_id = excluded.via_device_id,
  parent_device_id = excluded.parent_device_id,
  config_entry_id = excluded.config_entry_id,
  config_subentry_id = excluded.config_subentry_id,
  primary_config_entry = excluded.primary_config_entry,
  composite_device_id = excluded.composite_device_id,
  composite_primary_config_entry = excluded.composite_primary_config_entry,
  has_composite_identifiers = excluded.has_composite_identifiers,
  split_at = excluded.split_at,
  integration = excluded.integration,
  labels = excluded.labels,
  identifiers = excluded.identifiers,
  connections = excluded.connections,
  config_entries = excluded.config_entries,
  config_entries_subentries = excluded.config_entries_subentries,
  extra = excluded.extra,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Deletes all devices. Their entities stay, and are linked again when the devices come back.
-- name: ClearDevices :execrows
DELETE FROM devices;

-- Counts the devices of an integration.
-- name: CountDevicesByIntegration :one
SELECT CAST(count(*) AS INTEGER) AS count FROM devices WHERE effective_integration = @integration;

-- Deletes the devices whose keys are in the JSON list @keys. Gives the ids.
-- name: DeleteDevices :many
DELETE FROM devices WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
RETURNING device_id;

-- Lists what the devices in the JSON list @device_ids are called, and where they are.
-- name: ListDeviceNames :many
SELECT v.device_id, v.name, v.area_id, v.area_name, v.floor_id FROM devices_view AS v
WHERE v.device_id IN (SELECT value FROM json_each(CAST(@device_ids AS TEXT)))
ORDER BY v.device_id;
