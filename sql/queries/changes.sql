-- Lists the changes after @since up to @until, in order, of the kinds and of the one id where they are
-- given. Of each kind no more are looked at than are wanted in all, so that a rare one is not searched for
-- among all others. Those of preferences are for who asks for the kind preference, or for private changes.
-- name: ListChanges :many
SELECT c.*
FROM (
  SELECT i.seq FROM changes AS i
  WHERE i.id = sqlc.narg('id') AND i.seq > @since AND i.seq <= @until
  UNION ALL
  SELECT k.seq
  FROM (SELECT CAST(value AS TEXT) AS kind FROM json_each(CAST(sqlc.narg('kinds') AS TEXT))) AS wanted
  JOIN changes AS k ON k.seq IN (
    SELECT n.seq FROM changes AS n
    WHERE n.kind = wanted.kind AND n.seq > @since AND n.seq <= @until
    ORDER BY n.seq LIMIT @lim
  )
  WHERE @id IS NULL
  UNION ALL
  SELECT s.seq FROM changes AS s
  WHERE s.seq > @since AND s.seq <= @until
    AND coalesce(@id, @kinds) IS NULL
  ORDER BY 1 LIMIT -1
) AS found
JOIN changes_view AS c ON c.seq = found.seq
WHERE (c.kind IN (SELECT value FROM json_each(CAST(sqlc.narg('kinds') AS TEXT)))
  OR @kinds IS NULL AND (c.kind <> 'preference' OR CAST(@private AS BOOLEAN)))
ORDER BY found.seq
LIMIT @lim;

-- Finds every row of the kind that has the id or had it at a time that is remembered, deleted ones too.
-- name: FindRows :many
SELECT n.key FROM changes AS n WHERE n.id = @id AND n.kind = @kind
UNION
SELECT d.key FROM devices AS d WHERE d.device_id = @id AND @kind = 'device'
UNION
SELECT e.key FROM entities AS e WHERE e.entity_id = @id AND @kind = 'entity'
UNION
SELECT a.entity_key FROM entity_aliases AS a WHERE a.entity_id = @id AND @kind = 'entity'
ORDER BY 1;

-- Lists the changes of rows of a kind after @since up to @until, in order, under whatever ids.
-- name: ListRowChanges :many
SELECT c.*
FROM (
  SELECT r.seq FROM changes AS r
  WHERE r.key IN (SELECT value FROM json_each(CAST(@keys AS TEXT))) AND r.kind = @kind
    AND r.seq > @since AND r.seq <= @until
) AS found
JOIN changes_view AS c ON c.seq = found.seq
ORDER BY c.seq
LIMIT @lim;

-- Says what the changes after @since up to @until come to: of each row, its first state and its last, at
-- the place of the last, from the one after @after. A row that was created and deleted in between, or that
-- is as it was, is left out.
-- name: CollapseChanges :many
SELECT l.seq, l.at, l.kind, l.id,
       CAST(CASE WHEN f.before IS NULL THEN 'created' WHEN l.after IS NULL THEN 'deleted' ELSE 'updated' END AS TEXT) AS "action",
       f.before, l.after
FROM (
  SELECT min(s.seq) AS earliest, max(s.seq) AS latest FROM changes AS s
  WHERE s.seq > @since AND s.seq <= @until
    AND (s.kind IN (SELECT value FROM json_each(CAST(sqlc.narg('kinds') AS TEXT))) OR @kinds IS NULL AND s.kind <> 'preference')
    AND (s.id = sqlc.narg('id') OR @id IS NULL)
  GROUP BY s.key, s.kind
) AS found
JOIN changes_view AS f ON f.seq = found.earliest
JOIN changes_view AS l ON l.seq = found.latest
WHERE f.before IS NOT l.after AND l.seq > @after
ORDER BY l.seq
LIMIT @lim;

-- Says which log this is, up to where it was pruned, where it ends, and when the change @seq was, ''
-- where it is not kept.
-- name: GetChangeLog :one
SELECT l.log_id, l.pruned_seq, l.pruned_at,
       CAST(coalesce((SELECT max(c.seq) FROM changes AS c), l.pruned_seq) AS INTEGER) AS last_seq,
       CAST(coalesce((SELECT c.at FROM changes AS c ORDER BY c.seq DESC LIMIT 1), l.pruned_at) AS TEXT) AS last_at,
       CAST(coalesce((SELECT c.at FROM changes AS c WHERE c.seq = @seq), '') AS TEXT) AS at
FROM change_log AS l;

-- Gets when the first change after @seq was; '' where there is none.
-- name: TimeAfterChange :one
SELECT CAST(coalesce((SELECT c.at FROM changes AS c WHERE c.seq > @seq ORDER BY c.seq LIMIT 1), '') AS TEXT) AS at;

-- Finds the last change before a time: the log is in the order of time, and every 64th change is found by
-- its time.
-- name: FindChangeBefore :one
SELECT c.seq, c.at FROM changes AS c
WHERE c.seq >= coalesce((SELECT p.seq FROM changes AS p WHERE p.seq % 64 = 0 AND p.at < @at ORDER BY p.at DESC LIMIT 1), 0)
  AND c.seq <= coalesce((SELECT n.seq FROM changes AS n WHERE n.seq % 64 = 0 AND n.at >= @at ORDER BY n.at LIMIT 1), 9223372036854775807)
  AND c.at < @at
ORDER BY c.seq DESC LIMIT 1;

-- Finds up to where the log may be pruned: the last of those changes at its beginning that are all from
-- before a time, but no more than @lim, and never the newest change. What a clock that was wrong stamped
-- too early goes only when all before it go.
-- name: FindPrunable :one
SELECT c.seq, c.at FROM changes AS c
WHERE c.seq < (
  SELECT min(m.newest, coalesce(
           (SELECT k.seq FROM changes AS k WHERE k.seq < m.bound AND k.at || '' >= CAST(@before AS TEXT) ORDER BY k.seq LIMIT 1),
           m.bound)) AS bound
  FROM (SELECT (SELECT max(n.seq) FROM changes AS n) AS newest, (SELECT min(o.seq) FROM changes AS o) + @lim AS bound) AS m
)
ORDER BY c.seq DESC LIMIT 1;

-- Deletes the changes up to @seq.
-- name: PruneChanges :execrows
DELETE FROM changes WHERE seq <= @seq;

-- Notes up to where the log was pruned.
-- name: NotePruned :exec
UPDATE change_log SET pruned_seq = @seq, pruned_at = @at;
