-- Lists rows whose words are not what is indexed, at most @lim of them.
-- name: ListDirty :many
SELECT d.id FROM search_dirty AS d ORDER BY d.id LIMIT @lim;

-- Gives the words of the rows in the JSON list @ids, of those that are there.
-- name: ListWords :many
SELECT 0 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM floors_as_words AS w
WHERE w.key IN (SELECT j.value - 0 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 0 AND j.value < 1099511627776)
UNION ALL
SELECT 1099511627776 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM areas_as_words AS w
WHERE w.key IN (SELECT j.value - 1099511627776 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 1099511627776 AND j.value < 2199023255552)
UNION ALL
SELECT 2199023255552 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM labels_as_words AS w
WHERE w.key IN (SELECT j.value - 2199023255552 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 2199023255552 AND j.value < 3298534883328)
UNION ALL
SELECT 3298534883328 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM devices_as_words AS w
WHERE w.key IN (SELECT j.value - 3298534883328 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 3298534883328 AND j.value < 4398046511104)
UNION ALL
SELECT 4398046511104 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM entities_as_words AS w
WHERE w.key IN (SELECT j.value - 4398046511104 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 4398046511104 AND j.value < 5497558138880)
UNION ALL
SELECT 5497558138880 + w.key AS id, CAST(w.names AS TEXT) AS names, CAST(w.ids AS TEXT) AS ids, CAST(w.more AS TEXT) AS more
FROM config_entries_as_words AS w
WHERE w.key IN (SELECT j.value - 5497558138880 FROM json_each(CAST(@ids AS TEXT)) AS j WHERE j.value > 5497558138880 AND j.value < 6597069766656)
ORDER BY 1;

-- Indexes rows: a JSON list of lists of id, names, ids and more, folded.
-- name: IndexWords :exec
INSERT INTO search_text (id, names, ids, more)
SELECT json_extract(j.value, '$[0]'), json_extract(j.value, '$[1]'), json_extract(j.value, '$[2]'), json_extract(j.value, '$[3]')
FROM json_each(CAST(@rows AS TEXT)) AS j
WHERE TRUE
ON CONFLICT (id) DO UPDATE SET names = excluded.names, ids = excluded.ids, more = excluded.more
WHERE (search_text.names, search_text.ids, search_text.more) IS NOT (excluded.names, excluded.ids, excluded.more);

-- Takes rows out of the index: a JSON list of ids.
-- name: UnindexWords :exec
DELETE FROM search_text WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- Notes that the rows in the JSON list @ids are indexed as they are.
-- name: ClearDirty :exec
DELETE FROM search_dirty WHERE id IN (SELECT value FROM json_each(CAST(@ids AS TEXT)));

-- Searches all kinds, or those in the JSON list @kinds. @match and @begin are FTS5 queries: for the words anywhere,
-- and for names that begin with them. Of each kind no more are ranked than @most of each. First comes what is called
-- so, then what is called so at the beginning, in a word, and what has such an id or belongs to such.
-- name: FindAnywhere :many
SELECT r.kind,
       CAST(coalesce(f.floor_id, a.area_id, l.label_id, d.device_id, e.entity_id, c.entry_id) AS TEXT) AS id,
       CAST(coalesce(f.name, a.name, l.name, d.name, e.name, c.title) AS TEXT) AS name,
       coalesce(d.area_id, e.area_id) AS area_id, coalesce(d.area_name, e.area_name) AS area_name,
       coalesce(a.floor_id, d.floor_id, e.floor_id) AS floor_id,
       e.device_id, d.manufacturer, d.model, d.integration, e.platform, c.domain
FROM (
  SELECT k.kind, k.first, t.id,
         CASE
           WHEN instr(char(10) || t.names || char(10), char(10) || CAST(@words AS TEXT) || char(10)) THEN 0
           WHEN instr(char(10) || t.names, char(10) || CAST(@words AS TEXT)) THEN 1
           WHEN instr(' ' || replace(t.names, char(10), ' '), ' ' || CAST(@words AS TEXT)) THEN 2
           WHEN instr(' ' || t.ids, ' ' || CAST(@words AS TEXT)) THEN 3
           ELSE 4
         END AS place,
         length(t.names) AS size
  FROM search_kinds AS k
  JOIN search_text AS t ON t.id IN (
    SELECT x.id FROM (
      SELECT b.rowid + 0 AS id FROM search(CAST(@begin AS TEXT)) AS b
      WHERE b.rowid > k.first AND b.rowid < k.first + 1099511627776
      LIMIT CAST(@most AS INTEGER)) AS x
    UNION ALL
    SELECT y.id FROM (
      SELECT m.rowid + 0 AS id FROM search(CAST(@match AS TEXT)) AS m
      WHERE m.rowid > k.first AND m.rowid < k.first + 1099511627776
      LIMIT CAST(@most AS INTEGER)) AS y
  )
  WHERE k.kind IN (SELECT value FROM json_each(CAST(sqlc.narg('kinds') AS TEXT))) OR @kinds IS NULL
  ORDER BY place, k.first, size, t.id
  LIMIT @lim
) AS r
LEFT JOIN floors_view AS f ON r.kind = 'floor' AND f.key = r.id - r.first
LEFT JOIN areas_view AS a ON r.kind = 'area' AND a.key = r.id - r.first
LEFT JOIN labels_view AS l ON r.kind = 'label' AND l.key = r.id - r.first
LEFT JOIN devices_view AS d ON r.kind = 'device' AND d.key = r.id - r.first
LEFT JOIN entities_view AS e ON r.kind = 'entity' AND e.key = r.id - r.first
LEFT JOIN config_entries_view AS c ON r.kind = 'config_entry' AND c.key = r.id - r.first
ORDER BY r.place, r.first, r.size, r.id;
