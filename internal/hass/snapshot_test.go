package hass

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// wholeOf is a registry that holds the entries of a JSON list and nothing else.
func wholeOf(t testing.TB, kind Kind, list string) Storage {
	t.Helper()
	batch, err := ReadBatch([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	return Storage{Kind: kind, Batch: batch, Whole: true}
}

func partOf(t testing.TB, kind Kind, list string) Storage {
	t.Helper()
	s := wholeOf(t, kind, list)
	s.Whole = false
	return s
}

// mustImport imports what must be taken as a whole.
func mustImport(t testing.TB, d *db.DB, how How, files ...Storage) Outcome {
	t.Helper()
	outcome, err := Import(t.Context(), d, files, how)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// idsOf lists the ids of all rows, by kind, each kind in order.
func idsOf(t testing.TB, d *db.DB) map[Kind][]string {
	t.Helper()
	all := map[Kind][]string{}
	err := d.Read(t.Context(), func(q *db.Queries) error {
		for _, f := range storageFiles {
			rows, err := q.ListUnclaimed(t.Context(), db.ListUnclaimedParams{Kind: string(f.kind), Newest: 1 << 40, Claimed: "[]"})
			if err != nil {
				return err
			}
			for _, row := range rows {
				all[f.kind] = append(all[f.kind], row.ID)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func wantIDs(t testing.TB, d *db.DB, kind Kind, want ...string) {
	t.Helper()
	if got := idsOf(t, d)[kind]; !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", kind, got, want)
	}
}

// versionOf tells by PRAGMA data_version whether anybody has written to the file since.
func versionOf(t testing.TB, path string) func() int {
	t.Helper()
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	other.SetMaxOpenConns(1)
	t.Cleanup(func() { other.Close() })
	return func() (version int) {
		t.Helper()
		if err := other.QueryRow("PRAGMA data_version").Scan(&version); err != nil {
			t.Fatal(err)
		}
		return version
	}
}

// A whole home, taken again, is not written at all.
func TestSnapshotThatIsTheSameWritesNothing(t *testing.T) {
	eachHome(t, func(t *testing.T, folder string) {
		path := filepath.Join(t.TempDir(), "metadata.db")
		d := openFile(t, path)
		files := readStorage(t, folder)
		first := mustImport(t, d, How{}, files...)
		version := versionOf(t, path)
		before := version()
		second := mustImport(t, d, How{}, files...)
		if version() != before {
			t.Error("the file was written")
		}
		for _, f := range second.Files {
			if f.Unchanged != len(f.Batch) || f.Deleted != 0 {
				t.Errorf("%s: %s, %d deleted", f.Kind, counts(f.Result), f.Deleted)
			}
		}
		if got, want := fmt.Sprint(second.Unresolved), fmt.Sprint(first.Unresolved); got != want {
			t.Errorf("unresolved %s, want %s", got, want)
		}
		take(t, d, Floors, `[{"floor_id":"another"}]`)
		if version() == before {
			t.Error("a write is not seen")
		}
	})
}

// A home that takes the place of another leaves nothing of it.
func TestSnapshotOfAnotherHome(t *testing.T) {
	eachHome(t, func(t *testing.T, folder string) {
		alone, d := openMemory(t), openMemory(t)
		mustImport(t, alone, How{}, readStorage(t, folder)...)
		mustImport(t, d, How{}, readStorage(t, demoHome)...)
		told := map[Kind]bool{}
		for _, f := range mustImport(t, d, How{Force: true}, readStorage(t, folder)...).Files {
			told[f.Kind] = true
		}
		got, want := idsOf(t, d), idsOf(t, alone)
		maps.DeleteFunc(got, func(kind Kind, _ []string) bool { return !told[kind] })
		maps.DeleteFunc(want, func(kind Kind, _ []string) bool { return !told[kind] })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v\nwant %v", got, want)
		}
	})
}

// Of what is told as a whole, the rest goes; what is not told stays; a part takes nothing away.
func TestSnapshotRemoves(t *testing.T) {
	d := openMemory(t)
	take(t, d, Floors, `[{"floor_id":"e"},{"floor_id":"f"}]`)
	take(t, d, Areas, `[{"area_id":"a","floor_id":"e"},{"area_id":"b","floor_id":"f"}]`)
	take(t, d, ConfigEntries, `[{"entry_id":"c","domain":"hue"}]`)
	take(t, d, Devices, `[{"id":"x"},{"id":"y"}]`)
	take(t, d, Entities, `[{"entity_id":"light.x","device_id":"x"},{"entity_id":"light.y","device_id":"y"}]`)
	outcome := mustImport(t, d, How{}, wholeOf(t, Floors, `[{"floor_id":"e"}]`), partOf(t, Entities, `[]`), wholeOf(t, Devices, `[{"id":"y"},{"id":"z"}]`))
	wantIDs(t, d, Floors, "e")
	wantIDs(t, d, Areas, "a", "b")
	wantIDs(t, d, ConfigEntries, "c")
	wantIDs(t, d, Devices, "y", "z")
	wantIDs(t, d, Entities, "light.x", "light.y")
	for i, want := range []string{"1 [f]", "0 []", "1 [x]"} {
		if r := outcome.Files[i].Result; fmt.Sprint(r.Deleted, " ", r.DeletedIDs) != want {
			t.Errorf("%s: deleted %d %q, want %s", outcome.Files[i].Kind, r.Deleted, r.DeletedIDs, want)
		}
	}
	mustImport(t, d, How{}, wholeOf(t, Entities, `[]`), wholeOf(t, Areas, `[]`))
	wantIDs(t, d, Entities)
	wantIDs(t, d, Areas)
	wantIDs(t, d, Devices, "y", "z")
}

// An area, floor or label that is gone stays, named from its id, as long as something that was told as a
// whole refers to it; nothing but the id is left of it. When nothing does any more, it goes.
func TestSnapshotKeepsWhatIsReferredTo(t *testing.T) {
	d := openMemory(t)
	whole := func(floors, labels, areas, devices string) {
		t.Helper()
		mustImport(t, d, How{}, wholeOf(t, Floors, floors), wholeOf(t, Labels, labels), wholeOf(t, Areas, areas), wholeOf(t, Devices, devices))
	}
	const area, device = `[{"area_id":"a","name":"Attic","floor_id":"f","icon":"mdi:sofa"}]`, `[{"id":"d","area_id":"a","labels":["l"]}]`
	whole(`[{"floor_id":"f","name":"First","level":1}]`, `[{"label_id":"l","name":"Lamp"}]`, area, device)
	for range 2 { // and it is stable
		whole(`[]`, `[]`, area, device)
		floor, err := d.GetFloor(t.Context(), "f")
		if err != nil || floor.Name != "f" || floor.Level != nil {
			t.Errorf("%+v, %v", floor, err)
		}
		label, err := d.GetLabel(t.Context(), "l")
		if err != nil || label.Name != "l" || label.DeviceCount != 1 {
			t.Errorf("%+v, %v", label, err)
		}
	}
	whole(`[]`, `[]`, `[]`, device)
	row, err := d.GetArea(t.Context(), "a")
	if err != nil || row.Name != "a" || row.FloorID != nil || row.Icon != nil || row.DeviceCount != 1 {
		t.Errorf("%+v, %v", row, err)
	}
	wantIDs(t, d, Floors)
	whole(`[]`, `[]`, `[]`, `[{"id":"d","area_id":null,"labels":[]}]`)
	wantIDs(t, d, Areas)
	wantIDs(t, d, Labels)
}

// What no registry lists and nothing told as a whole refers to by itself is left alone where it is referred to.
func TestSnapshotOfAreasAloneKeepsPlaceholders(t *testing.T) {
	d := openMemory(t)
	take(t, d, Devices, `[{"id":"d","area_id":"dangling"}]`)
	take(t, d, Areas, `[{"area_id":"a"}]`)
	take(t, d, Devices, `[{"id":"e","area_id":"a"}]`)
	mustImport(t, d, How{}, wholeOf(t, Areas, `[{"area_id":"b"}]`))
	wantIDs(t, d, Areas, "b", "dangling") // the device of "a" was told when "a" was known: it is in no area now
	for _, row := range devicesOf(t, d) {
		if want := map[string]string{"d": "dangling", "e": "<null>"}[row.DeviceID]; deref(row.AreaID) != want {
			t.Errorf("%s is in %s, want %s", row.DeviceID, deref(row.AreaID), want)
		}
	}
}

// manyEntities writes a list of entities from one number to before another.
func manyEntities(from, to int) string {
	var entries []string
	for i := from; i < to; i++ {
		entries = append(entries, fmt.Sprintf(`{"entity_id":"light.l%d","id":"r%d"}`, i, i))
	}
	return "[" + strings.Join(entries, ",") + "]"
}

func TestSnapshotGuard(t *testing.T) {
	for name, c := range map[string]struct {
		have, keep int
		refused    bool
	}{
		"a handful":         {5, 0, false},
		"more":              {6, 0, true},
		"half":              {12, 6, false},
		"more than half":    {12, 5, true},
		"a handful of many": {9, 4, false},
	} {
		d := openMemory(t)
		take(t, d, Entities, manyEntities(0, c.have))
		_, err := Import(t.Context(), d, []Storage{wholeOf(t, Floors, `[{"floor_id":"f"}]`), wholeOf(t, Entities, manyEntities(0, c.keep))}, How{})
		var much TooMuch
		if errors.As(err, &much) != c.refused || !c.refused && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if want := (Loss{Entities, c.have - c.keep, c.have}); c.refused && (len(much) != 1 || much[0] != want) {
			t.Errorf("%s: %v, want %v", name, much, want)
		}
		if got := len(idsOf(t, d)[Floors]); c.refused == (got > 0) {
			t.Errorf("%s: %d floors", name, got)
		}
		mustImport(t, d, How{Force: true}, wholeOf(t, Entities, manyEntities(0, c.keep)))
		if got := len(entitiesOf(t, d)); got != c.keep {
			t.Errorf("%s: forced, %d entities, want %d", name, got, c.keep)
		}
	}
}

// The guard counts all files of a registry, and what goes because its name is another's.
func TestSnapshotGuardCountsAllFiles(t *testing.T) {
	d := openMemory(t)
	take(t, d, Entities, manyEntities(0, 12))
	first := `[{"entity_id":"light.l6","id":"r0"},{"entity_id":"light.l7","id":"r1"},{"entity_id":"light.l8","id":"r2"}]`
	_, err := Import(t.Context(), d, []Storage{wholeOf(t, Entities, first), wholeOf(t, Entities, manyEntities(3, 5))}, How{})
	var much TooMuch
	if want := "this would remove 7 of 12 entities"; !errors.As(err, &much) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	mustImport(t, d, How{}, wholeOf(t, Entities, manyEntities(0, 6)), wholeOf(t, Entities, manyEntities(6, 12)))
	if got := len(entitiesOf(t, d)); got != 12 {
		t.Errorf("%d entities, want 12", got)
	}
}

// Placeholders do not count for the guard: nobody listed them.
func TestSnapshotGuardCountsListedRows(t *testing.T) {
	d := openMemory(t)
	take(t, d, Devices, `[{"id":"a","area_id":"1"},{"id":"b","area_id":"2"},{"id":"c","area_id":"3"},{"id":"d","area_id":"4"},{"id":"e","area_id":"5"},{"id":"f","area_id":"6"}]`)
	take(t, d, Areas, `[{"area_id":"hall"}]`)
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		take(t, d, Devices, `[{"id":"`+id+`","area_id":null}]`)
	}
	outcome := mustImport(t, d, How{}, wholeOf(t, Areas, `[{"area_id":"hall"}]`))
	if got := outcome.Files[0].Deleted; got != 6 {
		t.Errorf("%d areas are gone, want 6", got)
	}
}

// A dry run says what would be done, and does nothing.
func TestSnapshotDryRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metadata.db")
	d := openFile(t, path)
	mustImport(t, d, How{}, readStorage(t, demoHome)...)
	files := []Storage{wholeOf(t, Devices, `[{"id":"new","area_id":"nowhere"}]`), wholeOf(t, Entities, `[{"entity_id":"light.new"},7]`)}
	since, version := now(), versionOf(t, path)
	before, rows := version(), dump(t, d, since)
	_, err := Import(t.Context(), d, files, How{DryRun: true})
	if much := (TooMuch{}); !errors.As(err, &much) {
		t.Errorf("a dry run is not guarded: %v", err)
	}
	said := mustImport(t, d, How{DryRun: true, Force: true}, files[0])
	if version() != before {
		t.Error("the file was written")
	}
	sameDump(t, dump(t, d, since), rows)
	done := mustImport(t, d, How{Force: true}, files[0])
	if got, want := fmt.Sprint(said), fmt.Sprint(done); got != want || done.Files[0].Deleted != 62 {
		t.Errorf("said %s\ndid %s", got, want)
	}
}
