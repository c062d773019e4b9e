package server

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dataapi/internal/hass"
)

const registryPath = "/api/v1/registry"

// registriesOf is the body that holds what the files of a .storage folder hold.
func registriesOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := hass.ReadStorage(folder)
	if err != nil {
		t.Fatal(err)
	}
	var members []string
	for _, f := range files {
		var entries []string
		for _, e := range f.Batch {
			entries = append(entries, string(e))
		}
		members = append(members, fmt.Sprintf("%q:[%s]", f.Kind, strings.Join(entries, ",")))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// outcomes are the counts of each registry in an answer: created, updated, unchanged, deleted, rejected.
func (a response) outcomes() map[string][5]int {
	a.Helper()
	a.want(200)
	all := map[string][5]int{}
	for kind, value := range a.json()["registries"].(map[string]any) {
		o := value.(map[string]any)
		var counts [5]int
		for i, name := range []string{"created", "updated", "unchanged", "deleted"} {
			counts[i] = int(o[name].(float64))
		}
		counts[4] = len(o["rejected"].([]any))
		all[kind] = counts
	}
	return all
}

func (a response) wantOutcomes(want map[string][5]int) {
	a.Helper()
	if got := a.outcomes(); !reflect.DeepEqual(got, want) {
		a.Errorf("got %v, want %v", got, want)
	}
}

// pointers are those of a 422.
func (a response) pointers() []string {
	a.Helper()
	var all []string
	for _, e := range a.problem(422)["errors"].([]any) {
		if pointer, ok := e.(map[string]any)["pointer"].(string); ok {
			all = append(all, pointer)
		}
	}
	return all
}

// A home that is put is the home that is served; the same again writes nothing.
func TestPutRegistry(t *testing.T) {
	t.Parallel()
	for _, folder := range append(RealHomes(t), "../testdata/demo-home") {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			c := inFile(t)
			body := registriesOf(t, folder)
			dry := c.write("PUT", registryPath+"?dry_run=true", body).outcomes()
			if n := len(idsIn(c.row("/api/v1/devices"), "devices", "device_id")); n > 0 {
				t.Errorf("a dry run stored %d devices", n)
			}
			c.write("PUT", registryPath, body).wantOutcomes(dry)
			version := c.dataVersion()
			before := version()
			again := c.write("PUT", registryPath, body).outcomes()
			for kind, counts := range again {
				if want := ([5]int{2: dry[kind][0]}); counts != want {
					t.Errorf("%s again: %v, want %v", kind, counts, want)
				}
			}
			if after := version(); after != before {
				t.Errorf("what is unchanged was written: data_version %d, was %d", after, before)
			}
		})
	}
}

