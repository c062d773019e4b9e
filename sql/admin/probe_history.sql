-- Reads the newest migration and a row of each of the large tables of a history file.
SELECT (SELECT max(version) FROM schema_migrations),
       (SELECT count(*) FROM (SELECT 1 FROM recent LIMIT 1)),
       (SELECT count(*) FROM (SELECT 1 FROM points LIMIT 1))
