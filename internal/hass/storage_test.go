package hass

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
)

// writeFile writes a file of a home into a folder of the test.
func writeFile(t testing.TB, folder, name, text string) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyHome copies the registry files of a home to a folder.
func copyHome(t testing.TB, from, to string) {
	t.Helper()
	for _, f := range storageFiles {
		text, err := os.ReadFile(filepath.Join(from, f.key))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, to, f.key, string(text))
	}
}

// dump writes all rows of all views, but for the keys and the times that the database made up itself:
// those after since.
func dump(t *testing.T, d *db.DB, since string) []string {
	t.Helper()
	ctx, all := t.Context(), int64(1_000_000)
	var lines []string
	add := func(noun string, row any) {
		columns := columnsOf(t, row)
		for _, name := range []string{"updated_at", "timestamp"} {
			delete(columns, name)
		}
		if strings.Trim(columns["created_at"], `"`) >= since {
			delete(columns, "created_at")
		}
		lines = append(lines, fmt.Sprint(noun, " ", columns))
	}
	addRows(t, add, "floor", func() ([]db.Floor, error) { return d.ListFloors(ctx, db.ListFloorsParams{Lim: all}) })
	addRows(t, add, "label", func() ([]db.Label, error) { return d.ListLabels(ctx, db.ListLabelsParams{Lim: all}) })
	addRows(t, add, "area", func() ([]db.Area, error) { return d.ListAreas(ctx, db.ListAreasParams{Lim: all}) })
	addRows(t, add, "entry", func() ([]db.ConfigEntry, error) {
		return d.ListConfigEntries(ctx, db.ListConfigEntriesParams{Lim: all})
	})
	addRows(t, add, "device", func() ([]db.Device, error) { return d.ListDevices(ctx, db.ListDevicesParams{Lim: all}) })
	addRows(t, add, "entity", func() ([]db.Entity, error) { return d.ListEntities(ctx, db.ListEntitiesParams{Lim: all}) })
	return lines
}

// now is a moment ago, as times are stored.
func now() string { return time.Now().Add(-time.Second).UTC().Format(timeLayout) }

func addRows[T any](t *testing.T, add func(string, any), noun string, list func() ([]T, error)) {
	t.Helper()
	rows, err := list()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		add(noun, row)
	}
}

// sameDump compares two dumps and shows the first difference.
func sameDump(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("row %d:\n     %s\nwant %s", i, got[i], want[i])
			return
		}
	}
}

// The files of a home make the same database in any order, all at once or one by one.
func TestAnyOrder(t *testing.T) {
	eachHome(t, func(t *testing.T, folder string) {
		since := now()
		files := readStorage(t, folder)
		whole := openMemory(t)
		importAll(t, whole, folder)
		want := dump(t, whole, since)
		if len(want) < 200 {
			t.Fatalf("only %d rows", len(want))
		}
		r := rand.New(rand.NewPCG(3, 3))
		for range 2 {
			slices.Reverse(files)
			one := openMemory(t)
			for _, f := range files {
				importAll(t, one, f.Path)
			}
			sameDump(t, dump(t, one, since), want)
			r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		}
		var paths []string
		for _, f := range files {
			paths = append(paths, f.Path)
		}
		together := openMemory(t)
		importAll(t, together, paths...)
		sameDump(t, dump(t, together, since), want)
	})
}

// The entries of a file make the same database in any order, too, and in small batches.
func TestAnyOrderOfEntries(t *testing.T) {
	since := now()
	whole, pieces := openMemory(t), openMemory(t)
	importAll(t, whole, demoHome)
	r := rand.New(rand.NewPCG(4, 4))
	var single []Storage
	for _, f := range readStorage(t, demoHome) {
		for _, v := range f.Batch {
			single = append(single, Storage{Path: f.Path, Kind: f.Kind, Batch: Batch{v}})
		}
	}
	r.Shuffle(len(single), func(i, j int) { single[i], single[j] = single[j], single[i] })
	for _, s := range single {
		if _, err := Import(t.Context(), pieces, []Storage{s}, How{}); err != nil {
			t.Fatal(err)
		}
	}
	sameDump(t, dump(t, pieces, since), dump(t, whole, since))
}

