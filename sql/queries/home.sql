-- Lists the floors of the home, from the lowest up, and last a row of nulls: the group of all that is on no
-- floor.
-- name: ListHomeFloors :many
SELECT f.key, f.floor_id, f.name, f.level, f.icon
FROM (SELECT key FROM floors UNION ALL SELECT NULL) AS k
LEFT JOIN floors AS f ON f.key = k.key
ORDER BY k.key IS NULL, f.level IS NULL, f.level, f.name COLLATE NOCASE, f.floor_id;

-- Lists the areas of the home by name, and last a row of nulls: the group of all that is in no area.
-- name: ListHomeAreas :many
SELECT f.key AS floor_key, a.key, a.area_id, a.name, a.icon
FROM (SELECT key FROM areas UNION ALL SELECT NULL) AS k
LEFT JOIN areas AS a ON a.key = k.key
LEFT JOIN floors AS f ON f.key = a.floor_key
ORDER BY k.key IS NULL, a.name COLLATE NOCASE, a.area_id;

-- Lists the devices of the home by name, each in the area it is in, with the number of its entities there,
-- and for each area a row of nulls, if it is needed: the group of those entities that have no device there.
--
-- Unless @everything is true, what is disabled or hidden is left out. With @exposed, so are entities that
-- Home Assistant does not expose to the assistant of that name, and devices without one that it does.
-- name: ListHomeDevices :many
SELECT a.key AS area_key, d.key, d.device_id, d.name, d.manufacturer, d.model, d.integration, d.disabled, p.entity_count
FROM (
  SELECT u.area_key, u.device_key, CAST(sum(u.entities) AS INTEGER) AS entity_count
  FROM (
    SELECT h.area_key, h.key AS device_key, 0 AS entities
    FROM devices AS h
    WHERE CAST(@everything AS BOOLEAN) OR NOT h.disabled
    UNION ALL
    SELECT e.area_key, h.key, 1
    FROM entities AS e
    LEFT JOIN devices AS h ON h.key = e.device_key AND h.area_key IS e.area_key AND (CAST(@everything AS BOOLEAN) OR NOT h.disabled)
    WHERE (CAST(@everything AS BOOLEAN) OR NOT e.disabled AND e.hidden_by IS NULL)
      AND (json_extract(e.options, '$."' || CAST(sqlc.narg('exposed') AS TEXT) || '".should_expose') = 1 OR @exposed IS NULL)
  ) AS u
  GROUP BY u.area_key, u.device_key
) AS p
LEFT JOIN areas AS a ON a.key = p.area_key
LEFT JOIN devices_view AS d ON d.key = p.device_key
WHERE p.entity_count > 0 OR @exposed IS NULL
ORDER BY d.key IS NULL, d.name COLLATE NOCASE, d.device_id;

-- Lists the entities of the home by id, each in the area that holds in the end, and with its device where
-- that is there too. What is left out is what ListHomeDevices leaves out.
-- name: ListHomeEntities :many
SELECT a.key AS area_key, d.key AS device_key, e.entity_id, e.effective_name AS name, e.domain, e.platform, e.device_id,
       e.effective_device_class AS device_class, e.unit_of_measurement, e.entity_category, e.disabled, e.hidden_by
FROM entities AS e
LEFT JOIN areas AS a ON a.key = e.area_key
LEFT JOIN devices AS d ON d.key = e.device_key AND d.area_key IS e.area_key AND (CAST(@everything AS BOOLEAN) OR NOT d.disabled)
WHERE (CAST(@everything AS BOOLEAN) OR NOT e.disabled AND e.hidden_by IS NULL)
  AND (json_extract(e.options, '$."' || CAST(sqlc.narg('exposed') AS TEXT) || '".should_expose') = 1 OR @exposed IS NULL)
ORDER BY e.entity_id;

-- Counts the devices and entities there are, and the entities that are left out, each for the first reason.
-- name: CountHome :one
SELECT CAST((SELECT count(*) FROM devices) AS INTEGER) AS devices,
       CAST(count(*) AS INTEGER) AS entities,
       CAST(coalesce(sum(r.reason = 'disabled'), 0) AS INTEGER) AS disabled,
       CAST(coalesce(sum(r.reason = 'hidden'), 0) AS INTEGER) AS hidden,
       CAST(coalesce(sum(r.reason = 'unexposed'), 0) AS INTEGER) AS unexposed
FROM (
  SELECT CASE
    WHEN NOT CAST(@everything AS BOOLEAN) AND e.disabled THEN 'disabled'
    WHEN NOT CAST(@everything AS BOOLEAN) AND e.hidden_by IS NOT NULL THEN 'hidden'
    WHEN json_extract(e.options, '$."' || CAST(sqlc.narg('exposed') AS TEXT) || '".should_expose') = 1 OR @exposed IS NULL THEN ''
    ELSE 'unexposed' END AS reason
  FROM entities AS e
) AS r;
