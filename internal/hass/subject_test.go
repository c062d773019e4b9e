package hass

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// subject is a registry under test, whatever the type of its rows.
type subject struct {
	kind    Kind
	id      string                  // the member that holds the id
	stores  string                  // the column that holds it
	format  string                  // makes an id out of a number
	needs   string                  // what a new entry needs beside its id
	members []string                // that have a column, in order; not those that hold the id
	columns map[string]reflect.Type // of the table
	extra   bool                    // whether members without a column are kept
	row     func(t *testing.T, d *db.DB, id string) map[string]string
}

// subjects are all registries.
func subjects() []subject {
	return []subject{
		subjectOf(Floors, floors, "floor_%d", ""),
		subjectOf(Labels, labels, "label_%d", ""),
		subjectOf(Areas, areas, "area_%d", ""),
		subjectOf(ConfigEntries, configEntries, "entry_%d", `,"domain":"hue"`),
		subjectOf(Devices, devices, "device_%d", ""),
		subjectOf(Entities, entities, "sensor.number_%d", ""),
	}
}

func subjectOf[R any](kind Kind, reg *registry[R], format, needs string) subject {
	s := subject{kind: kind, id: reg.ids[0], format: format, needs: needs, extra: reg.extra != nil, columns: map[string]reflect.Type{}}
	for _, m := range slices.Sorted(maps.Keys(reg.fields)) {
		if !slices.Contains(reg.ids, m) {
			s.members = append(s.members, m)
		}
	}
	for f := range reflect.TypeFor[R]().Fields() {
		s.columns[f.Tag.Get("json")] = f.Type
	}
	for _, id := range reg.ids {
		if s.columns[id] != nil {
			s.stores = id
		}
	}
	s.row = func(t *testing.T, d *db.DB, id string) map[string]string {
		t.Helper()
		rows, err := reg.match(&run{ctx: t.Context(), q: d.Queries}, []entry{{id: identity{id: id}}}, reg.stages-1)
		if err != nil || rows[0].key == 0 {
			t.Fatalf("%s %s: %v", kind, id, err)
		}
		return columnsOf(t, rows[0].row)
	}
	return s
}

// columnsOf returns the JSON text of each column of a row.
func columnsOf(t *testing.T, row any) map[string]string {
	t.Helper()
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	columns := map[string]string{}
	for name, value := range raw {
		columns[name] = string(value)
	}
	return columns
}

// entry is the n-th entry, with members such as `,"name":"x"`.
func (s subject) entry(n int, members string) string {
	return fmt.Sprintf(`{%q:%q%s%s}`, s.id, s.nth(n), s.needs, members)
}

// update is entry without what only a new one needs.
func (s subject) update(n int, members string) string {
	return fmt.Sprintf(`{%q:%q%s}`, s.id, s.nth(n), members)
}

func (s subject) nth(n int) string { return fmt.Sprintf(s.format, n) }

// column is the one that a member fills.
func (s subject) column(member string) string {
	switch {
	case member == "hub_device_id": // until 2020
		return "via_device_id"
	case member == "id" && s.kind == Entities:
		return "registry_id"
	}
	return member
}

// sample is a value on the wire and in the database.
type sample struct{ wire, stored string }

// class is a sort of field: two values that it takes, what null makes of it, what it refuses, and why.
type class struct {
	first, second sample
	none          string
	refused       []string
	reason        string
}

var (
	notText = []string{`true`, `false`, `0`, `-1.5`, `[]`, `["x"]`, `[null]`, `{}`, `{"a":1}`}
	notTime = []string{
		`true`, `[]`, `{}`, `""`, `"yesterday"`, `"2026-01-02"`, `"2026-01-02T03:04:05"`, `"2026-13-02T03:04:05Z"`,
		`"1767323045"`, `1e300`, `-1e12`, `-1e11`, `"0000-01-01T00:00:00+01:00"`, `"9999-12-31T23:59:59-01:00"`,
	}
)

