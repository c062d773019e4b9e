-- Gets what is where.
-- name: GetKeeping :one
SELECT * FROM keeping;

-- Lists whose points a move takes: rows after @moved up to @until, by entity.
-- name: ListMoving :many
SELECT r.e, CAST(min(r.at) AS INTEGER) AS earliest, CAST(max(r.at) AS INTEGER) AS latest, CAST(count(*) AS INTEGER) AS count
FROM recent AS r
WHERE r.id > @moved AND r.id <= @until
GROUP BY r.e
ORDER BY r.e;

-- Puts points of recent to their places. Doing it again does nothing.
-- name: MovePoints :exec
INSERT INTO points (e, at, state)
SELECT r.e, r.at, r.state
FROM recent AS r
WHERE r.id > @moved AND r.id <= @until AND r.e >= @first_e AND r.e <= @last_e
  AND r.at >= (SELECT k.raw_from FROM keeping AS k)
ORDER BY r.e, r.at
ON CONFLICT DO NOTHING;

-- Notes how far a move is.
-- name: NoteMoving :exec
UPDATE keeping SET moving_id = @moving_id, moving_e = @moving_e;

-- Notes the end of a move.
-- name: NoteMoved :exec
UPDATE keeping SET moved = @moved, moving_id = 0, moving_e = 0, oldest = min(oldest, CAST(@oldest AS INTEGER));

-- Stores what an entity did in an hour, where that is news.
-- name: SaveHour :exec
INSERT INTO hours (e, hour, count, numbers, sum, covered, weighted, min, max, first_at, first_state, last_at, last_state, held, change, metered, states)
VALUES (@e, @hour, @count, @numbers, @sum, @covered, @weighted, @min, @max, @first_at, @first_state, @last_at, @last_state, @held, @change, @metered, @states)
ON CONFLICT (e, hour) DO UPDATE SET
  count = excluded.count, numbers = excluded.numbers, sum = excluded.sum, covered = excluded.covered,
  weighted = excluded.weighted, min = excluded.min, max = excluded.max, first_at = excluded.first_at,
  first_state = excluded.first_state, last_at = excluded.last_at, last_state = excluded.last_state,
  held = excluded.held, change = excluded.change, metered = excluded.metered, states = excluded.states
WHERE (excluded.count, excluded.numbers, excluded.sum, excluded.covered, excluded.weighted, excluded.min, excluded.max, excluded.first_at,
  excluded.first_state, excluded.last_at, excluded.last_state, excluded.held, excluded.change, excluded.metered, excluded.states)
  IS NOT (hours.count, hours.numbers, hours.sum, hours.covered, hours.weighted, hours.min, hours.max, hours.first_at,
  hours.first_state, hours.last_at, hours.last_state, hours.held, hours.change, hours.metered, hours.states);

-- Notes from when on points are kept whole, and hours.
-- name: NoteKept :exec
UPDATE keeping SET raw_from = max(raw_from, CAST(@raw_from AS INTEGER)), hours_from = max(hours_from, CAST(@hours_from AS INTEGER));

-- Takes back what was noted by a clock that was ahead: all before @now may be deleted, and all from then on is kept.
-- name: NoteClockPutBack :execrows
UPDATE keeping SET
  raw_from = min(raw_from, CAST(@now AS INTEGER)),
  hours_from = min(hours_from, CAST(@hour AS INTEGER)),
  recent_from = min(recent_from, CAST(@now AS INTEGER))
WHERE raw_from > @now OR hours_from > @hour OR recent_from > @now;

-- Deletes the points of one row before @before, but for its newest.
-- name: DeletePoints :execrows
DELETE FROM points
WHERE points.e = @e AND points.at < @before AND points.at < (SELECT max(n.at) FROM points AS n WHERE n.e = @e);

-- Deletes the hours of one row before @before.
-- name: DeleteHours :execrows
DELETE FROM hours WHERE e = @e AND hour < @before;

-- Notes from when on all points are in recent, and the last row of it that was deleted.
-- name: NoteRecent :exec
UPDATE keeping SET recent_from = max(recent_from, CAST(@recent_from AS INTEGER)), emptied = max(emptied, CAST(@emptied AS INTEGER));

-- Tells up to which row recent may be emptied: what is moved, and passed by every follower.
-- name: PassedByAll :one
SELECT CAST(min(k.moved, coalesce((SELECT min(f.id) FROM followers AS f), k.moved)) AS INTEGER) AS id FROM keeping AS k;

-- Deletes up to @lim rows of recent, the first ones, up to the row @until and the time @before, but for the
-- newest. Tells which.
-- name: DeleteRecent :many
DELETE FROM recent WHERE id IN (
  SELECT r.id FROM recent AS r WHERE r.id <= @until AND r.at < @before AND r.id < (SELECT max(n.id) FROM recent AS n) ORDER BY r.id LIMIT @lim
)
RETURNING recent.id;

-- Tells how many rows recent has, by its first and last id.
-- name: SpanOfRecent :one
SELECT CAST(coalesce(min(id), 0) AS INTEGER) AS earliest, CAST(coalesce(max(id), 0) AS INTEGER) AS latest FROM recent;

-- Gets the newest time among the rows of recent up to @until, 0 where there are none.
-- name: NewestUpTo :one
SELECT CAST(coalesce(max(r.at), 0) AS INTEGER) AS at FROM recent AS r WHERE r.id <= @until;

-- Counts, for each follower that has not passed them, the rows up to @until as dropped. They are of the time
-- before @given_from.
-- name: DropUnpassed :exec
UPDATE followers SET
  dropped = dropped + (SELECT count(*) FROM recent AS r WHERE r.id > followers.id AND r.id <= @until),
  id = @until,
  given_from = max(given_from, CAST(@given_from AS INTEGER))
WHERE followers.id < @until;
