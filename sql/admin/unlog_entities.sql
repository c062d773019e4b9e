-- For measuring what the change log costs: entities change without being logged.
DROP TRIGGER entities_updated
