-- Lists points of one row from @from on, before @until, in order.
-- name: ListPoints :many
SELECT p.at, p.state FROM points AS p
WHERE p.e = @e AND p.at >= @from_at AND p.at < @until
ORDER BY p.at
LIMIT @lim;

-- Gets the newest point of one row before @until.
-- name: PointBefore :one
SELECT p.at, p.state FROM points AS p
WHERE p.e = @e AND p.at < @until
ORDER BY p.at DESC
LIMIT 1;

-- Gets the newest point of one row before @until that tells something.
-- name: KnownPointBefore :one
SELECT p.at, p.state FROM points AS p
WHERE p.e = @e AND p.at < @until AND p.state NOT IN ('unavailable', 'unknown')
ORDER BY p.at DESC
LIMIT 1;

-- Lists the hours of one row from @from_hour on, before @until, in order, with what is null spelt out. The
-- states only where @with_states is 1.
-- name: ListHours :many
SELECT h.hour, h.count, h.numbers, CAST(coalesce(h.sum, 0) AS REAL) AS sum,
       h.covered, CAST(coalesce(h.weighted, 0) AS REAL) AS weighted,
       CAST(h.min IS NOT NULL AS INTEGER) AS ranged, CAST(coalesce(h.min, 0) AS REAL) AS min, CAST(coalesce(h.max, h.min, 0) AS REAL) AS max,
       CAST(coalesce(h.first_at, h.last_at, 0) AS INTEGER) AS first_at, CAST(coalesce(h.first_state, h.last_state, '') AS TEXT) AS first_state,
       CAST(coalesce(h.last_at, 0) AS INTEGER) AS last_at, CAST(coalesce(h.last_state, '') AS TEXT) AS last_state,
       CAST(coalesce(h.held, h.last_state, '') AS TEXT) AS held,
       CAST(h.change IS NOT NULL AS INTEGER) AS changed, CAST(coalesce(h.change, 0) AS REAL) AS change, CAST(coalesce(h.metered, h.change, 0) AS REAL) AS metered,
       CAST(CASE WHEN CAST(@with_states AS INTEGER) THEN coalesce(h.states, '') ELSE '' END AS TEXT) AS states
FROM hours AS h
WHERE h.e = @e AND h.hour >= @from_hour AND h.hour < @until
ORDER BY h.hour;

-- Gets the first hour of one row from @from_hour on.
-- name: NextHour :one
SELECT h.hour, h.last_state FROM hours AS h
WHERE h.e = @e AND h.hour >= @from_hour
ORDER BY h.hour
LIMIT 1;

-- Gets what holds at the end of the newest hour of one row before @until.
-- name: HourBefore :one
SELECT h.hour, CAST(coalesce(h.held, h.last_state, '') AS TEXT) AS held FROM hours AS h
WHERE h.e = @e AND h.hour < @until
ORDER BY h.hour DESC
LIMIT 1;

-- Gets the newest hour of one row before @until in which something was known.
-- name: KnownHourBefore :one
SELECT h.hour, CAST(h.last_state AS TEXT) AS held FROM hours AS h
WHERE h.e = @e AND h.hour < @until AND h.last_state IS NOT NULL
ORDER BY h.hour DESC
LIMIT 1;

-- Lists points of a time, newest first, from the one after the cursor. @es is a JSON list of rows, or null
-- for all.
-- name: ListEvents :many
SELECT c.e, c.entity_id, c.registry_id, c.at, c.state
FROM (
  SELECT s.e, s.entity_id, s.registry_id, p.at, p.state
  FROM series AS s CROSS JOIN points AS p ON p.e = s.e AND p.at >= @from_at AND p.at <= @until
  UNION ALL
  SELECT s.e, s.entity_id, s.registry_id, r.at, r.state
  FROM recent AS r CROSS JOIN keeping AS k JOIN series AS s ON s.e = r.e
  WHERE r.at >= @from_at AND r.at <= @until AND r.id > k.moved AND NOT (r.id <= k.moving_id AND r.e <= k.moving_e)
) AS c
WHERE (c.at < CAST(@until AS INTEGER) OR c.entity_id < CAST(@before AS TEXT))
  AND (c.e IN (SELECT value FROM json_each(CAST(sqlc.narg('es') AS TEXT))) OR @es IS NULL)
ORDER BY c.at DESC, c.entity_id DESC
LIMIT @lim;

-- Counts all points of a time by hour, as far as they are kept.
-- name: CountPointsByHour :many
SELECT CAST(c.at / 3600000000 AS INTEGER) AS hour, CAST(count(*) AS INTEGER) AS count
FROM (
  SELECT p.at FROM series AS s CROSS JOIN points AS p ON p.e = s.e AND p.at >= @from_at AND p.at < @until
  UNION ALL
  SELECT r.at FROM recent AS r CROSS JOIN keeping AS k
  WHERE r.at >= @from_at AND r.at < @until AND r.id > k.moved AND NOT (r.id <= k.moving_id AND r.e <= k.moving_e)
) AS c
GROUP BY 1
ORDER BY 1;

-- Counts all points of a time, as far as they are kept.
-- name: CountPoints :one
SELECT CAST(count(*) AS INTEGER) AS count
FROM (
  SELECT p.at FROM series AS s CROSS JOIN points AS p ON p.e = s.e AND p.at >= @from_at AND p.at < @until
  UNION ALL
  SELECT r.at FROM recent AS r CROSS JOIN keeping AS k
  WHERE r.at >= @from_at AND r.at < @until AND r.id > k.moved AND NOT (r.id <= k.moving_id AND r.e <= k.moving_e)
) AS c;

-- Counts all points of a time by hour, of what is only kept as hours.
-- name: CountHours :many
SELECT h.hour, CAST(sum(h.count) AS INTEGER) AS count
FROM series AS s CROSS JOIN hours AS h ON h.e = s.e AND h.hour >= @from_hour AND h.hour < @until
GROUP BY h.hour
ORDER BY h.hour;

-- Counts the points of a time by entity, as far as they are kept.
-- name: CountPointsByEntity :many
SELECT c.entity_id, CAST(count(*) AS INTEGER) AS count, CAST(max(c.at) AS INTEGER) AS newest
FROM (
  SELECT s.entity_id, p.at FROM series AS s CROSS JOIN points AS p ON p.e = s.e AND p.at >= @from_at AND p.at < @until
  UNION ALL
  SELECT s.entity_id, r.at FROM recent AS r CROSS JOIN keeping AS k JOIN series AS s ON s.e = r.e
  WHERE r.at >= @from_at AND r.at < @until AND r.id > k.moved AND NOT (r.id <= k.moving_id AND r.e <= k.moving_e)
) AS c
GROUP BY c.entity_id
ORDER BY c.entity_id;
