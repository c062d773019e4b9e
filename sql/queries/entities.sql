-- Lists the entities that match every filter that is set, by entity_id, from the one after @after.
-- Lists of ids are JSON arrays; a null among area_ids stands for "in no area".
--
-- The inner query finds candidates in page order. It has an arm for each filter, served by an index,
-- and runs just one: an arm is off while a filter of an arm above it is set. The outer WHERE holds the
-- candidates to all filters. Of several areas, and of several labels, each gives as many candidates as the page can
-- take, or all where another filter may drop some; these two arms come last, for sqlc to have seen the types of all
-- filters. (LIMIT -1 keeps SQLite from merging the two levels, and then sorting.)
-- name: ListEntities :many
SELECT v.*
FROM (
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT)))
    AND e.entity_id > @after
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.device_key IN (SELECT d.key FROM devices AS d WHERE d.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))))
    AND e.entity_id > @after
    AND @entity_ids IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.device_key IS NULL AND e.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))
    AND e.entity_id > @after
    AND @entity_ids IS NULL
  UNION ALL
  SELECT k.entity_key, k.entity_id FROM entity_labels AS k
  WHERE k.label_key = (SELECT l.key FROM labels AS l WHERE l.label_id = json_extract(CAST(sqlc.narg('label_ids') AS TEXT), '$[0]'))
    AND k.entity_id > @after
    AND coalesce(@entity_ids, @device_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('label_ids') AS TEXT)) = 1
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.area_key = (SELECT a.key FROM areas AS a WHERE a.area_id = json_extract(CAST(sqlc.narg('area_ids') AS TEXT), '$[0]'))
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('area_ids') AS TEXT)) = 1
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.area_key IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.floor_key = (SELECT f.key FROM floors AS f WHERE f.floor_id = sqlc.narg('floor_id'))
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.device_model = sqlc.narg('model')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.device_manufacturer = sqlc.narg('manufacturer')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.effective_device_class = sqlc.narg('device_class')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.platform = sqlc.narg('platform')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.platform = sqlc.narg('integration')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.domain = sqlc.narg('domain')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.entity_category = sqlc.narg('entity_category')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.disabled = sqlc.narg('disabled')
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain, @entity_category) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.key IN (SELECT f.rowid - 4398046511104 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 4398046511104 AND f.rowid < 5497558138880)
    AND e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain, @entity_category, @disabled) IS NULL
  UNION ALL
  SELECT e.key, e.entity_id FROM entities AS e
  WHERE e.entity_id > @after
    AND coalesce(@entity_ids, @device_ids, @label_ids, @area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain, @entity_category, @disabled, @q) IS NULL
  UNION ALL
  SELECT DISTINCT k.entity_key, k.entity_id FROM labels AS l CROSS JOIN entity_labels AS k
  WHERE l.label_id IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT))) AND k.label_key = l.key
    AND k.entity_id > @after
    AND k.entity_id <= coalesce((SELECT n.entity_id FROM entity_labels AS n WHERE n.label_key = l.key AND n.entity_id > @after AND coalesce(@area_ids, @floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain, @entity_category, @disabled, @q) IS NULL ORDER BY n.entity_id LIMIT 1 OFFSET @lim), x'')
    AND coalesce(@entity_ids, @device_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('label_ids') AS TEXT)) > 1
  UNION ALL
  SELECT e.key, e.entity_id FROM areas AS a CROSS JOIN entities AS e
  WHERE a.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT))) AND e.area_key = a.key
    AND e.entity_id > @after
    AND e.entity_id <= coalesce((SELECT n.entity_id FROM entities AS n WHERE n.area_key = a.key AND n.entity_id > @after AND coalesce(@floor_id, @model, @manufacturer, @device_class, @platform, @integration, @domain, @entity_category, @disabled, @q) IS NULL ORDER BY n.entity_id LIMIT 1 OFFSET @lim), x'')
    AND coalesce(@entity_ids, @device_ids, @label_ids) IS NULL
    AND json_array_length(CAST(sqlc.narg('area_ids') AS TEXT)) > 1
  ORDER BY 2 LIMIT -1
) AS k
JOIN entities_view AS v ON v.key = k.key
WHERE (v.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT))) OR @entity_ids IS NULL)
  AND (v.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))) OR @device_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)))
    OR v.area_id IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e WHERE e.key = v.key AND e.device_model = sqlc.narg('model')) OR @model IS NULL)
  AND (EXISTS (SELECT 1 FROM entities AS e WHERE e.key = v.key AND e.device_manufacturer = sqlc.narg('manufacturer')) OR @manufacturer IS NULL)
  AND (v.device_class = sqlc.narg('device_class') OR @device_class IS NULL)
  AND (v.platform = sqlc.narg('platform') OR @platform IS NULL)
  AND (v.platform = sqlc.narg('integration') OR @integration IS NULL)
  AND (v.domain = sqlc.narg('domain') OR @domain IS NULL)
  AND (v.entity_category = sqlc.narg('entity_category') OR @entity_category IS NULL)
  AND (v.disabled = sqlc.narg('disabled') OR @disabled IS NULL)
  AND (v.key IN (SELECT f.rowid - 4398046511104 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 4398046511104 AND f.rowid < 5497558138880) OR @q IS NULL)
