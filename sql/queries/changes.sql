-- Lists the changes after @since up to @until, in order, of the kinds or of the one id where they are given.
-- name: ListChanges :many
SELECT c.*
FROM (
  SELECT i.seq FROM changes AS i
  WHERE i.id = sqlc.narg('id') AND i.seq > @since AND i.seq <= @until
  UNION ALL
  SELECT k.seq FROM changes AS k
  WHERE k.kind = sqlc.narg('kind') AND k.seq > @since AND k.seq <= @until
    AND @id IS NULL
  UNION ALL
  SELECT s.seq FROM changes AS s
  WHERE s.seq > @since AND s.seq <= @until
    AND coalesce(@id, @kind) IS NULL
  ORDER BY 1 LIMIT -1
) AS found
JOIN changes_view AS c ON c.seq = found.seq
WHERE (c.kind = sqlc.narg('kind') OR @kind IS NULL)
ORDER BY found.seq
LIMIT @lim;

-- Lists the changes of one row after @since, in order: of every row of the kind that had the id at a time
-- that the log keeps, under whatever id it had at others.
-- name: ListRowChanges :many
SELECT c.*
FROM (
  SELECT r.seq FROM changes AS r
  WHERE r.key IN (SELECT n.key FROM changes AS n WHERE n.id = @id AND n.kind = @kind) AND r.kind = @kind
    AND r.seq > @since AND r.seq <= @until
) AS found
JOIN changes_view AS c ON c.seq = found.seq
ORDER BY c.seq
LIMIT @lim;

-- Says what the changes after @since up to @until come to: of each row, its first state and its last, at
-- the place of the last. A row that was created and deleted in between, or that is as it was, is left out.
-- name: CollapseChanges :many
SELECT l.seq, l.at, l.kind, l.id,
       CAST(CASE WHEN f.before IS NULL THEN 'created' WHEN l.after IS NULL THEN 'deleted' ELSE 'updated' END AS TEXT) AS "action",
       f.before, l.after
FROM (
  SELECT min(s.seq) AS earliest, max(s.seq) AS latest FROM changes AS s
  WHERE s.seq > @since AND s.seq <= @until
    AND (s.kind = sqlc.narg('kind') OR @kind IS NULL)
    AND (s.id = sqlc.narg('id') OR @id IS NULL)
  GROUP BY s.key, s.kind
) AS found
JOIN changes AS f ON f.seq = found.earliest
JOIN changes AS l ON l.seq = found.latest
WHERE f.before IS NOT l.after
ORDER BY l.seq;

-- Finds the change up to which, from @since on, no more than @lim rows changed.
-- name: FindCollapsible :one
SELECT CAST(coalesce(min(n.earliest) - 1, @until) AS INTEGER) AS seq
FROM (
  SELECT min(s.seq) AS earliest FROM changes AS s
  WHERE s.seq > @since AND s.seq <= @until
    AND (s.kind = sqlc.narg('kind') OR @kind IS NULL)
    AND (s.id = sqlc.narg('id') OR @id IS NULL)
  GROUP BY s.key, s.kind
  ORDER BY 1 LIMIT 1 OFFSET @lim
) AS n;

-- Says which log this is, up to where it was pruned, where it ends, and when the change @seq was, ''
-- where it is not kept.
-- name: GetChangeLog :one
SELECT l.log_id, l.pruned_seq, l.pruned_at,
       CAST(coalesce((SELECT max(c.seq) FROM changes AS c), l.pruned_seq) AS INTEGER) AS last_seq,
       CAST(coalesce((SELECT c.at FROM changes AS c ORDER BY c.seq DESC LIMIT 1), l.pruned_at) AS TEXT) AS last_at,
       CAST(coalesce((SELECT c.at FROM changes AS c WHERE c.seq = @seq), '') AS TEXT) AS at
FROM change_log AS l;

-- Finds the last change before a time, 0 where there is none.
-- name: FindChangeBefore :one
SELECT CAST(coalesce(max(c.seq), 0) AS INTEGER) AS seq FROM changes AS c WHERE c.at < @at;

-- Finds up to where the log may be pruned: the last change before a time, but no more than @lim changes
-- on, and never the newest change.
-- name: FindPrunable :one
SELECT c.seq, c.at FROM changes AS c
WHERE c.at < @before
  AND c.seq < (SELECT max(n.seq) FROM changes AS n)
  AND c.seq < (SELECT min(o.seq) FROM changes AS o) + @lim
ORDER BY c.seq DESC LIMIT 1;

-- Deletes the changes up to @seq.
-- name: PruneChanges :execrows
DELETE FROM changes WHERE seq <= @seq;

-- Notes up to where the log was pruned.
-- name: NotePruned :exec
UPDATE change_log SET pruned_seq = @seq, pruned_at = @at;
