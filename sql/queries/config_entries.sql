-- Lists the config entries that match, by entry_id, from the one after @after.
-- There are tens of them, so the filters may scan.
-- name: ListConfigEntries :many
SELECT v.* FROM config_entries_view AS v
WHERE v.entry_id > @after
  AND (v.domain = sqlc.narg('domain') OR @domain IS NULL)
  AND (v.state = sqlc.narg('state') OR @state IS NULL)
  AND (v.key IN (SELECT f.rowid - 5497558138880 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 5497558138880 AND f.rowid < 6597069766656) OR @q IS NULL)
ORDER BY v.entry_id
LIMIT @lim;

-- Counts what ListConfigEntries would list in all.
-- name: CountConfigEntries :one
SELECT CAST(count(*) AS INTEGER) AS total FROM config_entries_view AS v
WHERE (v.domain = sqlc.narg('domain') OR @domain IS NULL)
  AND (v.state = sqlc.narg('state') OR @state IS NULL)
  AND (v.key IN (SELECT f.rowid - 5497558138880 FROM search(coalesce(CAST(sqlc.narg('q') AS TEXT), '""')) AS f WHERE f.rowid > 5497558138880 AND f.rowid < 6597069766656) OR @q IS NULL);

-- Gets one config entry by its id.
-- name: GetConfigEntry :one
SELECT * FROM config_entries_view WHERE entry_id = @entry_id;

-- Finds a config entry by its id. Gives the registry's own columns, as SaveConfigEntry takes them.
-- name: MatchConfigEntry :one
SELECT
  key, entry_id, domain, title, source, state, reason, disabled_by, pref_disable_new_entities,
  pref_disable_polling, num_subentries, version, minor_version, created_at, modified_at, updated_at
FROM config_entries
WHERE entry_id = @entry_id;

-- Stores a config entry: a new one where @key is 0, else the one with that key, as a whole.
-- name: SaveConfigEntry :exec
INSERT INTO config_entries (
  key, entry_id, domain, title, source, state, reason, disabled_by, pref_disable_new_entities,
  pref_disable_polling, num_subentries, version, minor_version, created_at, modified_at, updated_at
) VALUES (
  nullif(CAST(@key AS INTEGER), 0), @entry_id, @domain, @title, @source, @state, @reason,
  @disabled_by, @pref_disable_new_entities, @pref_disable_polling, @num_subentries, @version,
  @minor_version, @created_at, @modified_at, @updated_at
)
ON CONFLICT (key) DO UPDATE SET
  entry_id = excluded.entry_id,
  domain = excluded.domain,
  title = excluded.title,
  source = excluded.source,
  state = excluded.state,
  reason = excluded.reason,
  disabled_by = excluded.disabled_by,
  pref_disable_new_entities = excluded.pref_disable_new_entities,
  pref_disable_polling = excluded.pref_disable_polling,
  num_subentries = excluded.num_subentries,
  version = excluded.version,
  minor_version = excluded.minor_version,
  created_at = excluded.created_at,
  modified_at = excluded.modified_at,
  updated_at = excluded.updated_at;

-- Says whether anything of an integration is known: a config entry, a device or an entity.
-- name: IntegrationExists :one
SELECT EXISTS (
  SELECT 1 FROM config_entries AS c WHERE c.domain = @integration
  UNION ALL
  SELECT 1 FROM devices AS d WHERE d.effective_integration = @integration
  UNION ALL
  SELECT 1 FROM entities AS e WHERE e.platform = @integration
) AS known;

-- Deletes the config entries whose keys are in the JSON list @keys. Gives the ids.
-- name: DeleteConfigEntries :many
DELETE FROM config_entries WHERE key IN (SELECT value FROM json_each(CAST(@keys AS TEXT)))
RETURNING entry_id;
