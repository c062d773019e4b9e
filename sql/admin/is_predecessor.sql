-- Whether the file is the metadata.db of the service before this one.
SELECT count(*) = 2 FROM (
  SELECT 1 FROM pragma_table_info('devices') WHERE name = 'device_id' AND pk = 1
  UNION ALL
  SELECT 1 FROM pragma_table_info('entities') WHERE name = 'entity_id' AND pk = 1
)
