package hass

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Where one entry of a whole registry is refused, the row that it may mean is not taken for gone.
func TestSnapshotSparesWhatItRefuses(t *testing.T) {
	const stored = `[{"entity_id":"light.a","id":"r1","platform":"hue","unique_id":"u1"},{"entity_id":"light.b","id":"r2","platform":"hue","unique_id":"u2"},
		{"entity_id":"light.c","id":"r3"}]`
	for name, c := range map[string]struct {
		list string
		want []string
	}{
		"none":                           {`[{"entity_id":"light.c","id":"r3"}]`, []string{"light.c"}},
		"bad members":                    {`[{"entity_id":"light.a","id":"r1","icon":7}]`, []string{"light.a"}},
		"a bad id":                       {`[{"entity_id":"Not an id","id":"r1"}]`, []string{"light.a"}},
		"a number for an id":             {`[{"entity_id":7,"id":"r1"},{"entity_id":"light.c"}]`, []string{"light.a", "light.c"}},
		"no id":                          {`[{"id":"r2"}]`, []string{"light.b"}},
		"a bad id that was never stored": {`[{"entity_id":"Not an id","id":"r9"},{"entity_id":"light.b"}]`, []string{"light.b"}},
		"nothing to know it by":          {`[{"name":"x"},{"entity_id":"light.c"}]`, []string{"light.a", "light.b", "light.c"}},
		"no object":                      {`["x"]`, []string{"light.a", "light.b", "light.c"}},
		"one registry id twice":          {`[{"entity_id":"light.a","id":"r2"},{"entity_id":"light.b","id":"r2"}]`, []string{"light.a", "light.b"}},
		"one entity_id twice":            {`[{"entity_id":"light.c","id":"r1"},{"entity_id":"light.c","id":"r3"}]`, []string{"light.a", "light.c"}},
	} {
		d := openMemory(t)
		take(t, d, Entities, stored)
		for range 2 {
			mustImport(t, d, How{}, wholeOf(t, Entities, c.list))
			if got := idsOf(t, d)[Entities]; !slices.Equal(got, c.want) {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}

// The same holds of the registries that know a row by its id alone.
func TestSnapshotSparesRowsOfEachKind(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		take(t, d, s.kind, "["+s.entry(1, "")+","+s.entry(2, "")+","+s.entry(3, "")+"]")
		mustImport(t, d, How{}, wholeOf(t, s.kind, "["+s.entry(1, `,"created_at":"bad"`)+","+s.entry(2, "")+","+s.entry(2, "")+"]"))
		wantIDs(t, d, s.kind, s.nth(1), s.nth(2))
		mustImport(t, d, How{}, wholeOf(t, s.kind, `[{}]`))
		wantIDs(t, d, s.kind, s.nth(1), s.nth(2))
	}
}

// A strict import names every fault by where it is, and stores nothing.
func TestStrictImport(t *testing.T) {
	d := openMemory(t)
	files := []Storage{
		wholeOf(t, Areas, `[{"area_id":"a","icon":7,"labels":"x"},{"area_id":"b"},{"area_id":"b"},3]`),
		wholeOf(t, Devices, `[{"id":"d"},{"name":"x"},{"id":""},{"id":"e","a/b~c":`+nested(600)+`}]`),
		wholeOf(t, Entities, `[{"entity_id":"light.a","id":"r"},{"entity_id":"light.b","id":"r"},{"entity_id":"B"}]`),
	}
	_, err := Import(t.Context(), d, files, How{Strict: true})
	var invalid Invalid
	if !errors.As(err, &invalid) {
		t.Fatalf("%v, want Invalid", err)
	}
	want := []string{
		"/areas/0/icon must be a string or null", "/areas/0/labels must be a list or null",
		"/areas/1/area_id is that of entry 2 as well", "/areas/3 must be an object",
		"/devices/1/id is missing", "/devices/2/id must not be empty", "/devices/3/a~1b~0c " + errDeep.Error(),
		"/entities/0/id is that of entry 1 as well", "/entities/2/entity_id " + errEntityID.Error(),
	}
	var got []string
	for _, f := range invalid {
		got = append(got, f.Pointer+" "+f.Detail)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if all := idsOf(t, d); len(all) > 0 {
		t.Errorf("stored %v", all)
	}
}

// What is referred to and not known is told by kind, the first of them by name.
func TestUnresolved(t *testing.T) {
	d := openMemory(t)
	outcome := mustImport(t, d, How{},
		partOf(t, Areas, `[{"area_id":"a","floor_id":"f","labels":["l"],"temperature_entity_id":"sensor.none"},{"area_id":"listed"}]`),
		partOf(t, Devices, `[{"id":"d","area_id":"b","via_device_id":"v","parent_device_id":"p","config_entries":["c1","c2"],"primary_config_entry":"c2"},{"id":"e","area_id":"listed","via_device_id":"d"}]`),
		partOf(t, Entities, `[{"entity_id":"light.x","device_id":"q","config_entry_id":"c3","area_id":"b"}]`))
	want := "map[areas:{1 [b]} config_entries:{3 [c1 c2 c3]} devices:{3 [p q v]} entities:{1 [sensor.none]} floors:{1 [f]} labels:{1 [l]}]"
	if got := fmt.Sprint(outcome.Unresolved); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	outcome = mustImport(t, d, How{}, partOf(t, Areas, `[{"area_id":"b"}]`), partOf(t, ConfigEntries, `[{"entry_id":"c1","domain":"x"}]`))
	want = "map[config_entries:{2 [c2 c3]} devices:{3 [p q v]} entities:{1 [sensor.none]} floors:{1 [f]} labels:{1 [l]}]"
	if got := fmt.Sprint(outcome.Unresolved); got != want {
		t.Errorf("then %s\nwant %s", got, want)
	}
}

// A home may dangle a lot: 486 unknown config entries are counted, and the first hundred named.
func TestManyUnresolved(t *testing.T) {
	list := "["
	for i := range 486 {
		list += fmt.Sprintf(`{"id":"d%03d","config_entries":["c%03d"]},`, i, i)
	}
	u := mustImport(t, openMemory(t), How{}, wholeOf(t, Devices, list[:len(list)-1]+"]")).Unresolved[ConfigEntries]
	if u.Count != 486 || len(u.IDs) != MostUnresolved || u.IDs[99] != "c099" {
		t.Errorf("%d, of which %d named: %q", u.Count, len(u.IDs), u.IDs)
	}
}
