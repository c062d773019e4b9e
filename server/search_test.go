package server

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A search of the demo home, as somebody types it.
func TestSearchTheDemoHome(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", registryPath, registriesOf(t, "../testdata/demo-home")).want(200)
	for text, first := range map[string]string{"kuch": "kitchen", "KÜCHE": "kitchen", "strass": "strassenseite", "rez de": "ground"} {
		a := c.get("/api/v1/search?q=" + url.QueryEscape(text)).want(200)
		if ids := idsIn(a.json(), "results", "id"); len(ids) == 0 || ids[0] != first {
			t.Errorf("%s: %q, want %s first", text, ids, first)
		}
	}
	row := c.row("/api/v1/search?q=kitchen&kind=entity&limit=1")["results"].([]any)[0].(map[string]any)
	if row["kind"] != "entity" || row["area_id"] != "kitchen" || row["area_name"] != "Küche" || row["platform"] == nil || row["manufacturer"] != nil {
		t.Errorf("got %v", row)
	}
	if kinds := idsIn(c.row("/api/v1/search?q=k&kind=area,floor&limit=100"), "results", "kind"); len(kinds) == 0 ||
		slices.ContainsFunc(kinds, func(k string) bool { return k != "area" && k != "floor" }) {
		t.Errorf("kinds: %q", kinds)
	}
}

// What the sqlite3 shell writes is found by the next search, and what it deletes is not.
func TestSearchFindsWhatOthersWrite(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"d","name":"Dishwasher"}]`)
	shell := c.shell()
	for _, step := range []struct{ statement, text, want string }{
		{"UPDATE devices SET name_by_user = 'Spülmaschine'", "spulm", "d"},
		{"UPDATE devices SET area_id = 'scullery'", "scull", "scullery d"},
		{"UPDATE areas SET name = 'Hauswirtschaft'", "hausw", "scullery d"},
		{"DELETE FROM devices", "hausw", "scullery"},
	} {
		if _, err := shell.Exec(step.statement); err != nil {
			t.Fatal(err)
		}
		got := idsIn(c.row("/api/v1/search?q="+step.text), "results", "id")
		if want := strings.Fields(step.want); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", step.statement, got, want)
		}
	}
	if got := idsIn(c.row("/api/v1/devices?q=dishw"), "devices", "device_id"); len(got) > 0 {
		t.Errorf("devices: %q", got)
	}
}
