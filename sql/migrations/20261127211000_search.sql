-- The search over all registries. Who writes a row, the sqlite3 shell included, has triggers note that its words are
-- no longer what is indexed; data-api folds them (accents, case, scripts without spaces), which SQL cannot, and
-- indexes them: in the same transaction where it wrote itself, else before it next searches.
-- migrate:up

-- The kinds, in the order in which what is found is shown. The ids of a kind are first + key.
CREATE TABLE search_kinds (
  kind  TEXT    PRIMARY KEY,
  first INTEGER NOT NULL
);
INSERT INTO search_kinds (kind, first) VALUES
  ('floor', 0),
  ('area', 1099511627776),
  ('label', 2199023255552),
  ('device', 3298534883328),
  ('entity', 4398046511104),
  ('config_entry', 5497558138880);

-- Rows whose words changed.
CREATE TABLE search_dirty (id INTEGER PRIMARY KEY);

-- The folded words of each row, with one space between two of them: its names (each on a line), its ids, and whatever
-- else it is found by.
CREATE TABLE search_text (
  id    INTEGER PRIMARY KEY,
  names TEXT NOT NULL,
  ids   TEXT NOT NULL,
  more  TEXT NOT NULL
);
CREATE VIRTUAL TABLE search USING fts5(names, ids, more, content='search_text', content_rowid='id', tokenize='ascii', prefix='1 2 3');

CREATE TRIGGER search_text_inserted AFTER INSERT ON search_text
BEGIN
  INSERT INTO search (rowid, names, ids, more) VALUES (NEW.id, NEW.names, NEW.ids, NEW.more);
END;

CREATE TRIGGER search_text_updated AFTER UPDATE ON search_text
BEGIN
  INSERT INTO search (search, rowid, names, ids, more) VALUES ('delete', OLD.id, OLD.names, OLD.ids, OLD.more);
  INSERT INTO search (rowid, names, ids, more) VALUES (NEW.id, NEW.names, NEW.ids, NEW.more);
END;

CREATE TRIGGER search_text_deleted AFTER DELETE ON search_text
BEGIN
  INSERT INTO search (search, rowid, names, ids, more) VALUES ('delete', OLD.id, OLD.names, OLD.ids, OLD.more);
END;

-- What each row is found by, as it is written. Lists of names have a line for each.
CREATE VIEW floors_as_words AS
SELECT t.key,
       t.name
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '') AS names,
       t.floor_id AS ids, '' AS more
FROM floors AS t;

CREATE VIEW areas_as_words AS
SELECT t.key,
       t.name
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '') AS names,
       t.area_id AS ids,
       coalesce((SELECT f.name FROM floors AS f WHERE f.key = t.floor_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM area_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.area_key = t.key), '') AS more
FROM areas AS t;

CREATE VIEW labels_as_words AS
SELECT t.key, t.name AS names, t.label_id AS ids, coalesce(t.description, '') AS more
FROM labels AS t;

CREATE VIEW devices_as_words AS
SELECT t.key,
       coalesce(nullif(t.name_by_user, ''), nullif(t.name, ''), nullif(t.model, ''), t.device_id) AS names,
       t.device_id AS ids,
       coalesce(t.effective_manufacturer, '')
         || ' ' || coalesce(t.effective_model, '')
         || ' ' || coalesce(t.model_id, '')
         || ' ' || coalesce(t.effective_integration, '')
         || ' ' || coalesce((SELECT a.name FROM areas AS a WHERE a.key = t.area_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM device_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.device_key = t.key), '') AS more
FROM devices AS t;

CREATE VIEW entities_as_words AS
SELECT t.key,
       coalesce(t.effective_name, '')
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases) AS j), '')
         || char(10) || coalesce((SELECT group_concat(j.value, char(10)) FROM json_each(t.aliases_v2) AS j), '') AS names,
       t.entity_id AS ids,
       coalesce((SELECT a.name FROM areas AS a WHERE a.key = t.area_key), '')
         || ' ' || coalesce((SELECT group_concat(l.name, ' ') FROM entity_labels AS k JOIN labels AS l ON l.key = k.label_key WHERE k.entity_key = t.key), '') AS more
FROM entities AS t;

CREATE VIEW config_entries_as_words AS
SELECT t.key, t.title AS names, t.entry_id AS ids, t.domain AS more
FROM config_entries AS t;

-- Who notes what. A row that is gone is noted as well.
CREATE TRIGGER floors_found_first AFTER INSERT ON floors
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + NEW.key);
END;

CREATE TRIGGER floors_found AFTER UPDATE OF name, aliases ON floors
WHEN (NEW.name, NEW.aliases) IS NOT (OLD.name, OLD.aliases)
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 1099511627776 + t.key FROM areas AS t WHERE t.floor_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + t.key);
END;

CREATE TRIGGER floors_lost AFTER DELETE ON floors
BEGIN
  INSERT INTO search_dirty (id) SELECT 0 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 0 + OLD.key);
END;

CREATE TRIGGER areas_found_first AFTER INSERT ON areas
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.key);
END;

CREATE TRIGGER areas_found AFTER UPDATE OF name, aliases, floor_key ON areas
WHEN (NEW.name, NEW.aliases, NEW.floor_key) IS NOT (OLD.name, OLD.aliases, OLD.floor_key)
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 3298534883328 + t.key FROM devices AS t WHERE t.area_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + t.key);
  INSERT INTO search_dirty (id) SELECT 4398046511104 + t.key FROM entities AS t WHERE t.area_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + t.key);
END;

CREATE TRIGGER areas_lost AFTER DELETE ON areas
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + OLD.key);
END;

CREATE TRIGGER labels_found_first AFTER INSERT ON labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + NEW.key);
END;