ORDER BY k.entity_id
LIMIT @lim;

-- Counts what ListEntities would list in all: a scan, so only where the client asks for a total.
-- name: CountEntities :one
SELECT CAST(count(*) AS INTEGER) AS total
FROM entities_view AS v
WHERE (v.entity_id IN (SELECT value FROM json_each(CAST(sqlc.narg('entity_ids') AS TEXT))) OR @entity_ids IS NULL)
  AND (v.device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)) UNION ALL SELECT s.device_id FROM devices AS s WHERE s.composite_device_id IN (SELECT value FROM json_each(CAST(sqlc.narg('device_ids') AS TEXT)))) OR @device_ids IS NULL)
  AND (EXISTS (SELECT 1 FROM json_each(v.labels) AS l WHERE l.value IN (SELECT value FROM json_each(CAST(sqlc.narg('label_ids') AS TEXT)))) OR @label_ids IS NULL)
  AND (v.area_id IN (SELECT value FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)))
    OR v.area_id IS NULL AND EXISTS (SELECT 1 FROM json_each(CAST(sqlc.narg('area_ids') AS TEXT)) WHERE value IS NULL)
    OR @area_ids IS NULL)
  AND (v.floor_id = sqlc.narg('floor_id') OR @floor_id IS NULL)
  AND (v.device_id IN (SELECT d.device_id FROM devices AS d WHERE d.effective_model = sqlc.narg('model')) OR @model IS NULL)
  AND (v.device_id IN (SELECT d.device_id FROM devices AS d WHERE d.effective_manufacturer = sqlc.narg('manufacturer')) OR @manufacturer IS NULL)
  AND (v.device_class = sqlc.narg('device_class') OR @device_class IS NULL)
  AND (v.platform = sqlc.narg('platform') OR @platform IS NULL)
  AND (v.platform = sqlc.narg('integration') OR @integration IS NULL)
  AND (v.domain = sqlc.narg('domain') OR @domain IS NULL)
  AND (v.entity_category = sqlc.narg('entity_category') OR @entity_category IS NULL)
  AND (v.disabled = sqlc.narg('disabled') OR @disabled IS NULL)
  AND (v.key IN (SELECT f.rowid - 4398046511104 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 4398046511104 AND f.rowid < 5497558138880) OR @q IS NULL);

-- Gets one entity by its entity_id: the one that has it, else the one that had it last. renamed_from is
-- then the id that was asked for, and null otherwise.
-- name: GetEntity :one
SELECT sqlc.embed(v), a.entity_id AS renamed_from
FROM entities_view AS v
LEFT JOIN entity_aliases AS a ON a.entity_key = v.key AND a.entity_id = @entity_id AND v.entity_id <> a.entity_id
WHERE v.key = coalesce(
  (SELECT e.key FROM entities AS e WHERE e.entity_id = @entity_id),
  (SELECT f.entity_key FROM entity_aliases AS f WHERE f.entity_id = @entity_id ORDER BY f.valid_until DESC, f.rowid DESC LIMIT 1))
