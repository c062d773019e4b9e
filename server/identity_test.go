package server

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// names are the entities as the API lists them, in the form "entity_id=mark"; the mark is what the
// entity's first batch put into translation_key, which later batches leave out.
func (c *caller) names() string {
	c.Helper()
	var names []string
	for _, item := range c.row("/api/v1/entities?limit=1000")["entities"].([]any) {
		e := item.(map[string]any)
		names = append(names, fmt.Sprintf("%v=%v", e["entity_id"], e["translation_key"]))
	}
	return strings.Join(names, " ")
}

// TestRenames sends, after a first batch, a second one that gives the same entities other names.
func TestRenames(t *testing.T) {
	t.Parallel()
	const three = `[{"entity_id":"light.a","id":"ra","platform":"p","unique_id":"ua","translation_key":"A"},
		{"entity_id":"light.b","id":"rb","platform":"p","unique_id":"ub","translation_key":"B"},
		{"entity_id":"light.c","id":"rc","platform":"p","unique_id":"uc","translation_key":"C"}]`
	for name, test := range map[string]struct{ second, want string }{
		"one":                 {`[{"entity_id":"light.x","id":"ra"}]`, "light.b=B light.c=C light.x=A"},
		"other domain":        {`[{"entity_id":"switch.a","id":"ra"}]`, "light.b=B light.c=C switch.a=A"},
		"swap":                {`[{"entity_id":"light.b","id":"ra"},{"entity_id":"light.a","id":"rb"}]`, "light.a=B light.b=A light.c=C"},
		"swap backwards":      {`[{"entity_id":"light.a","id":"rb"},{"entity_id":"light.b","id":"ra"}]`, "light.a=B light.b=A light.c=C"},
		"chain":               {`[{"entity_id":"light.b","id":"ra"},{"entity_id":"light.c","id":"rb"},{"entity_id":"light.d","id":"rc"}]`, "light.b=A light.c=B light.d=C"},
		"chain backwards":     {`[{"entity_id":"light.d","id":"rc"},{"entity_id":"light.c","id":"rb"},{"entity_id":"light.b","id":"ra"}]`, "light.b=A light.c=B light.d=C"},
		"ring":                {`[{"entity_id":"light.b","id":"ra"},{"entity_id":"light.c","id":"rb"},{"entity_id":"light.a","id":"rc"}]`, "light.a=C light.b=A light.c=B"},
		"new takes name":      {`[{"entity_id":"light.x","id":"ra"},{"entity_id":"light.a","id":"new","translation_key":"N"}]`, "light.a=N light.b=B light.c=C light.x=A"},
		"new takes first":     {`[{"entity_id":"light.a","id":"new","translation_key":"N"},{"entity_id":"light.x","id":"ra"}]`, "light.a=N light.b=B light.c=C light.x=A"},
		"swap and new":        {`[{"entity_id":"light.a","id":"new","translation_key":"N"},{"entity_id":"light.b","id":"rc"},{"entity_id":"light.c","id":"rb"},{"entity_id":"light.d","id":"ra"}]`, "light.a=N light.b=C light.c=B light.d=A"},
		"taken":               {`[{"entity_id":"light.b","id":"ra"}]`, "light.b=A light.c=C"},
		"by unique id":        {`[{"entity_id":"light.b","platform":"p","unique_id":"ua"},{"entity_id":"light.a","platform":"p","unique_id":"ub"}]`, "light.a=B light.b=A light.c=C"},
		"unique id, new":      {`[{"entity_id":"light.a","platform":"p","unique_id":"un","translation_key":"N"},{"entity_id":"light.d","platform":"p","unique_id":"ua"}]`, "light.a=N light.b=B light.c=C light.d=A"},
		"unique id elsewhere": {`[{"entity_id":"light.x","platform":"other","unique_id":"ua","translation_key":"N"}]`, "light.a=A light.b=B light.c=C light.x=N"},
		"both ids":            {`[{"entity_id":"light.b","id":"ra","platform":"p","unique_id":"ub"},{"entity_id":"light.a","id":"rb","platform":"p","unique_id":"ua"}]`, "light.a=B light.b=A light.c=C"},
		"no ids":              {`[{"entity_id":"light.b"},{"entity_id":"light.a"}]`, "light.a=A light.b=B light.c=C"},
		"by its name":         {`[{"entity_id":"light.a","id":"other"}]`, "light.a=A light.b=B light.c=C"},
	} {
		c := inMemory(t)
		c.pushOnly("entities", three)
		if p := c.pushOnly("entities", test.second); p.Upserted != strings.Count(test.second, "entity_id") {
			t.Errorf("%s: %+v", name, p)
		}
		if got := c.names(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		if p := c.pushOnly("entities", test.second); p.Unchanged != p.Upserted || c.names() != test.want {
			t.Errorf("%s again: %+v %s", name, p, c.names())
		}
	}
}

// TestRenameKeepsTheRow looks at what a rename must not lose.
func TestRenameKeepsTheRow(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	c.pushOnly("entities", `[{"entity_id":"light.lamp","id":"r1","options":{"a":1},"created_at":"2024-01-01T00:00:00Z","from_2030":1}]`)
	before := c.row("/api/v1/entities/light.lamp")
	c.pushOnly("entities", `[{"entity_id":"switch.renamed","id":"r1"}]`)
	if from := c.row("/api/v1/entities/light.lamp")["renamed_from"]; from != "light.lamp" {
		t.Errorf("the old id says that it was renamed from %v", from)
	}
	after := c.row("/api/v1/entities/switch.renamed")
	for name, value := range before {
		if changes := slices.Contains([]string{"entity_id", "domain", "updated_at", "timestamp"}, name); changes == (fmt.Sprint(after[name]) == fmt.Sprint(value)) {
			t.Errorf("%s: before %v, after %v", name, value, after[name])
		}
	}
	filtered{"domain=switch&label_id=warm&area_id=kitchen&device_id=lamp", "switch.renamed"}.check(c, "entities", "entity_id")
	filtered{"domain=light", ""}.check(c, "entities", "entity_id")
}

// TestBadEntryLosesNoRow renames and swaps with an entry that is rejected: its row stays in some way.
func TestBadEntryLosesNoRow(t *testing.T) {
	t.Parallel()
	for _, second := range []string{
		`[{"entity_id":"light.b","id":"ra"},{"entity_id":"light.a","id":"rb","labels":7}]`,
		`[{"entity_id":"light.a","id":"rb","labels":7},{"entity_id":"light.b","id":"ra"}]`,
		`[{"entity_id":"light.b","id":"ra","labels":7},{"entity_id":"light.a","id":"rb"}]`,
		`[{"entity_id":"light.a","id":"new"},{"entity_id":"light.x","id":"ra","labels":7}]`,
		`[{"entity_id":"light.x","id":"ra","labels":7},{"entity_id":"light.a","id":"new"}]`,
	} {
		c := inMemory(t)
		c.pushOnly("entities", `[{"entity_id":"light.a","id":"ra","translation_key":"A"},{"entity_id":"light.b","id":"rb","translation_key":"B"}]`)
		p := c.push("entities", second)
		got := c.names()
		if !strings.Contains(got, "=A") || !strings.Contains(got, "=B") || strings.Contains(got, "~") || len(p.Rejected) == 0 {
			t.Errorf("%s: %s, rejected %+v", second, got, p.Rejected)
		}
	}
}

// registryModel is what the API must show: for each identity the name and the mark of the last batch.
type registryModel struct {
	name, mark map[int]string
	created    map[string]any
}

// shuffle gives some entities other names, brings new ones in, and lets others change.
func (m *registryModel) shuffle(random *rand.Rand, round int) {
	ids := slices.Sorted(maps.Keys(m.name))
	random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	moved := ids[:random.IntN(len(ids)+1)]
	var free []string
	for _, id := range moved {
		free = append(free, m.name[id])
	}
	for range random.IntN(5) {
		free = append(free, fmt.Sprintf("light.round%d_%d", round, len(free)))
	}
	random.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	for i, id := range moved {
		m.name[id] = free[i]
	}
	for i, name := range free[len(moved):] {
		if id := 1000*round + i; random.IntN(2) == 0 {
			m.name[id], m.mark[id] = name, fmt.Sprint("mark", id)
		}
	}
}

// batch is the whole registry in any order. Of the identities, ids tells which are sent.
func (m *registryModel) batch(random *rand.Rand, ids string) string {
	var items []string
	for id, name := range m.name {
		item := fmt.Sprintf(`{"entity_id":"%s","translation_key":"%s"`, name, m.mark[id])
		if strings.Contains(ids, "registry") {
			item += fmt.Sprintf(`,"id":"r%d"`, id)
		}
		if strings.Contains(ids, "unique") {
			item += fmt.Sprintf(`,"platform":"p","unique_id":"u%d"`, id)
		}
		items = append(items, item+"}")
	}
	slices.Sort(items)
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return "[" + strings.Join(items, ",") + "]"
}

// check holds the API to the model, and each entity to the created_at that it has had from its first batch.
func (m *registryModel) check(t *testing.T, c *caller, round int) {
	t.Helper()
	var want []string
	for id, name := range m.name {
		want = append(want, name+"="+m.mark[id])
	}
	slices.Sort(want)
	if got := c.names(); got != strings.Join(want, " ") {
		t.Fatalf("round %d:\n got %s\nwant %s", round, got, strings.Join(want, " "))
	}
	for _, item := range c.row("/api/v1/entities?limit=1000")["entities"].([]any) {
		e := item.(map[string]any)
		mark := e["translation_key"].(string)
		if m.created[mark] == nil {
			m.created[mark] = e["created_at"]
		}
		if m.created[mark] != e["created_at"] {
			t.Fatalf("round %d: %s was created at %v, and now %v", round, mark, m.created[mark], e["created_at"])
		}
	}
}

// TestPermutedNames is a property: after each batch of a registry whose names were permuted at random,
// the API shows exactly what the batch says, and each entity is still the one that it was.
func TestPermutedNames(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		for _, ids := range []string{"registry", "unique", "registry and unique"} {
			random := rand.New(rand.NewPCG(seed, 42))
			m := &registryModel{map[int]string{}, map[int]string{}, map[string]any{}}
			for id := range 50 {
				m.name[id], m.mark[id] = fmt.Sprintf("light.e%02d", id), fmt.Sprint("mark", id)
			}
			c := inMemory(t)
			for round := range 8 {
				if p := c.pushOnly("entities", m.batch(random, ids)); p.Upserted != len(m.name) {
					t.Fatalf("seed %d, round %d by %s: %+v of %d", seed, round, ids, p, len(m.name))
				}
				m.check(t, c, round)
				m.shuffle(random, round+1)
			}
		}
	}
}