CREATE TRIGGER labels_found AFTER UPDATE OF name, description ON labels
WHEN (NEW.name, NEW.description) IS NOT (OLD.name, OLD.description)
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + NEW.key);
  INSERT INTO search_dirty (id) SELECT 1099511627776 + t.area_key FROM area_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + t.area_key);
  INSERT INTO search_dirty (id) SELECT 3298534883328 + t.device_key FROM device_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + t.device_key);
  INSERT INTO search_dirty (id) SELECT 4398046511104 + t.entity_key FROM entity_labels AS t WHERE t.label_key = NEW.key AND NEW.name <> OLD.name AND NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + t.entity_key);
END;

CREATE TRIGGER labels_lost AFTER DELETE ON labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 2199023255552 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 2199023255552 + OLD.key);
END;

CREATE TRIGGER devices_found_first AFTER INSERT ON devices
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.key);
END;

CREATE TRIGGER devices_found AFTER UPDATE OF name, name_by_user, model, model_id, effective_manufacturer, effective_integration, area_key ON devices
WHEN (NEW.name, NEW.name_by_user, NEW.model, NEW.model_id, NEW.effective_manufacturer, NEW.effective_integration, NEW.area_key, NEW.effective_model) IS NOT (OLD.name, OLD.name_by_user, OLD.model, OLD.model_id, OLD.effective_manufacturer, OLD.effective_integration, OLD.area_key, OLD.effective_model)
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.key);
END;

CREATE TRIGGER devices_lost AFTER DELETE ON devices
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + OLD.key);
END;

CREATE TRIGGER entities_found_first AFTER INSERT ON entities
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.key);
END;

CREATE TRIGGER entities_found AFTER UPDATE OF entity_id, name, original_name, has_entity_name, device_name, aliases, aliases_v2, area_key ON entities
WHEN (NEW.entity_id, NEW.effective_name, NEW.aliases, NEW.aliases_v2, NEW.area_key) IS NOT (OLD.entity_id, OLD.effective_name, OLD.aliases, OLD.aliases_v2, OLD.area_key)
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.key);
END;

CREATE TRIGGER entities_lost AFTER DELETE ON entities
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + OLD.key);
END;

CREATE TRIGGER config_entries_found_first AFTER INSERT ON config_entries
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + NEW.key);
END;

CREATE TRIGGER config_entries_found AFTER UPDATE OF title, domain ON config_entries
WHEN (NEW.title, NEW.domain) IS NOT (OLD.title, OLD.domain)
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + NEW.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + NEW.key);
END;

CREATE TRIGGER config_entries_lost AFTER DELETE ON config_entries
BEGIN
  INSERT INTO search_dirty (id) SELECT 5497558138880 + OLD.key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 5497558138880 + OLD.key);
END;

CREATE TRIGGER area_labels_found AFTER INSERT ON area_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + NEW.area_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + NEW.area_key);
END;

CREATE TRIGGER area_labels_lost AFTER DELETE ON area_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 1099511627776 + OLD.area_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 1099511627776 + OLD.area_key);
END;

CREATE TRIGGER device_labels_found AFTER INSERT ON device_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + NEW.device_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + NEW.device_key);
END;

CREATE TRIGGER device_labels_lost AFTER DELETE ON device_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 3298534883328 + OLD.device_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 3298534883328 + OLD.device_key);
END;

CREATE TRIGGER entity_labels_found AFTER INSERT ON entity_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + NEW.entity_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + NEW.entity_key);
END;

CREATE TRIGGER entity_labels_lost AFTER DELETE ON entity_labels
BEGIN
  INSERT INTO search_dirty (id) SELECT 4398046511104 + OLD.entity_key WHERE NOT EXISTS (SELECT 1 FROM search_dirty AS s WHERE s.id = 4398046511104 + OLD.entity_key);
END;

-- What is there already.
INSERT INTO search_dirty (id) SELECT 0 + t.key FROM floors AS t;
INSERT INTO search_dirty (id) SELECT 1099511627776 + t.key FROM areas AS t;
INSERT INTO search_dirty (id) SELECT 2199023255552 + t.key FROM labels AS t;
INSERT INTO search_dirty (id) SELECT 3298534883328 + t.key FROM devices AS t;
INSERT INTO search_dirty (id) SELECT 4398046511104 + t.key FROM entities AS t;
INSERT INTO search_dirty (id) SELECT 5497558138880 + t.key FROM config_entries AS t;

-- migrate:down
DROP TRIGGER entity_labels_lost;
DROP TRIGGER entity_labels_found;
DROP TRIGGER device_labels_lost;
DROP TRIGGER device_labels_found;
DROP TRIGGER area_labels_lost;
DROP TRIGGER area_labels_found;
DROP TRIGGER config_entries_lost;
DROP TRIGGER config_entries_found;
DROP TRIGGER config_entries_found_first;
DROP TRIGGER entities_lost;
DROP TRIGGER entities_found;
DROP TRIGGER entities_found_first;
DROP TRIGGER devices_lost;
DROP TRIGGER devices_found;
DROP TRIGGER devices_found_first;
DROP TRIGGER labels_lost;
DROP TRIGGER labels_found;
DROP TRIGGER labels_found_first;
DROP TRIGGER areas_lost;
DROP TRIGGER areas_found;
DROP TRIGGER areas_found_first;
DROP TRIGGER floors_lost;
DROP TRIGGER floors_found;
DROP TRIGGER floors_found_first;
DROP VIEW config_entries_as_words;
DROP VIEW entities_as_words;
DROP VIEW devices_as_words;
DROP VIEW labels_as_words;
DROP VIEW areas_as_words;
DROP VIEW floors_as_words;
DROP TABLE search;
DROP TABLE search_text;
DROP TABLE search_dirty;
DROP TABLE search_kinds;
