-- The table that dbmate keeps, in dbmate's words.
CREATE TABLE IF NOT EXISTS schema_migrations (version varchar(128) PRIMARY KEY)
