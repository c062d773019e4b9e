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

-- Lists the rows of all kinds that an FTS5 query finds, at most @most of them.
-- name: ListFound :many
SELECT CAST(f.rowid + 0 AS INTEGER) AS id FROM search(CAST(@match AS TEXT)) AS f LIMIT CAST(@most AS INTEGER);

-- Searches all kinds, or those in the JSON list @kinds, for names that begin with @words and for what has the words
-- anywhere, which @match says to FTS5. Of each kind no more are ranked than @most of each. First comes what is called so,
-- then what is called so at the beginning, in a word, and what has such an id or belongs to such. Where it is known that
-- only the rows in the JSON list @found have them, @match is "", which finds nothing. Words never hold char(1114111).
--
-- The views are joined in an arm for each kind, as a view on the right of a LEFT JOIN would be read whole. The first arm
-- has no rows: it is there for sqlc to see of which types the columns are.
-- name: FindAnywhere :many
WITH r AS (
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
      SELECT b.id FROM search_text AS b
      WHERE b.id >> 40 = k.first >> 40
        AND b.names >= CAST(@words AS TEXT) AND b.names < CAST(@words AS TEXT) || char(1114111)
      ORDER BY b.names
      LIMIT CAST(@most AS INTEGER)) AS x
    UNION ALL
    SELECT y.id FROM (
      SELECT m.rowid + 0 AS id FROM search(CAST(@match AS TEXT)) AS m
      WHERE m.rowid > k.first AND m.rowid < k.first + 1099511627776
      LIMIT CAST(@most AS INTEGER)) AS y
    UNION ALL
    SELECT j.value FROM json_each(CAST(@found AS TEXT)) AS j
    WHERE j.value > k.first AND j.value < k.first + 1099511627776
  )
  WHERE k.kind IN (SELECT value FROM json_each(CAST(sqlc.narg('kinds') AS TEXT))) OR @kinds IS NULL
  ORDER BY place, k.first, size, t.id
  LIMIT @lim
)
SELECT v.kind, CAST(v.id AS TEXT) AS id, CAST(v.name AS TEXT) AS name, v.area_id, v.area_name, v.floor_id, v.device_id,
       v.manufacturer, v.model, v.integration, v.platform, v.domain
FROM (
  SELECT k.kind, n.area_id AS id, n.name, n.area_id, n.name AS area_name, n.floor_id, n.area_id AS device_id,
         n.name AS manufacturer, n.name AS model, n.name AS integration, n.name AS platform, n.name AS domain,
         0 AS place, k.first, 0 AS size, 0 AS found
  FROM search_kinds AS k LEFT JOIN areas AS n ON FALSE
  WHERE FALSE
  UNION ALL
  SELECT r.kind, f.floor_id, f.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.place, r.first, r.size, r.id
  FROM r JOIN floors_view AS f ON f.key = r.id - r.first WHERE r.kind = 'floor'
  UNION ALL
  SELECT r.kind, a.area_id, a.name, NULL, NULL, a.floor_id, NULL, NULL, NULL, NULL, NULL, NULL, r.place, r.first, r.size, r.id
  FROM r JOIN areas_view AS a ON a.key = r.id - r.first WHERE r.kind = 'area'
  UNION ALL
  SELECT r.kind, l.label_id, l.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.place, r.first, r.size, r.id
  FROM r JOIN labels_view AS l ON l.key = r.id - r.first WHERE r.kind = 'label'
  UNION ALL
  SELECT r.kind, d.device_id, d.name, d.area_id, d.area_name, d.floor_id, NULL, d.manufacturer, d.model, d.integration, NULL, NULL,
         r.place, r.first, r.size, r.id
  FROM r JOIN devices_view AS d ON d.key = r.id - r.first WHERE r.kind = 'device'
  UNION ALL
  SELECT r.kind, e.entity_id, e.name, e.area_id, e.area_name, e.floor_id, e.device_id, NULL, NULL, NULL, e.platform, NULL,
         r.place, r.first, r.size, r.id
  FROM r JOIN entities_view AS e ON e.key = r.id - r.first WHERE r.kind = 'entity'
  UNION ALL
  SELECT r.kind, c.entry_id, c.title, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, c.domain, r.place, r.first, r.size, r.id
  FROM r JOIN config_entries_view AS c ON c.key = r.id - r.first WHERE r.kind = 'config_entry'
) AS v
ORDER BY v.place, v.first, v.size, v.found;
