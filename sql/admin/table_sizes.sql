-- Tells how many bytes each table and index takes.
SELECT name, CAST(sum(pgsize) AS INTEGER) AS bytes FROM dbstat GROUP BY name ORDER BY name
