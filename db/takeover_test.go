package db

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	datasql "dataapi/sql"
)

// madeBy returns the bytes of a database that these statements make, in SQLite's own journal mode.
func madeBy(t *testing.T, statements ...string) []byte {
	t.Helper()
	path := fileIn(t)
	pool := newPool(rawConnector(DefaultConfig(path).dsn(time.Second)), 1)
	for _, s := range append([]string{"PRAGMA foreign_keys = OFF"}, statements...) {
		if _, err := pool.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

// olderDatabase returns a database of ours that has our first migration only, and two devices.
func olderDatabase(t *testing.T) []byte {
	t.Helper()
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	first, err := all[0].up()
	if err != nil {
		t.Fatal(err)
	}
	return madeBy(t, "PRAGMA journal_mode = WAL", "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", first,
		"INSERT INTO schema_migrations VALUES ('"+all[0].version+"')", "INSERT INTO devices (device_id, name) VALUES ('1', 'One'), ('2', 'Two')")
}

// predecessor returns the metadata.db of the service before this one, as SQLAlchemy made it.
func predecessor(t *testing.T) []byte {
	t.Helper()
	return madeBy(t, `CREATE TABLE devices (
			device_id VARCHAR NOT NULL, name VARCHAR NOT NULL, name_by_user VARCHAR, manufacturer VARCHAR, model VARCHAR, sw_version VARCHAR,
			area_id VARCHAR, integration VARCHAR, entry_id VARCHAR, entry_type VARCHAR, configuration_url VARCHAR, suggested_area VARCHAR,
			last_seen DATETIME, created_at DATETIME, PRIMARY KEY (device_id))`,
		`CREATE TABLE entities (
			entity_id VARCHAR NOT NULL, device_id VARCHAR, domain VARCHAR NOT NULL, platform VARCHAR, unique_id VARCHAR, area_id VARCHAR,
			disabled BOOLEAN, created_at DATETIME, PRIMARY KEY (entity_id), FOREIGN KEY(device_id) REFERENCES devices (device_id) ON DELETE CASCADE)`,
		"CREATE INDEX idx_device_area ON devices (area_id)", "CREATE INDEX ix_entities_device_id ON entities (device_id)",
		`INSERT INTO devices VALUES
			('1', 'Lamp', 'My lamp', 'Acme', 'Bulb', '1.2', 'hall', 'hue', 'entry1', 'service', 'http://x', 'Attic', '2025-10-01 10:20:30.123456', '2025-01-02 03:04:05.678'),
			('2', 'Fan', NULL, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL)`,
		`INSERT INTO entities VALUES
			('light.lamp', '1', 'light', 'hue', 'u1', NULL, 0, '2025-01-02 03:04:05.678'),
			('fan.fan', '2', 'fan', NULL, NULL, 'attic', 1, NULL),
			('sensor.lost', 'unknown', 'sensor', 'mqtt', 'u3', '', NULL, 'nonsense')`)
}

func TestThePredecessorsDatabaseIsTakenOver(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, predecessor(t))
	d := opened(t, DefaultConfig(path))
	want(t, "devices", rowsOf(t, d.writer, `SELECT device_id, name, original_name, manufacturer, model, sw_version, area_id, integration,
		config_entry_id, entry_type, configuration_url, extra, created_at FROM devices_view WHERE device_id = '1'`),
		`1|My lamp|Lamp|Acme|Bulb|1.2|hall|hue|entry1|service|http://x|{"suggested_area":"Attic","last_seen":"2025-10-01 10:20:30.123456"}|2025-01-02T03:04:05.678000Z`)
	want(t, "bare device", rowsOf(t, d.writer, `SELECT device_id, name, manufacturer, model, area_id, extra, created_at > '2026' FROM devices_view WHERE device_id = '2'`),
		"2|Fan|Unknown|Unknown||{}|1")
	want(t, "entities", rowsOf(t, d.writer, `SELECT entity_id, device_id, domain, platform, unique_id, area_id, disabled, disabled_by, substr(created_at, 1, 4) >= '2025'
		FROM entities_view ORDER BY 1`),
		"fan.fan|2|fan|unknown||attic|1|user|1\nlight.lamp|1|light|hue|u1|hall|0||1\nsensor.lost|unknown|sensor|mqtt|u3||0||1")
	want(t, "created_at", rowsOf(t, d.writer, "SELECT created_at FROM entities WHERE entity_id = 'light.lamp'"), "2025-01-02T03:04:05.678000Z")
	want(t, "schema", dump(t, d), dump(t, inMemory(t)))
	want(t, "disagreements", rowsOf(t, d.writer, disagreements), "")
}

func TestTheCopyOfThePredecessorsDatabase(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, predecessor(t))
	d := opened(t, DefaultConfig(path))
	copied := path + ".before-data-api"
	wantUnmigrated(t, copied)
	want(t, "mode", modeOf(t, copied), 0o600)
	mustAddFloors(t, d, "ground")
	d.Close()
	first := read(t, copied)
	want(t, "floors after a second start", floors(opened(t, DefaultConfig(path))), "ground")
	want(t, "copy after a second start", string(read(t, copied)) == string(first), true)
	want(t, "files", strings.Contains(filesIn(t, path), "partial"), false)
}

