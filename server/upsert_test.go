package server

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// wide is an entry with all members of a registry, each with the n-th of its right values.
func wide(id string, columns map[string]columnKind, n int) string {
	item := `{` + id
	for _, name := range slices.Sorted(maps.Keys(columns)) {
		right := columns[name].right
		item += fmt.Sprintf(`,"%s":%s`, name, right[n%len(right)])
	}
	return item + "}"
}

// TestAbsentKeepsNullClears fills every column, sends an entry without any of them, and then one with all
// of them null.
func TestAbsentKeepsNullClears(t *testing.T) {
	t.Parallel()
	for noun, test := range map[string]struct {
		columns    map[string]columnKind
		id, path   string
		afterNulls string
	}{
		"devices": {deviceColumns, `"id":"d"`, "/api/v1/devices/d", `{"name":"d","manufacturer":"Unknown","model":"Unknown","labels":[],"identifiers":[],"connections":[],
			"config_entries":[],"config_entries_subentries":{},"area_id":null,"split_at":null,"has_composite_identifiers":null,"disabled":false,"extra":{}}`},
		"entities": {entityColumns, `"entity_id":"sensor.e"`, "/api/v1/entities/sensor.e", `{"name":"e","platform":"unknown","registry_id":null,"labels":[],"aliases":[],
			"aliases_v2":null,"categories":{},"capabilities":null,"options":{},"has_entity_name":false,"supported_features":null,"area_id":null,"extra":{}}`},
	} {
		c := inMemory(t)
		c.pushOnly(noun, "["+wide(test.id+`,"new_in_2027":{"a":[1]}`, test.columns, 0)+"]")
		full := c.get(test.path).want(200).body
		if p := c.pushOnly(noun, "[{"+test.id+"}]"); p.Unchanged != 1 || string(c.get(test.path).body) != string(full) {
			t.Errorf("%s: %+v, got %s, want %s", noun, p, c.get(test.path).body, full)
		}
		cleared := "{" + test.id + `,"new_in_2027":null`
		for name := range test.columns {
			cleared += fmt.Sprintf(`,"%s":null`, name)
		}
		if p := c.pushOnly(noun, "["+cleared+"}]"); p.Updated != 1 {
			t.Errorf("%s: %+v", noun, p)
		}
		c.wantMembers(test.path, test.afterNulls)
		created := c.row(test.path)["created_at"]
		if created != "2023-11-14T22:13:20.250000Z" {
			t.Errorf("%s: created_at %v", noun, created)
		}
	}
}

// TestUnchangedWritesNothing watches the file by a connection of its own, as another process would.
func TestUnchangedWritesNothing(t *testing.T) {
	t.Parallel()
	c := furnish(inFile(t))
	version := c.dataVersion()
	devices := []string{wide(`"id":"w"`, deviceColumns, 1), `{"id":"lamp","name":"Lamp","labels":["warm"]}`}
	entities := []string{wide(`"entity_id":"sensor.w"`, entityColumns, 1), `{"entity_id":"light.lamp","labels":["warm","warm"]}`}
	before := version()
	c.pushOnly("devices", "["+strings.Join(devices, ",")+"]")
	c.pushOnly("entities", "["+strings.Join(entities, ",")+"]")
	stored := version()
	if stored == before {
		t.Fatal("data_version does not see a change")
	}
	rows := func() string {
		return string(c.get("/api/v1/devices").body) + string(c.get("/api/v1/entities").body)
	}
	first := rows()
	for _, order := range [][]int{{0, 1}, {1, 0}, {0, 1, 0, 1}} {
		for noun, items := range map[string][]string{"devices": devices, "entities": entities} {
			var batch []string
			for _, i := range order {
				batch = append(batch, items[i])
			}
			if p := c.pushOnly(noun, "["+strings.Join(batch, ",")+"]"); p.Unchanged != 2 || p.Upserted != 2 || p.Created+p.Updated > 0 {
				t.Errorf("%s again: %+v", noun, p)
			}
		}
	}
	c.pushOnly("devices", "[]")
	if version() != stored || rows() != first {
		t.Errorf("data_version %d, was %d; got %s, want %s", version(), stored, rows(), first)
	}
}