LIMIT 1;

-- Finds the rows that entries are about: a JSON list of lists of registry_id, domain, platform, unique_id and
-- entity_id, in which null is whatever is not to be matched. Gives the keys, and each with the place in the list.
-- name: FindEntities :many
SELECT CAST(j.key AS INTEGER) AS place, e.key
FROM json_each(CAST(@wanted AS TEXT)) AS j
CROSS JOIN entities AS e
WHERE e.key = coalesce(
  (SELECT r.key FROM entities AS r WHERE r.registry_id = json_extract(j.value, '$[0]')),
  (SELECT u.key FROM entities AS u WHERE u.unique_id = json_extract(j.value, '$[3]') AND u.platform = json_extract(j.value, '$[2]') AND u.domain = json_extract(j.value, '$[1]')),
  (SELECT i.key FROM entities AS i WHERE i.entity_id = json_extract(j.value, '$[4]')));

-- Reads the rows whose keys are in the JSON list @keys.
-- name: ReadEntities :many
SELECT
  key, entity_id, registry_id, platform, unique_id, previous_unique_id, name, original_name,
  has_entity_name, object_id_base, suggested_object_id, translation_key, icon, original_icon,
  device_class, original_device_class, unit_of_measurement, supported_features, entity_category,
  disabled_by, hidden_by, device_id, area_id, config_entry_id, config_subentry_id, labels, aliases,
  aliases_v2, categories, capabilities, options, extra, created_at, modified_at, updated_at
FROM entities
WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)));

