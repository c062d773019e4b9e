package db

import (
	"errors"
	"strings"
	"testing"
)

// What the triggers promise to every writer, as scripts for the sqlite3 shell: what their SELECTs print.
var triggerCases = []struct {
	name, script, want string
}{
	// placeholders
	{"an unknown area is made, named from its id, and improved later", `
		INSERT INTO devices (device_id, area_id) VALUES ('d', 'attic');
		SELECT area_id, name FROM areas;
		INSERT INTO areas (area_id, name) VALUES ('attic', 'The attic') ON CONFLICT (area_id) DO UPDATE SET name = excluded.name;
		SELECT area_id, area_name FROM devices_view;`,
		"attic|attic\nattic|The attic"},
	{"an entity's unknown area is made too", `
		INSERT INTO entities (entity_id, area_id) VALUES ('light.a', 'attic');
		UPDATE entities SET area_id = 'cellar';
		SELECT area_id, name FROM areas ORDER BY 1;
		SELECT area_name FROM entities_view;`,
		"attic|attic\ncellar|cellar\ncellar"},
	{"a device's new unknown area is made too", `
		INSERT INTO devices (device_id) VALUES ('d');
		UPDATE devices SET area_id = 'cellar';
		SELECT area_id, area_name FROM devices_view;`,
		"cellar|cellar"},
	{"an unknown floor is made, named from its id, and improved later", `
		INSERT INTO areas (area_id, name, floor_id) VALUES ('attic', 'Attic', 'top');
		SELECT floor_id, name, area_count FROM floors_view;
		UPDATE floors SET name = 'Top floor' WHERE floor_id = 'top';
		SELECT floor_name FROM areas_view;
		UPDATE areas SET floor_id = 'roof';
		SELECT floor_id, name, area_count FROM floors_view ORDER BY 1;`,
		"top|top|1\nTop floor\nroof|roof|1\ntop|Top floor|0"},
	{"unknown labels are made, named from their ids, once", `
		INSERT INTO areas (area_id, name, labels) VALUES ('a', 'A', '["l1","l1"]');
		INSERT INTO devices (device_id, labels) VALUES ('d', '["l1","l2"]');
		INSERT INTO entities (entity_id, labels) VALUES ('light.a', '["l3","l2"]');
		UPDATE labels SET name = 'Two' WHERE label_id = 'l2';
		SELECT label_id, name, area_count, device_count, entity_count FROM labels_view ORDER BY 1;`,
		"l1|l1|1|1|0\nl2|Two|0|1|1\nl3|l3|0|0|1"},

	// any order
	{"an entity before its device", `
		INSERT INTO entities (entity_id, device_id, original_name, has_entity_name) VALUES ('light.a', 'd', 'Light', 1);
		SELECT device_id, area_id, name FROM entities_view;
		INSERT INTO devices (device_id, name, area_id) VALUES ('d', 'Lamp', 'hall');
		SELECT device_id, area_id, name FROM entities_view;
		SELECT entity_count FROM devices_view;`,
		"d||Light\nd|hall|Lamp Light\n1"},
	{"a device before its config entry", `
		INSERT INTO devices (device_id, config_entry_id, integration) VALUES ('d', 'e', 'own');
		SELECT integration FROM devices_view;
		INSERT INTO config_entries (entry_id, domain, title) VALUES ('e', 'hue', 'Hue');
		SELECT integration FROM devices_view;
		SELECT device_count FROM config_entries_view;`,
		"own\nhue\n1"},
	{"an entity before its config entry", `
		INSERT INTO entities (entity_id, config_entry_id) VALUES ('light.a', 'e');
		INSERT INTO config_entries (entry_id, domain, title) VALUES ('e', 'hue', 'Hue');
		SELECT entity_count FROM config_entries_view;
		DELETE FROM config_entries;
		SELECT config_entry_id, config_entry_key FROM entities;`,
		"1\ne|"},
	{"a child before its parent, with an entity of its own", `
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'child');
		INSERT INTO devices (device_id, parent_device_id) VALUES ('child', 'parent');
		SELECT area_id, manufacturer FROM devices_view;
		INSERT INTO devices (device_id, area_id, manufacturer) VALUES ('parent', 'hall', 'Acme');
		SELECT device_id, area_id, own_area_id, manufacturer FROM devices_view ORDER BY 1;
		SELECT area_id FROM entities_view;`,
		"|Unknown\nchild|hall||Acme\nparent|hall|hall|Acme\nhall"},
	{"a device before its hub", `
		INSERT INTO devices (device_id, via_device_id) VALUES ('d', 'hub');
		INSERT INTO devices (device_id) VALUES ('hub');
		SELECT h.device_id FROM devices AS d JOIN devices AS h ON h.key = d.via_device_key;
		DELETE FROM devices WHERE device_id = 'hub';
		SELECT via_device_id, via_device_key FROM devices;
		INSERT INTO devices (device_id) VALUES ('hub');
		SELECT h.device_id FROM devices AS d JOIN devices AS h ON h.key = d.via_device_key;`,
		"hub\nhub|\nhub"},
	{"a device that is its own hub and parent", `
		INSERT INTO devices (device_id, via_device_id, parent_device_id, area_id) VALUES ('d', 'd', 'd', 'hall');
		SELECT area_id, manufacturer FROM devices_view;
		SELECT parent_device_key FROM devices;
		DELETE FROM devices;
		SELECT count(*) FROM devices;`,
		"hall|Unknown\n\n0"},

	// the effective area
	{"an entity's own area before its device's before the parent device's", `
		INSERT INTO devices (device_id, area_id) VALUES ('parent', 'p');
		INSERT INTO devices (device_id, area_id, parent_device_id) VALUES ('child', 'c', 'parent');
		INSERT INTO entities (entity_id, device_id, area_id) VALUES ('light.a', 'child', 'own');
		SELECT area_id FROM entities_view;
		UPDATE entities SET area_id = NULL;
		SELECT area_id FROM entities_view;
		UPDATE devices SET area_id = NULL WHERE device_id = 'child';
		SELECT area_id FROM entities_view;
		UPDATE devices SET area_id = NULL;
		SELECT area_id FROM entities_view;`,
		"own\nc\np\n"},
	{"a parent that moves takes the child's entities along", `
		INSERT INTO devices (device_id, area_id) VALUES ('parent', 'hall');
		INSERT INTO devices (device_id, parent_device_id) VALUES ('child', 'parent');
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'child');
		UPDATE devices SET area_id = 'attic' WHERE device_id = 'parent';
		SELECT area_id FROM devices_view WHERE device_id = 'child';
		SELECT area_id, floor_id FROM entities_view;`,
		"attic\nattic|"},
	{"a child of a child takes nothing from above its parent", `
		INSERT INTO devices (device_id, area_id, manufacturer) VALUES ('a', 'hall', 'Acme');
		INSERT INTO devices (device_id, parent_device_id) VALUES ('b', 'a'), ('c', 'b');
		UPDATE devices SET area_id = 'attic' WHERE device_id = 'a';
		SELECT device_id, area_id, manufacturer FROM devices_view ORDER BY 1;`,
		"a|attic|Acme\nb|attic|Acme\nc||Unknown"},
	{"a child that gets another parent", `
		INSERT INTO devices (device_id, area_id) VALUES ('p', 'hall'), ('q', 'attic');
		INSERT INTO devices (device_id, parent_device_id) VALUES ('child', 'p');
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'child');
		UPDATE devices SET parent_device_id = 'q' WHERE device_id = 'child';
		SELECT area_id FROM entities_view;
		UPDATE devices SET parent_device_id = NULL WHERE device_id = 'child';
		SELECT area_id FROM entities_view;`,
		"attic\n"},
	{"an area that is deleted is named by nobody any more", `
		INSERT INTO devices (device_id, area_id) VALUES ('d', 'hall');
		INSERT INTO entities (entity_id, device_id, area_id) VALUES ('light.a', 'd', 'hall'), ('light.b', 'd', NULL), ('light.c', 'd', 'attic');
		DELETE FROM areas WHERE area_id = 'hall';
		SELECT area_id, own_area_id FROM devices_view;
		SELECT entity_id, area_id, own_area_id FROM entities_view ORDER BY 1;`,
		"|\nlight.a||\nlight.b||\nlight.c|attic|attic"},
	{"a floor that is deleted is named by no area any more", `
		INSERT INTO areas (area_id, name, floor_id) VALUES ('hall', 'Hall', 'ground');
		DELETE FROM floors;
		SELECT area_id, floor_id, floor_name FROM areas_view;`,
		"hall||"},
	{"an area that moves to another floor moves all that is in it", `
		INSERT INTO areas (area_id, name, floor_id) VALUES ('hall', 'Hall', 'ground');
		INSERT INTO devices (device_id, area_id) VALUES ('d', 'hall');
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'd');
		UPDATE areas SET floor_id = 'top';
		SELECT floor_id FROM devices_view UNION ALL SELECT floor_id FROM entities_view;`,
		"top\ntop"},
	{"what is in an area moves along to another floor, is not stamped, and is on none when the floor or the area is gone", `
		INSERT INTO areas (area_id, name, floor_id) VALUES ('hall', 'Hall', 'ground'), ('attic', 'Attic', 'top');
		INSERT INTO devices (device_id, area_id, updated_at) VALUES ('d', 'hall', '2000');
		INSERT INTO entities (entity_id, device_id, area_id, updated_at) VALUES ('light.a', 'd', NULL, '2000'), ('light.b', 'd', 'attic', '2000');
		UPDATE areas SET floor_id = 'top' WHERE area_id = 'hall';
		SELECT f.floor_id, d.updated_at FROM devices AS d LEFT JOIN floors AS f ON f.key = d.floor_key;
		SELECT f.floor_id, e.updated_at FROM entities AS e LEFT JOIN floors AS f ON f.key = e.floor_key ORDER BY e.entity_id;
		DELETE FROM areas WHERE area_id = 'attic';
		SELECT f.floor_id FROM entities AS e LEFT JOIN floors AS f ON f.key = e.floor_key ORDER BY e.entity_id;
		DELETE FROM floors WHERE floor_id = 'top';
		SELECT floor_key FROM devices UNION ALL SELECT floor_key FROM entities;`,
		"top|2000\ntop|2000\ntop|2000\ntop\ntop\n\n\n"},
	{"an entity knows what its device is made by, whichever of both changes", `
		INSERT INTO devices (device_id, manufacturer) VALUES ('p', 'Acme');
		INSERT INTO devices (device_id, parent_device_id, model) VALUES ('d', 'p', 'Bulb'), ('e', NULL, NULL);
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'd'), ('light.b', NULL);
		SELECT device_manufacturer, device_model FROM entities ORDER BY entity_id;
		UPDATE devices SET manufacturer = 'Brand' WHERE device_id = 'p';
		SELECT device_manufacturer, device_model FROM entities WHERE entity_id = 'light.a';
		UPDATE devices SET manufacturer = 'Own', model = 'Lamp', parent_device_id = NULL WHERE device_id = 'd';
		SELECT device_manufacturer, device_model FROM entities WHERE entity_id = 'light.a';
		UPDATE entities SET device_id = 'e';
		SELECT device_manufacturer, device_model FROM entities ORDER BY entity_id;
		DELETE FROM devices;
		SELECT device_manufacturer, device_model FROM entities ORDER BY entity_id;`,
		"Acme|Bulb\n|\nBrand|Bulb\nOwn|Lamp\nUnknown|Unknown\nUnknown|Unknown\n|\n|"},
	{"a device that is deleted leaves its entities, and finds them when it returns", `
		INSERT INTO devices (device_id, name, area_id) VALUES ('d', 'Lamp', 'hall');
		INSERT INTO entities (entity_id, device_id, original_name, has_entity_name) VALUES ('light.a', 'd', 'Light', 1);
		DELETE FROM devices;
		SELECT device_id, area_id, name FROM entities_view;
		INSERT INTO devices (device_id, name, area_id) VALUES ('d', 'New lamp', 'attic');
		SELECT device_id, area_id, name FROM entities_view;`,
		"d||Light\nd|attic|New lamp Light"},
	{"a parent that is deleted leaves its children", `
		INSERT INTO devices (device_id, area_id, manufacturer) VALUES ('p', 'hall', 'Acme');
		INSERT INTO devices (device_id, parent_device_id) VALUES ('child', 'p');
		INSERT INTO entities (entity_id, device_id) VALUES ('light.a', 'child');
		DELETE FROM devices WHERE device_id = 'p';
		SELECT device_id, area_id, manufacturer FROM devices_view;
		SELECT device_id, area_id FROM entities_view;`,
		"child||Unknown\nchild|"},
	{"an entity that gets another device, or an unknown one", `
		INSERT INTO devices (device_id, name, area_id) VALUES ('d', 'Lamp', 'hall'), ('e', 'Fan', 'attic');
		INSERT INTO entities (entity_id, device_id, original_name, has_entity_name) VALUES ('light.a', 'd', 'Light', 1);
		UPDATE entities SET device_id = 'e';
		SELECT name, area_id FROM entities_view;
		UPDATE entities SET device_id = 'gone';
		SELECT name, area_id, device_id FROM entities_view;`,
		"Fan Light|attic\nLight||gone"},

	// the effective name
	{"a name by Home Assistant's rule", `
		INSERT INTO devices (device_id, name, name_by_user) VALUES ('d', 'Lamp', NULL), ('mine', 'Lamp', 'My lamp'), ('nameless', NULL, NULL);
		INSERT INTO entities (entity_id, device_id, name, original_name, has_entity_name) VALUES
			('light.01', 'd', 'Mine', 'Light', 1), ('light.02', 'd', NULL, 'Light', 1), ('light.03', 'mine', NULL, 'Light', 1),
			('light.04', 'd', NULL, 'Light', 0), ('light.05', 'd', NULL, NULL, 1), ('light.06', 'd', NULL, NULL, 0),
			('light.07', NULL, NULL, 'Light', 1), ('light.08', 'nameless', NULL, 'Light', 1), ('light.09', 'nameless', NULL, NULL, 1),
			('light.10', NULL, '', NULL, 0), ('light.11', 'd', '', 'Light', 1);
		SELECT entity_id, name FROM entities_view ORDER BY 1;`,
		strings.Join([]string{"light.01|Mine", "light.02|Lamp Light", "light.03|My lamp Light", "light.04|Light", "light.05|Lamp", "light.06|06",
			"light.07|Light", "light.08|Light", "light.09|09", "light.10|10", "light.11|Lamp Light"}, "\n")},
	{"names follow the device's names", `
		INSERT INTO devices (device_id, name) VALUES ('d', 'Lamp');
		INSERT INTO entities (entity_id, device_id, original_name, has_entity_name) VALUES ('light.a', 'd', 'Light', 1), ('light.b', 'd', 'Light', 0);
		UPDATE devices SET name_by_user = 'Desk lamp';
		SELECT name FROM entities_view ORDER BY entity_id;
		UPDATE devices SET name_by_user = NULL, name = 'Lamp 2';
		SELECT name FROM entities_view ORDER BY entity_id;`,
		"Desk lamp Light\nLight\nLamp 2 Light\nLight"},
	{"a rename changes the name that comes from the object id, and the domain", `
		INSERT INTO entities (entity_id) VALUES ('light.desk');
		UPDATE entities SET entity_id = 'switch.shelf';
		SELECT entity_id, domain, name FROM entities_view;`,
		"switch.shelf|switch|shelf"},
	{"a device without a name is called by its model, else by its id", `
		INSERT INTO devices (device_id, model) VALUES ('d', 'Bulb'), ('e', NULL);
		SELECT name, model FROM devices_view ORDER BY device_id;`,
		"Bulb|Bulb\ne|Unknown"},

	// manufacturer and integration
	{"a child takes its parent's manufacturer where it has none", `
		INSERT INTO devices (device_id, manufacturer) VALUES ('p', 'Acme');
		INSERT INTO devices (device_id, parent_device_id, manufacturer) VALUES ('a', 'p', NULL), ('b', 'p', 'Own');
		SELECT device_id, manufacturer FROM devices_view ORDER BY 1;
		UPDATE devices SET manufacturer = NULL;
		SELECT device_id, manufacturer FROM devices_view ORDER BY 1;`,
		"a|Acme\nb|Own\np|Acme\na|Unknown\nb|Unknown\np|Unknown"},
	{"an integration is the config entry's domain, else the device's own, else of its first identifier", `
		INSERT INTO config_entries (entry_id, domain, title) VALUES ('e', 'hue', 'Hue'), ('p', 'matter', 'Matter');
		INSERT INTO devices (device_id, primary_config_entry, config_entry_id, config_entries, integration, identifiers) VALUES
			('1', 'p', 'e', '["e"]', 'own', '[["zha","x"]]'), ('2', NULL, 'e', '["p"]', 'own', '[["zha","x"]]'),
			('3', NULL, NULL, '["e","p"]', 'own', '[["zha","x"]]'), ('4', NULL, NULL, '[]', 'own', '[["zha","x"]]'),
			('5', NULL, NULL, '[]', NULL, '[["zha","x"],["mqtt","y"]]'), ('6', NULL, NULL, '[]', NULL, '[]'),
			('7', 'unknown', 'e', '["e"]', NULL, '[["zha","x"]]');
		SELECT device_id, integration FROM devices_view ORDER BY 1;`,
		"1|matter\n2|hue\n3|hue\n4|own\n5|zha\n6|\n7|zha"},
	{"an integration follows its config entry", `
		INSERT INTO config_entries (entry_id, domain, title) VALUES ('e', 'hue', 'Hue');
		INSERT INTO devices (device_id, config_entries, integration) VALUES ('d', '["e"]', 'own');
		UPDATE config_entries SET domain = 'hue2';
		SELECT integration FROM devices_view;
		DELETE FROM config_entries;
		SELECT integration FROM devices_view;`,
		"hue2\nown"},

	// labels
	{"membership follows the labels column", `
		INSERT INTO entities (entity_id, labels) VALUES ('light.a', '["x","y"]');
		UPDATE entities SET labels = '["y","z"]';
		SELECT label_id FROM labels JOIN entity_labels ON label_key = key ORDER BY 1;
		DELETE FROM entities;
		SELECT count(*) FROM entity_labels;`,
		"y\nz\n0"},
	{"a renamed entity keeps its place among those of a label", `
		INSERT INTO entities (entity_id, labels) VALUES ('light.a', '["x"]'), ('light.b', '["x"]');
		UPDATE entities SET entity_id = 'light.c', labels = '["x","y"]' WHERE entity_id = 'light.a';
		SELECT l.label_id, k.entity_id FROM entity_labels AS k JOIN labels AS l ON l.key = k.label_key ORDER BY 1, 2;`,
		"x|light.b\nx|light.c\ny|light.c"},
	{"a label that is deleted is worn by nobody any more", `
		INSERT INTO areas (area_id, name, labels) VALUES ('a', 'A', '["x"]');
		INSERT INTO devices (device_id, labels) VALUES ('d', '["w","x","y"]');
		INSERT INTO entities (entity_id, labels) VALUES ('light.a', '["x","y","x"]'), ('light.b', '["y"]');
		DELETE FROM labels WHERE label_id = 'x';
		SELECT labels FROM areas UNION ALL SELECT labels FROM devices UNION ALL SELECT labels FROM entities;
		SELECT label_id, area_count, device_count, entity_count FROM labels_view ORDER BY 1;`,
		"[]\n[\"w\",\"y\"]\n[\"y\"]\n[\"y\"]\nw|0|1|0\ny|0|1|2"},
	{"memberships end with areas and devices", `
		INSERT INTO areas (area_id, name, labels) VALUES ('a', 'A', '["x"]');
		INSERT INTO devices (device_id, labels) VALUES ('d', '["x"]');
		DELETE FROM areas; DELETE FROM devices;
		SELECT (SELECT count(*) FROM area_labels) + (SELECT count(*) FROM device_labels);`,
		"0"},

	// times
	{"a row is stamped for a writer that does not say when", `
		INSERT INTO floors (floor_id, name) VALUES ('f', 'F');
		INSERT INTO labels (label_id, name) VALUES ('l', 'L');
		INSERT INTO areas (area_id, name) VALUES ('a', 'A');
		INSERT INTO config_entries (entry_id, domain, title) VALUES ('c', 'c', 'C');
		INSERT INTO devices (device_id) VALUES ('d');
		INSERT INTO entities (entity_id) VALUES ('light.e');
		UPDATE floors SET updated_at = '2000'; UPDATE labels SET updated_at = '2000'; UPDATE areas SET updated_at = '2000';
		UPDATE config_entries SET updated_at = '2000'; UPDATE devices SET updated_at = '2000'; UPDATE entities SET updated_at = '2000';
		UPDATE floors SET level = 1; UPDATE labels SET color = 'red'; UPDATE areas SET icon = 'i';
		UPDATE config_entries SET state = 'loaded'; UPDATE devices SET sw_version = '2'; UPDATE entities SET icon = 'i';
		SELECT updated_at GLOB '2[0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9]000Z' FROM (
			SELECT updated_at FROM floors UNION ALL SELECT updated_at FROM labels UNION ALL SELECT updated_at FROM areas
			UNION ALL SELECT updated_at FROM config_entries UNION ALL SELECT updated_at FROM devices UNION ALL SELECT updated_at FROM entities);`,
		"1\n1\n1\n1\n1\n1"},
	{"a writer that says when is believed", `
		INSERT INTO devices (device_id) VALUES ('d');
		UPDATE devices SET name = 'New', updated_at = '2001-01-01T00:00:00.000000Z';
		SELECT updated_at FROM devices;`,
		"2001-01-01T00:00:00.000000Z"},
	{"what changes only in effect is stamped, too", `
		INSERT INTO devices (device_id) VALUES ('d');
		INSERT INTO entities (entity_id, device_id) VALUES ('light.e', 'd');
		UPDATE entities SET updated_at = '2000';
		UPDATE devices SET area_id = 'hall';
		SELECT area_id, updated_at > '2000' FROM entities_view;`,
		"hall|1"},
}

