package hass

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// named writes an entity: its entity_id, registry id and unique id, of which "-" leaves one out.
func named(text string) string {
	f := strings.Fields(text)
	entry := fmt.Sprintf(`{"entity_id":%q,"platform":"mqtt"`, f[0])
	if f[1] != "-" {
		entry += fmt.Sprintf(`,"id":%q`, f[1])
	}
	if f[2] != "-" {
		entry += fmt.Sprintf(`,"unique_id":%q`, f[2])
	}
	return entry + "}"
}

func batchOf(texts ...string) string {
	var entries []string
	for _, text := range texts {
		entries = append(entries, named(text))
	}
	return "[" + strings.Join(entries, ",") + "]"
}

// known writes each stored entity with its internal key, which says which row lives on.
func known(t *testing.T, d *db.DB) []string {
	t.Helper()
	var rows []string
	for _, e := range entitiesOf(t, d) {
		rows = append(rows, fmt.Sprintf("%d %s %s %s", e.Key, e.EntityID, deref(e.RegistryID), deref(e.UniqueID)))
	}
	return rows
}

type batch struct {
	entities []string // as named takes them
	counts   string
	want     []string // as known writes them
}

func TestIdentity(t *testing.T) {
	two := batch{[]string{"light.a r1 u1", "light.b r2 u2"}, "2/0/0/0", []string{"1 light.a r1 u1", "2 light.b r2 u2"}}
	old := batch{[]string{"light.a - u1", "light.b - u2"}, "2/0/0/0", []string{"1 light.a <null> u1", "2 light.b <null> u2"}}
	bare := batch{[]string{"light.a - -", "light.b - -"}, "2/0/0/0", []string{"1 light.a <null> <null>", "2 light.b <null> <null>"}}
	three := batch{[]string{"light.a r1 u1", "light.b r2 u2", "light.c r3 u3"}, "3/0/0/0",
		[]string{"1 light.a r1 u1", "2 light.b r2 u2", "3 light.c r3 u3"}}
	old3 := batch{[]string{"light.a - u1", "light.b - u2", "light.c - u3"}, "3/0/0/0",
		[]string{"1 light.a <null> u1", "2 light.b <null> u2", "3 light.c <null> u3"}}
	for name, batches := range map[string][]batch{
		"the same again":                        {two, {two.entities, "0/0/2/0", two.want}},
		"in another order":                      {two, {[]string{"light.b r2 u2", "light.a r1 u1"}, "0/0/2/0", two.want}},
		"renamed":                               {two, {[]string{"light.c r1 u1"}, "0/1/0/0", []string{"2 light.b r2 u2", "1 light.c r1 u1"}}},
		"swapped":                               {two, {[]string{"light.b r1 u1", "light.a r2 u2"}, "0/2/0/0", []string{"2 light.a r2 u2", "1 light.b r1 u1"}}},
		"swapped, the other way round":          {two, {[]string{"light.a r2 u2", "light.b r1 u1"}, "0/2/0/0", []string{"2 light.a r2 u2", "1 light.b r1 u1"}}},
		"swapped in 2020":                       {old, {[]string{"light.b - u1", "light.a - u2"}, "0/2/0/0", []string{"2 light.a <null> u2", "1 light.b <null> u1"}}},
		"swapped, one without a registry id":    {two, {[]string{"light.b r1 u1", "light.a - u2"}, "0/2/0/0", []string{"2 light.a r2 u2", "1 light.b r1 u1"}}},
		"swapped, and the registry ids are new": {old, {[]string{"light.b r1 u1", "light.a r2 u2"}, "0/2/0/0", []string{"2 light.a r2 u2", "1 light.b r1 u1"}}},
		"a chain": {three, {[]string{"light.b r1 u1", "light.c r2 u2", "light.d r3 u3"}, "0/3/0/0",
			[]string{"1 light.b r1 u1", "2 light.c r2 u2", "3 light.d r3 u3"}}},
		"a chain from its end": {three, {[]string{"light.d r3 u3", "light.c r2 u2", "light.b r1 u1"}, "0/3/0/0",
			[]string{"1 light.b r1 u1", "2 light.c r2 u2", "3 light.d r3 u3"}}},
		"a chain in 2020": {old3, {[]string{"light.b - u1", "light.c - u2", "light.d - u3"}, "0/3/0/0",
			[]string{"1 light.b <null> u1", "2 light.c <null> u2", "3 light.d <null> u3"}}},
		"three in a circle": {three, {[]string{"light.b r1 u1", "light.c r2 u2", "light.a r3 u3"}, "0/3/0/0",
			[]string{"3 light.a r3 u3", "1 light.b r1 u1", "2 light.c r2 u2"}}},
		"three in a circle in 2020": {old3, {[]string{"light.b - u1", "light.c - u2", "light.a - u3"}, "0/3/0/0",
			[]string{"3 light.a <null> u3", "1 light.b <null> u1", "2 light.c <null> u2"}}},
		"a new entity takes the old name of a renamed one": {two, {[]string{"light.a r9 u9", "light.c r1 u1", "light.b r2 u2"}, "1/1/1/0",
			[]string{"3 light.a r9 u9", "2 light.b r2 u2", "1 light.c r1 u1"}}},
		"the same in 2020": {old, {[]string{"light.a - u9", "light.c - u1", "light.b - u2"}, "1/1/1/0",
			[]string{"3 light.a <null> u9", "2 light.b <null> u2", "1 light.c <null> u1"}}},
		"a name goes to an entity with another registry id": {two, {[]string{"light.a r9 u9", "light.b r2 u2"}, "0/1/1/0",
			[]string{"1 light.a r9 u9", "2 light.b r2 u2"}}},
		"added anew, with another registry id":     {two, {[]string{"light.c r9 u1"}, "0/1/0/0", []string{"2 light.b r2 u2", "1 light.c r9 u1"}}},
		"takes the name of one that is no more":    {two, {[]string{"light.b r1 u1"}, "0/1/0/0", []string{"1 light.b r1 u1"}}},
		"the same, without registry ids":           {old, {[]string{"light.b - u1"}, "0/1/0/0", []string{"1 light.b <null> u1"}}},
		"a unique id says more than a name":        {old, {[]string{"light.b - u1", "light.c - u2"}, "0/2/0/0", []string{"1 light.b <null> u1", "2 light.c <null> u2"}}},
		"a registry id says more than a unique id": {two, {[]string{"light.a r1 u7", "light.b r2 u1"}, "0/2/0/0", []string{"1 light.a r1 u7", "2 light.b r2 u1"}}},
		"exchanged unique ids":                     {two, {[]string{"light.a r1 u2", "light.b r2 u1"}, "0/2/0/0", []string{"1 light.a r1 u2", "2 light.b r2 u1"}}},
		"the registry ids arrive later":            {old, {two.entities, "0/2/0/0", two.want}},
		"the unique ids arrive later":              {bare, {old.entities, "0/2/0/0", old.want}},
		"no ids are left out of what is known":     {two, {bare.entities, "0/0/2/0", two.want}},
		"a new unique id under the old name":       {old, {[]string{"light.a - u9"}, "0/1/0/0", []string{"1 light.a <null> u9", "2 light.b <null> u2"}}},
		"another domain":                           {old, {[]string{"switch.a - u1"}, "1/0/0/0", append([]string{}, append(old.want, "3 switch.a <null> u1")...)}},
		"to another domain by registry id":         {two, {[]string{"switch.a r1 u1"}, "0/1/0/0", []string{"2 light.b r2 u2", "1 switch.a r1 u1"}}},
		"two of one unique id": {two, {[]string{"light.a r1 u1", "light.b r2 u2", "light.c r9 u1"}, "1/0/2/0",
			[]string{"1 light.a r1 u1", "2 light.b r2 u2", "3 light.c r9 u1"}}},
		"two of one unique id in 2020": {old, {[]string{"light.a - u1", "light.c - u1"}, "1/0/1/0",
			[]string{"1 light.a <null> u1", "2 light.b <null> u2", "3 light.c <null> u1"}}},
		"two of one unique id, one with a registry id": {two, {[]string{"light.c - u1", "light.a r1 u1"}, "1/0/1/0",
			[]string{"1 light.a r1 u1", "2 light.b r2 u2", "3 light.c <null> u1"}}},
		"twice in a batch by name":             {{[]string{"light.a - u1", "light.b - u2", "light.a - u3"}, "2/0/0/0", []string{"2 light.a <null> u3", "1 light.b <null> u2"}}},
		"twice in a batch by registry id":      {{[]string{"light.a r1 u1", "light.b r1 u1"}, "1/0/0/0", []string{"1 light.b r1 u1"}}},
		"a thing and another of the same name": {two, {[]string{"light.b r1 u1", "light.b r2 u2"}, "0/0/1/0", two.want}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openMemory(t)
			for i, b := range batches {
				wantCounts(t, take(t, d, Entities, batchOf(b.entities...)), b.counts)
				if got := known(t, d); !slices.Equal(got, b.want) {
					t.Errorf("batch %d: %q, want %q", i, got, b.want)
				}
			}
		})
	}
}