-- Stores a entity: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveEntity :exec
INSERT INTO entities (
  key, entity_id, registry_id, platform, unique_id, previous_unique_id, name, original_name,
  has_entity_name, object_id_base, suggested_object_id, translation_key, icon, original_icon,
  device_class, original_device_class, unit_of_measurement, supported_features, entity_category,
  disabled_by, hidden_by, device_id, area_id, config_entry_id, config_subentry_id, labels, aliases,
  aliases_v2, categories, capabilities, options, extra, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @entity_id, @registry_id, @platform, @unique_id,
  @previous_unique_id, @name, @original_name, @has_entity_name, @object_id_base,
  @suggested_object_id, @translation_key, @icon, @original_icon, @device_class,
  @original_device_class, @unit_of_measurement, @supported_features, @entity_category, @disabled_by,
  @hidden_by, @device_id, @area_id, @config_entry_id, @config_subentry_id, @labels, @aliases,
  @aliases_v2, @categories, @capabilities, @options, @extra, @created_at, @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  entity_id = excluded.entity_id,
  registry_id = excluded.registry_id,
  platform = excluded.platform,
  unique_id = excluded.unique_id,
  previous_unique_id = excluded.previous_unique_id,
  name = excluded.name,
  original_name = excluded.original_name,
  has_entity_name = excluded.has_entity_name,
  object_id_base = excluded.object_id_base,
  suggested_object_id = excluded.suggested_object_id,
  translation_key = excluded.translation_key,
  icon = excluded.icon,
  original_icon = excluded.original_icon,
  device_class = excluded.device_class,
  original_device_class = excluded.original_device_class,
  unit_of_measurement = excluded.unit_of_measurement,
  supported_features = excluded.supported_features,
  entity_category = excluded.entity_category,
  disabled_by = excluded.disabled_by,
  hidden_by = excluded.hidden_by,
  device_id = excluded.device_id,
  area_id = excluded.area_id,
  config_entry_id = excluded.config_entry_id,
  config_subentry_id = excluded.config_subentry_id,
  labels = excluded.labels,
  aliases = excluded.aliases,
  aliases_v2 = excluded.aliases_v2,
  categories = excluded.categories,
  capabilities = excluded.capabilities,
  options = excluded.options,
  extra = excluded.extra,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Stores the columns of an entity that no index holds: the frequent small change, at half the cost of
-- SaveEntity.
-- name: DescribeEntity :exec
UPDATE entities SET
  previous_unique_id = @previous_unique_id,
  name = @name,
  original_name = @original_name,
  has_entity_name = @has_entity_name,
  object_id_base = @object_id_base,
  suggested_object_id = @suggested_object_id,
  translation_key = @translation_key,
  icon = @icon,
  original_icon = @original_icon,
  unit_of_measurement = @unit_of_measurement,
  supported_features = @supported_features,
  hidden_by = @hidden_by,
  config_subentry_id = @config_subentry_id,
  labels = @labels,
  aliases = @aliases,
  aliases_v2 = @aliases_v2,
  categories = @categories,
  capabilities = @capabilities,
  options = @options,
  extra = @extra,
  created_at = @created_at,
  modified_at = @modified_at,
  updated_at = @updated_at
WHERE key = @key;

-- Frees an entity_id for the entity that it belongs to now. The holder waits under a name that no
-- entity can have, for its own new name to come in the same transaction. Its domain stays.
-- name: ParkEntity :exec
UPDATE entities SET entity_id = '~' || entity_id WHERE entity_id = @entity_id AND key <> @key;

-- Deletes the entities whose entity_id was taken by another and that got no new one. Gives the ids.
-- name: DeleteParkedEntities :many
DELETE FROM entities WHERE entity_id >= '~' AND entity_id < '~~'
RETURNING CAST(substr(entity_id, 2) AS TEXT) AS entity_id;

-- Deletes all entities.
-- name: ClearEntities :execrows
DELETE FROM entities;

-- Counts the entities of an integration by domain.
-- name: CountEntitiesByDomain :many
SELECT e.domain, CAST(count(*) AS INTEGER) AS count
FROM entities AS e
WHERE e.platform = @platform
GROUP BY e.domain
ORDER BY count(*) DESC, e.domain;

-- Deletes the entities whose keys are in the JSON list @keys. Gives the ids.
-- name: DeleteEntities :many
DELETE FROM entities WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
RETURNING entity_id;

-- Lists all names, past and present, of the entities that have or had one of the ids in the JSON list
-- @entity_ids, and when each was theirs: from valid_from until valid_until, which are empty where open. An entity had
-- its first name always, unless the name was somebody else's before.
-- name: ListNames :many
SELECT CAST(n.entity_id AS TEXT) AS entity_id, n.registry_id, CAST(n.name AS TEXT) AS name,
       CAST(max(
         coalesce((SELECT max(o.valid_until) FROM entity_aliases AS o WHERE o.entity_key = n.key AND (o.valid_until < n.valid_until OR n.valid_until = '')), ''),
         coalesce((SELECT max(s.valid_until) FROM entity_aliases AS s WHERE s.entity_id = n.name AND (s.valid_until < n.valid_until OR n.valid_until = '')), '')) AS TEXT) AS valid_from,
       CAST(n.valid_until AS TEXT) AS valid_until
FROM (
  SELECT e.key, e.entity_id, e.registry_id, e.entity_id AS name, '' AS valid_until
  FROM entities AS e
  WHERE e.entity_id IN (SELECT value FROM json_each(CAST(@entity_ids AS TEXT)))
     OR e.key IN (SELECT a.entity_key FROM entity_aliases AS a WHERE a.entity_id IN (SELECT value FROM json_each(CAST(@entity_ids AS TEXT))))
  UNION ALL
  SELECT e.key, e.entity_id, e.registry_id, a.entity_id, a.valid_until
  FROM entities AS e JOIN entity_aliases AS a ON a.entity_key = e.key
  WHERE e.entity_id IN (SELECT value FROM json_each(CAST(@entity_ids AS TEXT)))
     OR e.key IN (SELECT b.entity_key FROM entity_aliases AS b WHERE b.entity_id IN (SELECT value FROM json_each(CAST(@entity_ids AS TEXT))))
) AS n
ORDER BY n.key, valid_from;
