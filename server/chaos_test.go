package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// chaos makes batches of entries that are partly right, partly wrong, about a few ids again and again.
type chaos struct{ *rand.Rand }

func (r chaos) pick(from ...string) string { return from[r.IntN(len(from))] }

// value is any JSON value.
func (r chaos) value(depth int) string {
	switch n := r.IntN(12); {
	case n == 0 && depth > 0:
		return "[" + r.value(depth-1) + "," + r.value(depth-1) + "]"
	case n == 1 && depth > 0:
		return `{"` + r.pick("a", "b", `\u0000`, "") + `":` + r.value(depth-1) + "}"
	case n < 4:
		return "null"
	}
	return r.pick(`"a"`, `"b"`, `""`, "0", "-1", "1.5", "1e999", "true", "false", "[]", "{}", `"\u0000"`, `"\ud800"`, "\"\xff\"", "1700000000.5", `"2026-01-01T00:00:00Z"`,
		`["a","b"]`, `["b","a","a"]`, `[["a",1]]`, `"d1"`, `"d2"`, `"😀"`)
}

// entry has some of the columns, right or wrong, some unknown members, and an identity that others have too.
func (r chaos) entry(columns map[string]columnKind, id string) string {
	item := "{" + id
	names := slices.Sorted(maps.Keys(columns))
	for range r.IntN(8) {
		name := names[r.IntN(len(names))]
		value := r.value(3)
		if kind := columns[name]; r.IntN(3) > 0 {
			value = r.pick(append(kind.right, "null")...)
		}
		item += fmt.Sprintf(`,"%s":%s`, name, value)
	}
	if r.IntN(4) == 0 {
		item += fmt.Sprintf(`,"%s":%s`, r.pick("new_in_2027", "x", "name_by_user", "area_name"), r.value(3))
	}
	return item + "}"
}

// devices are up to n entries, of which some have the same id.
func (r chaos) devices(n int) (items []string) {
	for range 1 + r.IntN(n) {
		items = append(items, r.entry(deviceColumns, fmt.Sprintf(`"%s":"d%d"`, r.pick("id", "device_id"), r.IntN(6))))
	}
	return items
}

// entities are up to n entries that do not contradict each other: no name and no identity comes twice, as
// in a registry. From batch to batch the names are dealt anew.
func (r chaos) entities(n int) (items []string) {
	columns := maps.Clone(entityColumns)
	for _, identity := range []string{"id", "platform", "unique_id"} {
		delete(columns, identity)
	}
	names, ids := r.Perm(2*n), r.Perm(2*n)
	for i := range 1 + r.IntN(n) {
		id := fmt.Sprintf(`"entity_id":"light.e%d"`, names[i])
		if r.IntN(3) > 0 {
			id += fmt.Sprintf(`,"id":"r%d"`, ids[i])
		}
		if r.IntN(3) > 0 {
			id += fmt.Sprintf(`,"platform":"p","unique_id":"u%d"`, ids[i])
		}
		items = append(items, r.entry(columns, id))
	}
	return items
}

// TestChaos pushes random batches twice each: the second time nothing changes and the same is rejected,
// and everything can be read at any time.
func TestChaos(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for seed := range uint64(150) {
		r := chaos{rand.New(rand.NewPCG(seed, 7))}
		c.twice(seed, "devices", r.devices(8))
		c.twice(seed, "entities", r.entities(8))
		if seed%10 == 9 {
			c.do("DELETE", "/internal/devices/clear", "").want(200)
		}
	}
}

func (c *caller) twice(seed uint64, noun string, items []string) {
	c.Helper()
	batch := "[" + strings.Join(items, ",") + "]"
	first := c.push(noun, batch)
	before := c.get("/api/v1/" + noun).want(200)
	second := c.push(noun, batch)
	after := c.get("/api/v1/" + noun).want(200)
	if second.Created+second.Updated > 0 || second.Upserted != first.Upserted || len(second.Rejected) != len(first.Rejected) || string(before.body) != string(after.body) {
		c.Errorf("seed %d: %s\n first %+v\n again %+v\nbefore %s\n after %s", seed, batch, first, second, before.body, after.body)
	}
	if !json.Valid(after.body) || !validText(after.body) {
		c.Errorf("seed %d: %q", seed, after.body)
	}
}