// TestModifiedAtAlone is no change; with another change it is taken.
func TestModifiedAtAlone(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	version := c.dataVersion()
	c.pushOnly("devices", `[{"id":"d","name":"a","modified_at":"2026-01-01T00:00:00+00:00"}]`)
	before, stored := c.row("/api/v1/devices/d"), version()
	if p := c.pushOnly("devices", `[{"id":"d","name":"a","modified_at":1800000000}]`); p.Unchanged != 1 || version() != stored {
		t.Errorf("%+v", p)
	}
	if after := c.row("/api/v1/devices/d"); !reflect.DeepEqual(after, before) {
		t.Errorf("got %v, want %v", after, before)
	}
	if p := c.pushOnly("devices", `[{"id":"d","name":"b","modified_at":1800000000}]`); p.Updated != 1 {
		t.Errorf("%+v", p)
	}
	after := c.row("/api/v1/devices/d")
	if after["modified_at"] != "2027-01-15T08:00:00.000000Z" || after["created_at"] != before["created_at"] || after["updated_at"].(string) <= before["updated_at"].(string) {
		t.Errorf("before %v, after %v", before, after)
	}
}

// TestTimes holds all ways to write one moment to each other.
func TestTimes(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.pushOnly("devices", `[{"id":"d","created_at":"2025-01-30T18:53:20.123457+00:00","split_at":"2025-01-30T18:53:20.123457Z"}]`)
	for _, same := range []string{`"2025-01-30T18:53:20.123457Z"`, `"2025-01-30T19:53:20.123457+01:00"`, `"2025-01-30T18:53:20.1234567Z"`, "1738263200.123457", "1738263200.1234570", "1.738263200123457e9"} {
		if p := c.pushOnly("devices", fmt.Sprintf(`[{"id":"d","created_at":%s,"split_at":%s}]`, same, same)); p.Unchanged != 1 {
			t.Errorf("%s: %+v", same, p)
		}
	}
	c.wantMembers("/api/v1/devices/d", `{"created_at":"2025-01-30T18:53:20.123457Z","split_at":"2025-01-30T18:53:20.123457Z"}`)
	for _, kept := range []string{"null", "0", "0.0", `"1970-01-01T00:00:00+00:00"`} {
		if p := c.pushOnly("devices", `[{"id":"d","created_at":`+kept+`}]`); p.Unchanged != 1 {
			t.Errorf("created_at %s: %+v", kept, p)
		}
	}
	if p := c.pushOnly("devices", `[{"id":"d","split_at":1738263200.123458}]`); p.Updated != 1 {
		t.Errorf("a microsecond is no change: %+v", p)
	}
}

// TestDoubles sends an id more than once, and members more than once: the last counts.
func TestDoubles(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	p := c.pushOnly("devices", `[{"id":"a","name":"1","model":"lost"},{"id":"b"},{"id":"a","name":"2"},{"device_id":"a","name":"3"}]`)
	if p.Upserted != 2 || p.Created != 2 {
		t.Errorf("%+v", p)
	}
	c.wantMembers("/api/v1/devices/a", `{"name":"3","model":"Unknown"}`)
	p = c.pushOnly("entities", `[{"entity_id":"light.a","id":"r1","name":"1"},{"entity_id":"light.b","id":"r1","name":"2"},{"entity_id":"light.c"},{"entity_id":"light.c","name":"3"}]`)
	if p.Upserted != 2 || p.Created != 2 {
		t.Errorf("%+v", p)
	}
	c.get("/api/v1/entities/light.a").problem(404)
	c.wantMembers("/api/v1/entities/light.b", `{"name":"2"}`)
	c.wantMembers("/api/v1/entities/light.c", `{"name":"3"}`)
	p = c.push("devices", `[{"id":"x","id":"twice","name":"1","name":"2","labels":["a"],"labels":null,"new":1,"new":{"k":1,"k":2}},{"id":"a"},{"id":"a","name":7}]`)
	if len(p.Rejected) != 1 || p.Rejected[0].Index != 2 || p.Upserted != 1 {
		t.Errorf("%+v", p)
	}
	c.wantMembers("/api/v1/devices/twice", `{"name":"2","labels":[]}`)
}

func TestHugeNumbers(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	big := strings.Repeat("9", 5000)
	c.pushOnly("entities", `[{"entity_id":"sensor.n","options":{"a":`+big+`,"b":-1e9999,"c":0.`+big+`},"unique_id":`+big+`,"zz":[1E+400]}]`)
	a := c.get("/api/v1/entities/sensor.n").want(200)
	for _, want := range []string{`"a":` + big, `"b":-1e9999`, `"c":0.` + big, `"unique_id":"` + big + `"`, "1E+400"} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%.30s is not in %.300s", want, a.body)
		}
	}
	if p := c.pushOnly("entities", string(`[{"entity_id":"sensor.n","zz":[1E+400]}]`)); p.Unchanged != 1 {
		t.Errorf("%+v", p)
	}
}