func TestPutRegistryRemoves(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", registryPath, `{"areas":[{"area_id":"a"},{"id":"b"}],"floors":[{"floor_id":"f"}],
		"devices":[{"id":"d1","area_id":"a"},{"id":"d2","area_id":"gone","config_entries":["unknown"]}],
		"entities":[{"entity_id":"light.a","id":"1","device_id":"d1"},{"entity_id":"light.b","id":"2","device_id":"d0"}]}`).
		wantOutcomes(map[string][5]int{"areas": {2}, "floors": {1}, "devices": {2}, "entities": {2}})
	a := c.write("PUT", registryPath, `{"devices":[{"id":"d1"}],"entities":[{"entity_id":"light.c","id":"1"}]}`)
	a.wantOutcomes(map[string][5]int{"devices": {2: 1, 3: 1}, "entities": {1: 1, 3: 1}})
	if got := a.json()["registries"].(map[string]any)["devices"].(map[string]any)["deleted_ids"]; !reflect.DeepEqual(got, []any{"d2"}) {
		t.Errorf("deleted: %v", got)
	}
	if got := a.json()["unresolved"]; !reflect.DeepEqual(got, map[string]any{"areas": map[string]any{"count": 1.0, "ids": []any{"gone"}}}) {
		t.Errorf("unresolved: %v", got)
	}
	if row := c.row("/api/v1/entities/light.a"); row["entity_id"] != "light.c" || row["renamed_from"] != "light.a" || row["device_id"] != "d1" {
		t.Errorf("renamed: %v", row)
	}
	c.write("PUT", registryPath, `{"floors":[],"areas":[]}`).outcomes()
	for _, noun := range []string{"floors", "areas"} {
		if rows := c.row("/api/v1/" + noun)[noun].([]any); len(rows) > 0 {
			t.Errorf("%s: %v", noun, rows)
		}
	}
	if ids := idsIn(c.row("/api/v1/devices"), "devices", "device_id"); !slices.Equal(ids, []string{"d1"}) {
		t.Errorf("devices: %v", ids)
	}
}

// More than half, and more than a handful, go only by force. Nothing else of the body is taken either.
func TestPutRegistryGuards(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	body := registriesOf(t, "../testdata/demo-home")
	c.write("PUT", registryPath, body)
	p := c.write("PUT", registryPath, `{"entities":[],"labels":[{"label_id":"new"}]}`).problem(409)
	if detail, _ := p["detail"].(string); !strings.Contains(detail, "490 of 490 entities") || !strings.Contains(detail, "force=true") {
		t.Errorf("detail: %s", detail)
	}
	c.get("/api/v1/labels/new").problem(404)
	c.write("PUT", registryPath+"?force=true&dry_run=true", `{"entities":[]}`).wantOutcomes(map[string][5]int{"entities": {3: 490}})
	a := c.write("PUT", registryPath+"?force=true", `{"entities":[]}`)
	a.wantOutcomes(map[string][5]int{"entities": {3: 490}})
	if ids := a.json()["registries"].(map[string]any)["entities"].(map[string]any)["deleted_ids"].([]any); len(ids) != mostDeleted {
		t.Errorf("%d ids of what was deleted", len(ids))
	}
	if rows := c.row("/api/v1/entities")["entities"].([]any); len(rows) > 0 {
		t.Errorf("%d entities", len(rows))
	}
}

// Whatever is wrong is named, and nothing is stored.
func TestPutRegistryRefuses(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct {
		body string
		want []string
	}{
		{`{"areas":[{"area_id":"a"}],"zones":[],"a/b":1}`, []string{"/a~1b", "/zones"}},
		{`{"areas":{"area_id":"a"},"floors":null,"labels":"x","devices":[{"id":"d"}]}`, []string{"/areas", "/floors", "/labels"}},
		{`{"areas":[{"area_id":"a"},{"area_id":"b"},{"area_id":"a"},{}],"devices":[3,{"id":"d","name":7,"labels":{}}]}`,
			[]string{"/areas/0/area_id", "/areas/3/area_id", "/devices/0", "/devices/1/labels", "/devices/1/name"}},
		{`{"entities":[{"entity_id":"light.a","id":"1"},{"entity_id":"light.b","id":"1"},{"entity_id":"Light"}],"areas":[{"area_id":"a"}]}`,
			[]string{"/entities/0/id", "/entities/2/entity_id"}},
	} {
		got := c.write("PUT", registryPath, test.body).pointers()
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.body, got, test.want)
		}
	}
	for _, noun := range []string{"areas", "devices", "entities"} {
		if rows := c.row("/api/v1/" + noun)[noun].([]any); len(rows) > 0 {
			t.Errorf("%s: %v", noun, rows)
		}
	}
	for body, status := range map[string]int{`[]`: 400, `{"areas":[]`: 400, `{"areas":[],"areas":[]}`: 400, ``: 400, `{}`: 200} {
		c.write("PUT", registryPath, body).want(status)
		c.write("PATCH", registryPath, body).want(status)
	}
	c.do("PUT", registryPath, "{}").problem(415)
	if got := c.write("PATCH", registryPath+"?force=true&dry_run=maybe", "{}").badFields(); !slices.Equal(got, []string{"dry_run", "force"}) {
		t.Errorf("bad: %v", got)
	}
}

// PATCH is what the bulk calls are: bad entries are left out, and nothing is removed.
func TestPatchRegistry(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PATCH", registryPath, `{"areas":[{"area_id":"a"},{"area_id":"b"}]}`).wantOutcomes(map[string][5]int{"areas": {2}})
	a := c.write("PATCH", registryPath, `{"areas":[{"area_id":"a","name":"A"},{"area_id":"c","icon":3}],"devices":[{"id":"d","area_id":"b"}]}`)
	a.wantOutcomes(map[string][5]int{"areas": {1: 1, 4: 1}, "devices": {1}})
	if ids := idsIn(c.row("/api/v1/areas"), "areas", "area_id"); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("areas: %v", ids)
	}
	c.write("PATCH", registryPath+"?dry_run=true", `{"areas":[{"area_id":"z"}]}`).wantOutcomes(map[string][5]int{"areas": {1}})
	c.get("/api/v1/areas/z").problem(404)
}
