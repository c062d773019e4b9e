-- The past of a home, in a file of its own: what is written all the time is kept apart from the
-- metadata, and may be lost without it.
--
-- Times are microseconds since 1970 in UTC. A point is written twice in its life: first at the end of
-- recent, which costs few pages however many entities there are, and once an hour, with all others of
-- the hour, to its place in points, where a question about one entity finds it beside its neighbours.
-- migrate:up

-- An entity. registry_id is Home Assistant's stable id, '' where it was not known yet; entity_id is the
-- name it had last, at the time named_at. Where the name came before the registry id did, and the id had a
-- row already, it has two.
CREATE TABLE series (
  e           INTEGER PRIMARY KEY AUTOINCREMENT,
  entity_id   TEXT    NOT NULL,
  registry_id TEXT    NOT NULL DEFAULT '',
  named_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX series_by_entity_id ON series (entity_id);
CREATE UNIQUE INDEX series_unbound ON series (entity_id) WHERE registry_id = '';
CREATE INDEX series_by_registry_id ON series (registry_id) WHERE registry_id <> '';

-- Points in the order in which they came. A row stays until it is in points, every follower has passed
-- it, and it is a day old; the newest row always stays, so that no id is given twice. The unique columns stand in this order so that points of now, of whatever
-- entity, are written to the same page.
CREATE TABLE recent (
  id      INTEGER PRIMARY KEY,
  e       INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  state   TEXT    NOT NULL,
  context TEXT,
  UNIQUE (at, e)
) STRICT;

-- Points in the order of entity and time.
CREATE TABLE points (
  e     INTEGER NOT NULL,
  at    INTEGER NOT NULL,
  state TEXT    NOT NULL,
  PRIMARY KEY (e, at)
) STRICT, WITHOUT ROWID;

-- What an entity did in an hour (hours since 1970) in which it has points, as a whole hour: what it held
-- before the first one and after the last one is in it. first_state and last_state are states that tell something;
-- held, where it is not null, is what holds at the end and does not. first_* is null where it is as last_*,
-- max where it is min, metered where it is change. Times are microseconds: covered, states, first_at and
-- last_at since the hour began; weighted is the sum of each number times how long it held. states is {"state": microseconds} of
-- what is no number, null where there is none, 'null' where there are too many.
CREATE TABLE hours (
  e        INTEGER NOT NULL,
  hour     INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  numbers  INTEGER NOT NULL,
  sum      REAL,
  covered  INTEGER NOT NULL,
  weighted REAL,
  min      REAL,
  max      REAL,
  first_at INTEGER,
  first_state TEXT,
  last_at  INTEGER,
  last_state TEXT,
  held     TEXT,
  change   REAL,
  metered  REAL,
  states   TEXT,
  PRIMARY KEY (e, hour)
) STRICT, WITHOUT ROWID;

-- The newest attributes of an entity.
CREATE TABLE attributes (
  e        INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  document TEXT    NOT NULL
) STRICT;

-- Who reads recent from its beginning to its end, and how far: rows up to id are passed. dropped counts
-- those that were removed before.
CREATE TABLE followers (
  name    TEXT    PRIMARY KEY,
  id      INTEGER NOT NULL,
  dropped INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is where, in one row. Rows of recent up to moved are in points and hours, too, and up to
-- moving_id those with an e up to moving_e. Points from raw_from on are whole, older ones only as hours. Points from recent_from
-- on are all in recent. oldest is the time of the oldest point that there ever was.
CREATE TABLE keeping (
  moved       INTEGER NOT NULL DEFAULT 0,
  moving_id   INTEGER NOT NULL DEFAULT 0,
  moving_e    INTEGER NOT NULL DEFAULT 0,
  raw_from    INTEGER NOT NULL DEFAULT -9223372036854775808,
  hours_from  INTEGER NOT NULL DEFAULT -9223372036854775808,
  recent_from INTEGER NOT NULL DEFAULT -9223372036854775808,
  oldest      INTEGER NOT NULL DEFAULT 9223372036854775807
) STRICT;
INSERT INTO keeping DEFAULT VALUES;

-- For people, and for programs that read the file: every point that is kept.
CREATE VIEW points_view AS
SELECT s.entity_id, strftime('%Y-%m-%dT%H:%M:%fZ', p.at / 1000000.0, 'unixepoch') AS time, p.state, p.at, s.registry_id
FROM points AS p JOIN series AS s ON s.e = p.e
UNION ALL
SELECT s.entity_id, strftime('%Y-%m-%dT%H:%M:%fZ', r.at / 1000000.0, 'unixepoch'), r.state, r.at, s.registry_id
FROM recent AS r JOIN series AS s ON s.e = r.e JOIN keeping AS k ON r.id > k.moved AND NOT (r.id <= k.moving_id AND r.e <= k.moving_e);

-- migrate:down
DROP VIEW points_view;
DROP TABLE keeping;
DROP TABLE followers;
DROP TABLE attributes;
DROP TABLE hours;
DROP TABLE points;
DROP TABLE recent;
DROP TABLE series;
