package hass

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
)

const demoHome = "../../testdata/demo-home"

// homesOf lists the folders of the demo home and of the real homes: beside the project, or in HOMES_DIR.
func homesOf(t *testing.T) []string {
	t.Helper()
	folder := os.Getenv("HOMES_DIR")
	if folder == "" {
		folder = "../../../shared/homes"
	}
	real, _ := filepath.Glob(filepath.Join(folder, "*", "core.entity_registry"))
	if len(real) == 0 {
		t.Run("real homes", func(t *testing.T) {
			t.Skipf("There are no real homes in %s; HOMES_DIR says where else they are.", folder)
		})
	}
	homes := []string{demoHome}
	for _, file := range real {
		homes = append(homes, filepath.Dir(file))
	}
	return homes
}

func eachHome(t *testing.T, test func(t *testing.T, folder string)) {
	t.Helper()
	for _, folder := range homesOf(t) {
		t.Run(filepath.Base(folder), func(t *testing.T) { test(t, folder) })
	}
}

// readStorage reads files that must be good.
func readStorage(t testing.TB, paths ...string) []Storage {
	t.Helper()
	files, err := ReadStorage(paths...)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// importAll imports files and returns the results by kind.
func importAll(t testing.TB, d *db.DB, paths ...string) map[Kind]Result {
	t.Helper()
	outcome, err := Import(t.Context(), d, readStorage(t, paths...), How{})
	if err != nil {
		t.Fatal(err)
	}
	results := map[Kind]Result{}
	for _, i := range outcome.Files {
		results[i.Kind] = i.Result
	}
	return results
}

// importedHome is a home in a database, and its files.
type importedHome struct {
	rawHome
	d *db.DB
}

// Each home is taken as a whole, and shows what the rules make of its files.
func TestHomes(t *testing.T) {
	eachHome(t, func(t *testing.T, folder string) {
		h := importedHome{readRaw(t, folder), openMemory(t)}
		t.Run("is taken once", func(t *testing.T) { h.testImportTwice(t, folder) })
		t.Run("entities", h.testEntities)
		t.Run("devices", h.testDevices)
		t.Run("nothing is lost", h.testNothingIsLost)
	})
}

// All of a home is taken at the first time, and nothing has changed at the second.
func (h importedHome) testImportTwice(t *testing.T, folder string) {
	first, second := importAll(t, h.d, folder), importAll(t, h.d, folder)
	if len(first) != len(h.rawHome) || len(first) < 4 {
		t.Errorf("%d registries were imported, want %d", len(first), len(h.rawHome))
	}
	for kind, entries := range h.rawHome {
		n := len(entries)
		if got, want := counts(first[kind]), fmt.Sprintf("%d/0/0/0", n); got != want {
			t.Errorf("%s: first %s, want %s; %s", kind, got, want, rejections(first[kind]))
		}
		if got, want := counts(second[kind]), fmt.Sprintf("0/0/%d/0", n); got != want {
			t.Errorf("%s: then %s, want %s; %s", kind, got, want, rejections(second[kind]))
		}
	}
	if got := len(entitiesOf(t, h.d)); got != len(h.rawHome[Entities]) {
		t.Errorf("%d entities are stored, want %d", got, len(h.rawHome[Entities]))
	}
	if got := len(devicesOf(t, h.d)); got != len(h.rawHome[Devices]) {
		t.Errorf("%d devices are stored, want %d", got, len(h.rawHome[Devices]))
	}
}

// The area and the name of each entity are what the rules make of the files.
func (h importedHome) testEntities(t *testing.T) {
	stored := map[string]db.Entity{}
	for _, e := range entitiesOf(t, h.d) {
		stored[e.EntityID] = e
	}
	for _, raw := range h.rawHome[Entities] {
		e := stored[raw.text("entity_id")]
		got := fmt.Sprintf("%q in %q on %q", e.Name, orEmpty(e.AreaID), orEmpty(e.FloorID))
		area := h.areaOf(raw)
		if want := fmt.Sprintf("%q in %q on %q", h.nameOf(raw), area, h.floorOf(area)); got != want {
			t.Errorf("%s: %s, want %s", raw.text("entity_id"), got, want)
		}
		if e.Disabled != (raw.text("disabled_by") != "") || orEmpty(e.DeviceID) != raw.text("device_id") {
			t.Errorf("%s: disabled %v, device %s", e.EntityID, e.Disabled, orEmpty(e.DeviceID))
		}
	}
}

func (h importedHome) testDevices(t *testing.T) {
	count := map[string]int64{}
	for _, e := range h.rawHome[Entities] {
		count[e.text("device_id")]++
	}
	for _, dev := range devicesOf(t, h.d) {
		raw := h.device(dev.DeviceID)
		parent := h.device(raw.text("parent_device_id"))
		got := fmt.Sprintf("%q by %q in %q, %d entities", dev.Name, dev.Manufacturer, orEmpty(dev.AreaID), dev.EntityCount)
		name := firstOf(raw.text("name_by_user"), raw.text("name"), raw.text("model"), raw.text("id"))
		maker := firstOf(raw.text("manufacturer"), parent.text("manufacturer"), "Unknown")
		if want := fmt.Sprintf("%q by %q in %q, %d entities", name, maker, h.areaOf(raw), count[dev.DeviceID]); got != want {
			t.Errorf("%s: %s, want %s", dev.DeviceID, got, want)
		}
	}
}

// Whatever a file says of an entry is in its row: in the column of its name, or in extra.
func (h importedHome) testNothingIsLost(t *testing.T) {
	for _, s := range subjects() {
		for _, raw := range h.rawHome[s.kind] {
			columns := s.row(t, h.d, raw.idOf(s.kind))
			var extra map[string]any
			if s.extra {
				decode(t, columns["extra"], &extra)
			}
			for member, value := range raw {
				stored, ok := columns[s.column(member)]
				switch {
				case slices.Contains([]string{s.id, s.stores, "id"}, member) && s.column(member) == member:
				case ok:
					sameInColumn(t, s, member, value, stored)
				case s.extra && value != nil && asJSON(t, extra[member]) != asJSON(t, value):
					t.Errorf("%s %s: extra.%s is %v, want %v", s.kind, raw.idOf(s.kind), member, extra[member], value)
				}
			}
		}
	}
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameInColumn holds a column to what the file says, as far as the column says it in the same way.
func sameInColumn(t *testing.T, s subject, member string, value any, stored string) {
	t.Helper()
	c := s.classOf(t, member)
	if set, ok := value.([]any); ok && (slices.Contains(stringSets, member) || slices.Contains(anySets, member)) {
		value = sorted(t, set)
	}
	want := asJSON(t, value)
	text, isText := value.(string)
	switch {
	case isUnknownTime(member, value), text == "" && strings.HasPrefix(c.none, `"`):
		return // stands for something else in the row
	case value == nil:
		want = c.none
	case strings.HasSuffix(member, "_at") && isText:
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		want = asJSON(t, at.UTC().Format("2006-01-02T15:04:05.000000Z"))
	case !isText && slices.Contains(versionMembers, member):
		want = asJSON(t, want)
	default:
		var again any
		decode(t, stored, &again)
		stored = asJSON(t, again)
	}
	if stored != want {
		t.Errorf("%s: %s is %s, want %s", s.kind, member, stored, want)
	}
}

// isUnknownTime says whether created_at is left open: there were no such times before 2024.
func isUnknownTime(member string, value any) bool {
	text, _ := value.(string)
	return member == "created_at" && (value == nil || strings.HasPrefix(text, "1970"))
}

func sorted(t *testing.T, set []any) []any {
	t.Helper()
	by := map[string]any{}
	for _, v := range set {
		by[asJSON(t, v)] = v
	}
	result := []any{}
	for _, key := range slices.Sorted(maps.Keys(by)) {
		result = append(result, by[key])
	}
	return result
}