// A folder may be .storage or hold it, and files may be named one by one; the result is in order.
func TestReadStoragePaths(t *testing.T) {
	folder := t.TempDir()
	copyHome(t, demoHome, filepath.Join(folder, "config", ".storage"))
	copyHome(t, demoHome, filepath.Join(folder, "flat"))
	file := func(name string) string { return filepath.Join(folder, "flat", name) }
	for name, c := range map[string]struct {
		paths []string
		want  []Kind
	}{
		"the folder":         {[]string{filepath.Join(folder, "flat")}, []Kind{Floors, Labels, Areas, ConfigEntries, Devices, Entities}},
		"with a slash":       {[]string{filepath.Join(folder, "flat") + "/"}, []Kind{Floors, Labels, Areas, ConfigEntries, Devices, Entities}},
		"its parent":         {[]string{filepath.Join(folder, "config")}, []Kind{Floors, Labels, Areas, ConfigEntries, Devices, Entities}},
		".storage":           {[]string{filepath.Join(folder, "config", ".storage")}, []Kind{Floors, Labels, Areas, ConfigEntries, Devices, Entities}},
		"a file":             {[]string{file("core.area_registry")}, []Kind{Areas}},
		"files out of order": {[]string{file("core.entity_registry"), file("core.device_registry"), file("core.floor_registry")}, []Kind{Floors, Devices, Entities}},
		"a file twice":       {[]string{file("core.area_registry"), file("core.area_registry")}, []Kind{Areas, Areas}},
	} {
		var got []Kind
		for _, s := range readStorage(t, c.paths...) {
			got = append(got, s.Kind)
			if _, err := os.Stat(s.Path); err != nil {
				t.Errorf("%s: path %q: %v", name, s.Path, err)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// What lies beside the registries does not matter: states, other files of Home Assistant, copies.
func TestOtherFilesAreIgnored(t *testing.T) {
	folder := t.TempDir()
	copyHome(t, demoHome, folder)
	for _, name := range []string{
		"states.json", "auth", "core.config", "core.category_registry", "core.entity_registry.backup", "core.device_registry.corrupt.2026", "http", "lovelace",
	} {
		writeFile(t, folder, name, `{"version": 99, "key": "something", broken`)
	}
	writeFile(t, folder, ".storage/core.area_registry", "broken")
	since, plain, d := now(), openMemory(t), openMemory(t)
	importAll(t, plain, demoHome)
	importAll(t, d, folder)
	sameDump(t, dump(t, d, since), dump(t, plain, since))
}

func envelope(version, key, data string) string {
	return fmt.Sprintf(`{"version": %s, "minor_version": 1, "key": %q, "data": %s}`, version, key, data)
}

func TestStorageVersions(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // of the error; "" for none
	}{
		{"core.area_registry", envelope("1", "core.area_registry", `{"areas":[]}`), ""},
		{"core.area_registry", `{"version":1,"minor_version":999,"key":"core.area_registry","data":{"areas":[{"id":"a"}],"news":{}},"news":1}`, ""},
		{"core.area_registry", `{"version":1,"key":"core.area_registry","data":{"areas":[]}}`, ""},
		{"renamed.json", envelope("1", "core.area_registry", `{"areas":[]}`), ""},
		{"core.device_registry", envelope("1", "core.device_registry", `{"devices":[]}`), ""},
		{"core.device_registry", envelope("3", "core.device_registry", `{"devices":[],"child_devices":[{"id":"c"}]}`), ""},
		{"core.device_registry", envelope("2", "core.device_registry", `{"devices":[]}`),
			"not a Home Assistant registry file that can be read: core.device_registry has storage version 2, and this data-api reads [1 3]"},
		{"core.device_registry", envelope("4", "core.device_registry", `{"devices":[]}`),
			"not a Home Assistant registry file that can be read: core.device_registry has storage version 4, and this data-api reads [1 3]"},
		{"core.entity_registry", envelope("2", "core.entity_registry", `{"entities":[]}`),
			"not a Home Assistant registry file that can be read: core.entity_registry has storage version 2, and this data-api reads [1]"},
		{"core.entity_registry", `{"key":"core.entity_registry","data":{"entities":[]}}`,
			"not a Home Assistant registry file that can be read: core.entity_registry has storage version 0, and this data-api reads [1]"},
		{"core.config", envelope("1", "core.config", `{"latitude":1}`), `not a Home Assistant registry file: its key is "core.config"`},
		{"package.json", `{"name":"x","version":"1.0.0"}`, "not a Home Assistant registry file: no version, key and data"},
		{"empty", ``, "not a Home Assistant registry file: broken JSON at byte 0 of 0"},
		{"list", `[]`, "not a Home Assistant registry file: no version, key and data"},
		{"empty object", `{}`, `not a Home Assistant registry file: its key is ""`},
		{"core.area_registry", envelope("1", "core.area_registry", `{"rooms":[]}`), "not a Home Assistant registry file: data.areas is missing"},
		{"core.area_registry", `{"version":1,"key":"core.area_registry"}`, "not a Home Assistant registry file: data.areas is missing"},
		{"core.area_registry", envelope("1", "core.area_registry", `{"areas":{}}`), "not a Home Assistant registry file: data.areas is not a JSON list: it begins with another value"},
		{"core.area_registry", envelope("1", "core.area_registry", `{"areas":[{"id":"a"},]}`), "not a Home Assistant registry file: broken JSON at byte 93 of 96"},
		{"core.area_registry", envelope("1", "core.area_registry", `{"areas":[]}`) + "x", "not a Home Assistant registry file: broken JSON at byte 85 of 86"},
	} {
		path := writeFile(t, t.TempDir(), c.name, c.text)
		_, err := ReadStorage(path)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.text, err)
		case c.want != "" && (!errors.Is(err, ErrStorage) || err.Error() != path+": "+c.want):
			t.Errorf("%s:\n     %v\nwant %s", c.text, err, path+": "+c.want)
		}
	}
}

// A file that was cut off says where, wherever that is: at its end, or where its last word began.
func TestStorageCutOff(t *testing.T) {
	text := envelope("1", "core.floor_registry", `{"floors":[{"floor_id":"e","level":-1}]}`)
	path := filepath.Join(t.TempDir(), "core.floor_registry")
	for n := range len(text) {
		if err := os.WriteFile(path, []byte(text[:n]), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadStorage(path)
		said := func(at int) bool {
			return errors.Is(err, ErrStorage) && err.Error() == fmt.Sprintf("%s: %v: broken JSON at byte %d of %d", path, ErrStorage, at, n)
		}
		if !said(n) && !said(n-1) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
}

func TestReadStorageWithoutFiles(t *testing.T) {
	folder := t.TempDir()
	if _, err := ReadStorage(folder); !errors.Is(err, ErrStorage) || !strings.HasPrefix(err.Error(), folder+": ") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := ReadStorage(filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := ReadStorage(demoHome, filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one is there and one is not: %v", err)
	}
	copyHome(t, demoHome, folder)
	writeFile(t, folder, "core.label_registry", `{"version":1`)
	if files, err := ReadStorage(folder); !errors.Is(err, ErrStorage) || files != nil {
		t.Errorf("one file of six is broken: %d files, %v", len(files), err)
	}
	if files, err := ReadStorage(); err != nil || len(files) != 0 {
		t.Errorf("no paths: %d files, %v", len(files), err)
	}
}
