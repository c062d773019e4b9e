-- Sets the tables of the service before this one aside, so that the migrations find their names free.
-- An index keeps its name when its table is renamed, but ours carry other names.
ALTER TABLE devices RENAME TO predecessor_devices;
ALTER TABLE entities RENAME TO predecessor_entities;
