-- Takes over the rows of the service before this one, and drops its tables. What has no column of its
-- own is kept in extra. Its times have no zone and are UTC.
INSERT INTO devices (
  device_id, name, name_by_user, manufacturer, model, sw_version, area_id, integration,
  config_entry_id, entry_type, configuration_url, extra, created_at
)
SELECT device_id, name, name_by_user, manufacturer, model, sw_version, nullif(area_id, ''), integration,
       entry_id, entry_type, configuration_url,
       json_patch('{}', json_object('suggested_area', suggested_area, 'last_seen', last_seen)),
       coalesce(strftime('%Y-%m-%dT%H:%M:%f000Z', created_at), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
FROM predecessor_devices
WHERE device_id IS NOT NULL;

INSERT INTO entities (entity_id, device_id, platform, unique_id, area_id, disabled_by, created_at)
SELECT entity_id, device_id, coalesce(platform, 'unknown'), unique_id, nullif(area_id, ''),
       CASE WHEN disabled THEN 'user' END,
       coalesce(strftime('%Y-%m-%dT%H:%M:%f000Z', created_at), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))
FROM predecessor_entities
WHERE entity_id IS NOT NULL;

DROP TABLE predecessor_entities;
DROP TABLE predecessor_devices;
