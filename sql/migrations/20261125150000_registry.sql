-- What it takes to bring the registries in line with a whole home: to tell what a registry lists from
-- what is there only because something refers to it, and to name what is referred to and not known.
-- migrate:up
ALTER TABLE floors ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE labels ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE areas ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;

-- Of rows that are there already, those that say more than their id were listed.
UPDATE floors SET listed = TRUE
WHERE modified_at IS NOT NULL OR (name, level, icon, aliases, extra) IS NOT (floor_id, NULL, NULL, '[]', '{}');
UPDATE labels SET listed = TRUE
WHERE modified_at IS NOT NULL OR (name, color, icon, description, extra) IS NOT (label_id, NULL, NULL, NULL, '{}');
UPDATE areas SET listed = TRUE
WHERE modified_at IS NOT NULL
  OR (name, floor_id, icon, picture, temperature_entity_id, humidity_entity_id, aliases, labels, extra)
    IS NOT (area_id, NULL, NULL, NULL, NULL, NULL, '[]', '[]', '{}');

-- Every row, by kind. listed is false of an area, floor or label that no registry has listed (yet).
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

-- The ids that rows refer to and that are not known, each once. Of areas, floors and labels these have a
-- row all the same, named from the id.
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

-- migrate:down
DROP VIEW unresolved_view;
DROP VIEW registry_rows;
ALTER TABLE areas DROP COLUMN listed;
ALTER TABLE labels DROP COLUMN listed;
ALTER TABLE floors DROP COLUMN listed;
