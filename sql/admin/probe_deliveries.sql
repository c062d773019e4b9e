-- Reads the newest migration and a row of the tables of a file of deliveries.
SELECT (SELECT max(version) FROM schema_migrations),
       (SELECT count(*) FROM (SELECT 1 FROM deliveries_view LIMIT 1)),
       (SELECT count(*) FROM (SELECT 1 FROM lines LIMIT 1))