// Where the type of a column leaves a choice, the name decides. A new JSON column must be added here.
var (
	versionMembers = strings.Fields("manufacturer model model_id hw_version sw_version serial_number unique_id previous_unique_id")
	stringSets     = strings.Fields("labels aliases config_entries")
	anySets        = strings.Fields("identifiers connections")
	objects        = strings.Fields("config_entries_subentries categories options capabilities")
)

// classOf says what a member takes. Its texts hold the member's name, so that no two fields get the same.
func (s subject) classOf(t *testing.T, member string) class {
	t.Helper()
	c := class{none: "null", first: sample{quoted(member, 1), quoted(member, 1)}, second: sample{quoted(member, 2), quoted(member, 2)}}
	is := func(names []string) bool { return slices.Contains(names, member) }
	switch kind := s.columns[s.column(member)].String(); {
	case strings.HasSuffix(member, "_at"):
		c = timeClass()
		if kind == "string" {
			c.none = c.first.stored // kept
		}
	case is(versionMembers):
	case kind == "string":
		c.refused, c.reason, c.none = notText, errText.Error(), s.filler(member)
	case kind == "*string":
		c.refused, c.reason = notText, errText.Error()
	case kind == "bool" || kind == "*bool":
		c = class{none: "null", first: sample{`true`, `true`}, second: sample{`false`, `false`}, reason: errFlag.Error()}
		c.refused = []string{`"true"`, `""`, `0`, `1`, `[]`, `[true]`, `{}`}
		if kind == "bool" {
			c.none = "false"
		}
	case kind == "*int64":
		c = class{none: "null", first: sample{`-7`, `-7`}, second: sample{`12.0`, `12`}, reason: errInteger.Error()}
		c.refused = []string{`"1"`, `true`, `1.5`, `1e400`, `99999999999999999999`, `[]`, `[1]`, `{}`}
	case is(stringSets):
		c = class{none: "[]", first: sample{`["b","a"]`, `["a","b"]`}, second: sample{`["c"]`, `["c"]`}, reason: errStrings.Error()}
		c.refused = []string{`[1]`, `["a",null]`, `[["a"]]`, `[{}]`}
	case is(anySets):
		c = class{none: "[]", first: sample{`[["z","1"],["a",2]]`, `[["a",2],["z","1"]]`}, second: sample{`[1]`, `[1]`}, reason: errList.Error()}
		c.refused = []string{`"x"`, `1`, `true`, `{}`, `{"a":[]}`}
	case is(objects):
		c = class{none: "{}", first: sample{`{"b":1, "a":{}}`, `{"a":{},"b":1}`}, second: sample{`{}`, `{}`}, reason: errObject.Error()}
		c.refused = []string{`"x"`, `1`, `true`, `[]`, `[{}]`}
		if member == "capabilities" {
			c.none = "null"
		}
	case member == "aliases_v2":
		c = class{none: "null", first: sample{`["b", null]`, `["b",null]`}, second: sample{`["b", "a"]`, `["b","a"]`}, reason: errList.Error()}
		c.refused = []string{`"x"`, `1`, `true`, `{}`}
	default:
		t.Fatalf("%s.%s: a column of type %s: say in this test what it takes", s.kind, member, kind)
	}
	return c
}

func timeClass() class {
	return class{
		first:   sample{`"2026-01-02T03:04:05.5+01:00"`, `"2026-01-02T02:04:05.500000Z"`},
		second:  sample{`1767323045.25`, `"2026-01-02T03:04:05.250000Z"`},
		none:    "null",
		refused: notTime, reason: errTime.Error(),
	}
}

// filler is what stands in a text column that is never empty when the registry says nothing.
func (s subject) filler(member string) string {
	switch {
	case member == "name":
		return `"<id>"` // for which the id stands
	case member == "title":
		return `"hue"`
	}
	return `"unknown"`
}

func quoted(member string, n int) string { return fmt.Sprintf(`"%s %d"`, member, n) }