// Old homes hold unique ids that are numbers. They identify like any other.
func TestIdentityByNumber(t *testing.T) {
	d := openMemory(t)
	take(t, d, Entities, `[{"entity_id":"light.a","platform":"hue","unique_id":17},{"entity_id":"light.b","platform":"hue","unique_id":18}]`)
	result := take(t, d, Entities, `[{"entity_id":"light.b","platform":"hue","unique_id":17},{"entity_id":"light.c","platform":"hue","unique_id":18}]`)
	wantCounts(t, result, "0/2/0/0")
	if got, want := known(t, d), []string{"1 light.b <null> 17", "2 light.c <null> 18"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of the same unique id on two platforms, each is its own entity.
func TestIdentityWithinPlatform(t *testing.T) {
	d := openMemory(t)
	take(t, d, Entities, `[{"entity_id":"light.a","platform":"hue","unique_id":"1"},{"entity_id":"light.b","platform":"zha","unique_id":"1"}]`)
	result := take(t, d, Entities, `[{"entity_id":"light.b","platform":"hue","unique_id":"1"},{"entity_id":"light.a","platform":"zha","unique_id":"1"}]`)
	wantCounts(t, result, "0/2/0/0")
	if got, want := known(t, d), []string{"2 light.a <null> 1", "1 light.b <null> 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A rejected entry leaves its row as it was, but for the name, which may be another's by now.
func TestRejectedEntryKeepsItsRow(t *testing.T) {
	const bad, good = `{"entity_id":"light.b","id":"r1","name":"B","labels":7}`, `{"entity_id":"light.a","id":"%s"}`
	for name, c := range map[string]struct {
		list, counts string
		want         []string
	}{
		"a new one takes the name":     {bad + "," + fmt.Sprintf(good, "r3"), "1/0/0/1", []string{"3 light.a r3 <null>", "1 light.b r1 A", "2 light.z r2 Z"}},
		"and comes first":              {fmt.Sprintf(good, "r3") + "," + bad, "1/0/0/1", []string{"3 light.a r3 <null>", "1 light.b r1 A", "2 light.z r2 Z"}},
		"a known one takes the name":   {bad + "," + fmt.Sprintf(good, "r2"), "0/1/0/1", []string{"2 light.a r2 Z", "1 light.b r1 A"}},
		"and comes before the bad one": {fmt.Sprintf(good, "r2") + "," + bad, "0/1/0/1", []string{"2 light.a r2 Z", "1 light.b r1 A"}},
		"nobody wants the name":        {bad, "0/0/0/1", []string{"1 light.b r1 A", "2 light.z r2 Z"}},
		"the name is as it was":        {`{"entity_id":"light.a","id":"r1","icon":7}`, "0/0/0/1", []string{"1 light.a r1 A", "2 light.z r2 Z"}},
		"a new one is bad":             {`{"entity_id":"light.c","id":"r9","icon":7}`, "0/0/0/1", []string{"1 light.a r1 A", "2 light.z r2 Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openMemory(t)
			take(t, d, Entities, `[{"entity_id":"light.a","id":"r1","name":"A"},{"entity_id":"light.z","id":"r2","name":"Z"}]`)
			wantCounts(t, take(t, d, Entities, "["+c.list+"]"), c.counts)
			var got []string
			for _, e := range entitiesOf(t, d) {
				got = append(got, fmt.Sprintf("%d %s %s %s", e.Key, e.EntityID, deref(e.RegistryID), deref(e.NameByUser)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Of the other registries, too, the last of an id counts.
func TestLastOfAnIDCounts(t *testing.T) {
	for _, s := range subjects() {
		if s.kind == Entities {
			continue
		}
		d := openMemory(t)
		list := "[" + s.entry(1, `,"created_at":"2021-01-01T00:00:00Z"`) + "," + s.entry(2, "") + "," + s.entry(1, `,"created_at":"2022-01-01T00:00:00Z"`) + "]"
		wantCounts(t, take(t, d, s.kind, list), "2/0/0/0")
		if got := s.row(t, d, s.nth(1))["created_at"]; got != `"2022-01-01T00:00:00.000000Z"` {
			t.Errorf("%s: %s", s.kind, got)
		}
	}
}