func TestTriggers(t *testing.T) {
	for _, c := range triggerCases {
		t.Run(c.name, func(t *testing.T) {
			d := inMemory(t)
			var printed []string
			for _, s := range strings.Split(c.script, ";") {
				if strings.HasPrefix(strings.TrimSpace(s), "SELECT") {
					printed = append(printed, rowsOf(t, d.writer.pool, s))
				} else {
					execute(t, d, s)
				}
			}
			want(t, "printed", strings.Join(printed, "\n"), c.want)
			want(t, "disagreements", rowsOf(t, d.writer, disagreements), "")
		})
	}
}

func TestTriggersInTheShellWithForeignKeysOff(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	empty := read(t, path)
	for _, c := range triggerCases {
		t.Run(c.name, func(t *testing.T) {
			path := fileIn(t)
			overwrite(t, path, empty)
			got := shell(t, path, "PRAGMA synchronous = OFF; PRAGMA foreign_keys;\n"+c.script+disagreements+";")
			want(t, "printed", got+"\n", "0\n"+c.want+"\n")
		})
	}
}

func TestIdsDoNotChange(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `INSERT INTO floors (floor_id, name) VALUES ('x', 'X'); INSERT INTO labels (label_id, name) VALUES ('x', 'X');
		INSERT INTO areas (area_id, name) VALUES ('x', 'X'); INSERT INTO config_entries (entry_id, domain, title) VALUES ('x', 'x', 'X');
		INSERT INTO devices (device_id) VALUES ('x')`)
	for table, id := range map[string]string{"floors": "floor_id", "labels": "label_id", "areas": "area_id", "config_entries": "entry_id", "devices": "device_id"} {
		_, err := d.writer.pool.Exec("UPDATE " + table + " SET " + id + " = 'y'")
		if !errors.Is(Classify(err), ErrConflict) {
			t.Errorf("changing %s: %v, want ErrConflict", id, err)
		}
		execute(t, d, "UPDATE "+table+" SET "+id+" = 'x'")
	}
}