func TestThePredecessorsDatabaseAfterAGlanceOfDbmate(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, predecessor(t))
	shell(t, path, "CREATE TABLE schema_migrations (version varchar(128) primary key);") // as dbmate status does
	d := opened(t, DefaultConfig(path))
	want(t, "devices", rowsOf(t, d.writer, "SELECT group_concat(device_id) FROM devices"), "1,2")
}

func TestAnOlderDatabaseIsCopiedAndMigrated(t *testing.T) {
	for _, name := range append(oddNames, "metadata.db") {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			overwrite(t, path, olderDatabase(t))
			d := opened(t, DefaultConfig(path))
			want(t, "devices", rowsOf(t, d.writer, "SELECT group_concat(device_id) FROM devices_view"), "1,2")
			copies := copiesOf(t, path)
			if len(copies) != 1 {
				t.Fatalf("copies: %q", copies)
			}
			want(t, "mode", modeOf(t, filepath.Join(filepath.Dir(path), copies[0])), 0o600)
			d.Close()
			want(t, "files", len(strings.Split(filesIn(t, path), name)), 3)
		})
	}
}

func copiesOf(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)+beforeMigration) {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestTheNewestTwoCopiesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "[metadata].db")
	older := olderDatabase(t)
	for _, kept := range []string{path + ".before-migration-notes.txt", path + ".before-data-api", path + ".before-migration-20200101T000000.000-wal"} {
		overwrite(t, kept, nil)
	}
	var all []string
	for range 4 {
		overwrite(t, path, older)
		opened(t, DefaultConfig(path)).Close()
		for _, name := range copiesOf(t, path) {
			if len(name) == len("[metadata].db"+beforeMigration+stamp) && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	want(t, "copies made", len(all), 4)
	want(t, "files", filesIn(t, path), strings.Join([]string{"[metadata].db", "[metadata].db.before-data-api",
		"[metadata].db.before-migration-20200101T000000.000-wal", all[2], all[3], "[metadata].db.before-migration-notes.txt"}, " "))
}

func TestACopyIsMadeOnceHoweverOftenMigratingFails(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, olderDatabase(t))
	shell(t, path, "CREATE TABLE floors_view (a);") // in the way of a migration
	earlier := path + beforeMigration + "20200101T000000.000"
	overwrite(t, earlier, nil)
	d := unopened(t, DefaultConfig(path))
	for range 4 {
		wantReason(t, "opening", d.Open(ctx), Failed)
	}
	copies := copiesOf(t, path)
	if len(copies) != 2 || copies[0] != filepath.Base(earlier) {
		t.Errorf("copies: %q, want the earlier one and one more", copies)
	}
	want(t, "versions", shell(t, path, "SELECT count(*) FROM schema_migrations;"), "1")
}

