package hass

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// Members without a column are kept beside each other, laid over what was there; null takes one out.
func TestExtra(t *testing.T) {
	steps := []step{
		{`,"b":1,"a":"x"`, "1/0/0/0", `{"a":"x","b":1}`},
		{`,"a":"x","b":1`, "0/0/1/0", `{"a":"x","b":1}`},
		{``, "0/0/1/0", `{"a":"x","b":1}`},
		{`,"b":1`, "0/0/1/0", `{"a":"x","b":1}`},
		{`,"c":null`, "0/0/1/0", `{"a":"x","b":1}`},
		{`,"c":[]`, "0/1/0/0", `{"a":"x","b":1,"c":[]}`},
		{`,"a":null`, "0/1/0/0", `{"b":1,"c":[]}`},
		{`,"b":{"y":1,"x":[3,1,2]}`, "0/1/0/0", `{"b":{"x":[3,1,2],"y":1},"c":[]}`},
		{`,"b":{ "x": [3, 1, 2], "y": 1 }`, "0/0/1/0", `{"b":{"x":[3,1,2],"y":1},"c":[]}`},
		{`,"b":{"x":[1,2,3],"y":1}`, "0/1/0/0", `{"b":{"x":[1,2,3],"y":1},"c":[]}`},
		{`,"b":7,"b":8`, "0/1/0/0", `{"b":8,"c":[]}`},
		{`,"b":9,"b":null`, "0/1/0/0", `{"c":[]}`},
		{`,"K\u00fcche":"K\u00fcche"`, "0/1/0/0", `{"Küche":"Küche","c":[]}`},
		{`,"Küche":"Küche"`, "0/0/1/0", `{"Küche":"Küche","c":[]}`},
		{`,"Küche":null,"c":null,"say \"x\"":"\\"`, "0/1/0/0", `{"say \"x\"":"\\"}`},
		{`,"":0`, "0/1/0/0", `{"":0,"say \"x\"":"\\"}`},
	}
	for _, s := range subjects() {
		if !s.extra {
			continue
		}
		d := openMemory(t)
		for _, st := range steps {
			wantCounts(t, take(t, d, s.kind, "["+s.entry(1, st.members)+"]"), st.counts)
			if got := s.row(t, d, s.nth(1))["extra"]; got != st.stored {
				t.Errorf("%s after %s: %s, want %s", s.kind, st.members, got, st.stored)
			}
		}
	}
}

// Numbers are kept digit by digit, and are what they are written as.
func TestNumbersAsWritten(t *testing.T) {
	for _, number := range []string{
		"123456789012345678901234567890", "0.1000", "1e400", "-0", "1E+5", "3.141592653589793238462643383279", "9007199254740993",
	} {
		d := openMemory(t)
		list := fmt.Sprintf(`[{"entity_id":"a.b","extra_number":%s,"options":{"x":[%[1]s]},"capabilities":{"max":%[1]s}}]`, number)
		wantCounts(t, take(t, d, Entities, list), "1/0/0/0")
		wantCounts(t, take(t, d, Entities, list), "0/0/1/0")
		e := entitiesOf(t, d)[0]
		for got, want := range map[string]string{
			string(e.Extra): `{"extra_number":` + number + `}`, string(e.Options): `{"x":[` + number + `]}`, string(e.Capabilities): `{"max":` + number + `}`,
		} {
			if got != want {
				t.Errorf("%s is stored as %s, want %s", number, got, want)
			}
		}
	}
}

// What data-api computes for its own answers is not taken for something that a registry says.
func TestComputedMembersAreIgnored(t *testing.T) {
	for _, s := range subjects() {
		if !s.extra {
			continue
		}
		var members strings.Builder
		for name := range computed {
			if name != s.id && !slices.Contains(s.members, name) { // an area's floor_id is its own
				fmt.Fprintf(&members, `,%q:"planted"`, name)
			}
		}
		d := openMemory(t)
		wantCounts(t, take(t, d, s.kind, "["+s.entry(1, "")+"]"), "1/0/0/0")
		wantCounts(t, take(t, d, s.kind, "["+s.entry(1, members.String())+"]"), "0/0/1/0")
		for name, value := range s.row(t, d, s.nth(1)) {
			if strings.Contains(value, "planted") {
				t.Errorf("%s.%s holds %s", s.kind, name, value)
			}
		}
	}
}

// Each member of the rows that data-api serves is one that it takes back or knows to be its own.
func TestServedMembersAreKnown(t *testing.T) {
	served := map[Kind]any{
		Floors: db.Floor{}, Labels: db.Label{}, Areas: db.Area{}, ConfigEntries: db.ConfigEntry{}, Devices: db.Device{}, Entities: db.Entity{},
	}
	derived := map[string]string{ // that have a member with the registry's own value beside them
		"devices.original_name": "name", "entities.name_by_user": "name",
	}
	for _, s := range subjects() {
		known := map[string]bool{s.stores: true, s.id: true}
		for _, m := range s.members {
			known[m] = true
		}
		for name := range columnsOf(t, served[s.kind]) {
			if !known[name] && !isComputed(name) && derived[string(s.kind)+"."+name] == "" {
				t.Errorf("%s serves %s, which would be kept in extra when it is sent back", s.kind, name)
			}
		}
	}
}

// A config entry has no extra: what has no column there may be a password.
func TestConfigEntriesKeepNothingElse(t *testing.T) {
	d := openMemory(t)
	list := `[{"entry_id":"e","domain":"hue","unique_id":"u-canary","data":{"token":"canary"},"another":"canary"}]`
	wantCounts(t, take(t, d, ConfigEntries, list), "1/0/0/0")
	wantCounts(t, take(t, d, ConfigEntries, strings.ReplaceAll(list, "canary", "bird")), "0/0/1/0")
	c, err := d.GetConfigEntry(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(columnsOf(t, c)); strings.Contains(text, "canary") || strings.Contains(text, "bird") {
		t.Errorf("stored: %s", text)
	}
}