func TestIdsAreUnique(t *testing.T) {
	for _, insert := range []string{
		"INSERT INTO floors (floor_id, name) VALUES ('x', 'X')", "INSERT INTO labels (label_id, name) VALUES ('x', 'X')",
		"INSERT INTO areas (area_id, name) VALUES ('x', 'X')", "INSERT INTO config_entries (entry_id, domain, title) VALUES ('x', 'x', 'X')",
		"INSERT INTO devices (device_id) VALUES ('x')", "INSERT INTO entities (entity_id) VALUES ('a.x')",
		"INSERT INTO entities (entity_id, registry_id) VALUES ('a.' || abs(random()), 'x')",
	} {
		d := inMemory(t)
		execute(t, d, insert)
		if _, err := d.writer.pool.Exec(insert); !errors.Is(Classify(err), ErrConflict) {
			t.Errorf("%s twice: %v, want ErrConflict", insert, err)
		}
	}
}

// Whichever of the registry's own columns a shell writes, the row is stamped.
func TestAllColumnsStampTheirRow(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `INSERT INTO floors (floor_id, name) VALUES ('x', 'X'); INSERT INTO labels (label_id, name) VALUES ('x', 'X');
		INSERT INTO areas (area_id, name) VALUES ('x', 'X'); INSERT INTO config_entries (entry_id, domain, title) VALUES ('x', 'x', 'X');
		INSERT INTO devices (device_id) VALUES ('x'); INSERT INTO entities (entity_id) VALUES ('x.x')`)
	for _, table := range []string{"floors", "labels", "areas", "config_entries", "devices", "entities"} {
		columns := rowsOf(t, d.writer, `SELECT name FROM pragma_table_info(?1) WHERE name NOT IN ('key', 'created_at', 'modified_at', 'updated_at')
			AND name NOT IN ('floor_id', 'label_id', 'area_id', 'entry_id', 'device_id') OR name IN ('floor_id', 'area_id', 'device_id') AND "notnull" = 0`, table)
		stamped := 0
		for _, column := range strings.Fields(columns) {
			if strings.HasSuffix(column, "_key") || strings.HasPrefix(column, "effective_") || strings.HasPrefix(column, "device_") && table == "entities" && column != "device_id" && column != "device_class" || column == "listed" {
				continue // derived
			}
			execute(t, d, "UPDATE "+table+" SET updated_at = '2000'")
			execute(t, d, "UPDATE "+table+" SET "+column+" = '[\"1\"]'")
			if at := rowsOf(t, d.writer, "SELECT updated_at FROM "+table); at == "2000" {
				t.Errorf("%s.%s does not stamp its row", table, column)
			}
			stamped++
		}
		if stamped < 4 {
			t.Errorf("%s: looked at %d columns", table, stamped)
		}
	}
}

// SQLite keeps a number that a shell writes into a JSON column as a number: the row is listed all the same.
func TestNumbersInJSONColumnsAreListed(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `INSERT INTO devices (device_id, identifiers, extra) VALUES ('x', '5', 1.5);
		INSERT INTO entities (entity_id, capabilities, options) VALUES ('x.x', 7, 1e300)`)
	devices, err := d.ListDevices(t.Context(), ListDevicesParams{Lim: 10})
	if err != nil || len(devices) != 1 || devices[0].Identifiers != "5" || devices[0].Extra != "1.5" {
		t.Errorf("%+v, %v", devices, err)
	}
	entities, err := d.ListEntities(t.Context(), ListEntitiesParams{Lim: 10})
	if err != nil || len(entities) != 1 || entities[0].Capabilities != "7" || entities[0].Options != "1e+300" {
		t.Errorf("%+v, %v", entities, err)
	}
}
