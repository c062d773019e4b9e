-- Reads the newest migration and a row of each of the large tables.
SELECT (SELECT max(version) FROM schema_migrations),
       (SELECT count(*) FROM (SELECT 1 FROM devices_view LIMIT 1)),
       (SELECT count(*) FROM (SELECT 1 FROM entities_view LIMIT 1))