func TestANewerDatabaseIsRefused(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	shell(t, path, "INSERT INTO schema_migrations VALUES ('20991231235959');")
	before := read(t, path)
	err := unopened(t, DefaultConfig(path)).Open(ctx)
	wantReason(t, "opening", err, Newer)
	if !strings.Contains(err.Error(), "20991231235959") || !strings.Contains(err.Error(), "newer data-api") {
		t.Errorf("%q does not name the version", err)
	}
	want(t, "untouched", string(read(t, path)) == string(before), true)
}

func TestSomebodyElsesDatabaseIsRefusedAndUntouched(t *testing.T) {
	for name, statements := range map[string][]string{
		"other tables":                              {"CREATE TABLE states (a)", "INSERT INTO states VALUES (1)"},
		"a table called devices":                    {"CREATE TABLE devices (id INTEGER PRIMARY KEY)", "CREATE TABLE entities (id)"},
		"half of the predecessor's":                 {"CREATE TABLE devices (device_id TEXT PRIMARY KEY)"},
		"other migrations":                          {"CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", "INSERT INTO schema_migrations VALUES ('20200101000000')", "CREATE TABLE users (a)"},
		"other migrations, all undone, and a table": {"CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", "CREATE TABLE users (a)"},
		"only other migrations":                     {"CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", "INSERT INTO schema_migrations VALUES ('20200101000000')"},
		"the predecessor's tables and other migrations": {"CREATE TABLE devices (device_id TEXT PRIMARY KEY)", "CREATE TABLE entities (entity_id TEXT PRIMARY KEY)",
			"CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)", "INSERT INTO schema_migrations VALUES ('1')"},
		"in the log's mode": {"PRAGMA journal_mode = WAL", "CREATE TABLE states (a)"},
	} {
		t.Run(name, func(t *testing.T) {
			path := fileIn(t)
			overwrite(t, path, madeBy(t, statements...))
			before := read(t, path)
			d := unopened(t, DefaultConfig(path))
			wantReason(t, "opening", d.Open(ctx), Foreign)
			wantReason(t, "reading", second(d.ListFloors(ctx, ListFloorsParams{})), Foreign)
			wantReason(t, "writing", addFloor(d, "a"), Foreign)
			d.Close()
			want(t, "untouched", string(read(t, path)) == string(before), true)
			want(t, "files", filesIn(t, path), "metadata.db")
		})
	}
}

func second[A any](_ A, err error) error { return err }

func TestAnEmptyDatabaseIsMigratedWithoutACopy(t *testing.T) {
	for name, content := range map[string][]byte{
		"no bytes":       nil,
		"no tables":      madeBy(t, "PRAGMA user_version = 7"),
		"dbmate's table": madeBy(t, "CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY)"),
	} {
		path := fileIn(t)
		overwrite(t, path, content)
		d := opened(t, DefaultConfig(path))
		mustAddFloors(t, d, "a")
		d.Close()
		want(t, name+": files", filesIn(t, path), "metadata.db")
	}
}

func TestMigratingIsLogged(t *testing.T) {
	path, log := fileIn(t), &strings.Builder{}
	d := Prepare(DefaultConfig(path), slog.New(slog.NewTextHandler(log, nil)))
	defer d.Close()
	if err := d.Open(ctx); err != nil {
		t.Fatal(err)
	}
	all, _ := migrations(datasql.OfMetadata)
	for _, m := range all {
		if !strings.Contains(log.String(), m.file) {
			t.Errorf("%s is not in the log: %s", m.file, log)
		}
	}
	want(t, "Status", d.Status(ctx).Schema, fmt.Sprint(all[len(all)-1].version))
}
