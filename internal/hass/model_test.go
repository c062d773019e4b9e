package hass

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// thing is an entity: what an entry says of it, and what a row holds of it. In an entry, nil members
// are absent; name and note may be null, which "" stands for.
type thing struct {
	entityID, platform       string
	registryID, uniqueID     *string
	name, note, label, since *string // since is created_at
}

func (e thing) json() string {
	members := []string{fmt.Sprintf(`"entity_id":%q,"platform":%q`, e.entityID, e.platform)}
	add := func(name string, value *string, format string) {
		switch {
		case value == nil:
		case *value == "":
			members = append(members, fmt.Sprintf(`%q:null`, name))
		default:
			members = append(members, fmt.Sprintf(`%q:`+format, name, *value))
		}
	}
	add("id", e.registryID, "%q")
	add("unique_id", e.uniqueID, "%q")
	add("name", e.name, "%q")
	add("note", e.note, "%q")
	add("labels", e.label, "[%q]")
	add("created_at", e.since, "%q")
	return "{" + strings.Join(members, ",") + "}"
}

func (e thing) domain() string { return strings.Split(e.entityID, ".")[0] }

func same(a, b *string) bool { return a != nil && b != nil && *a == *b }

// row is a row of the model.
type row struct {
	thing
	key int64 // 0 until the database has given one
}

// model says in a simple way what the database should hold.
type model []*row

// take lays a batch over the model and says what becomes of it.
func (m *model) take(batch []thing) Result {
	var result Result
	matched := map[*row]thing{}
	var fresh []thing
	rest := lastOnes(batch)
	for _, is := range []func(thing, *row) bool{
		func(e thing, r *row) bool { return same(e.registryID, r.registryID) },
		func(e thing, r *row) bool {
			return same(e.uniqueID, r.uniqueID) && e.platform == r.platform && e.domain() == r.domain()
		},
		func(e thing, r *row) bool { return e.entityID == r.entityID },
	} {
		fresh = nil
		for _, e := range rest {
			i := slices.IndexFunc(*m, func(r *row) bool { _, taken := matched[r]; return !taken && is(e, r) })
			if i < 0 {
				fresh = append(fresh, e)
				continue
			}
			matched[(*m)[i]] = e
		}
		rest = fresh
	}
	names := map[string]bool{}
	for r, e := range matched {
		names[e.entityID] = true
		if r.lay(e) {
			result.Updated++
		} else {
			result.Unchanged++
		}
	}
	*m = slices.DeleteFunc(*m, func(r *row) bool { _, is := matched[r]; return !is && names[r.entityID] })
	for _, e := range fresh {
		r := &row{}
		r.lay(e)
		*m = append(*m, r)
		result.Created++
	}
	return result
}

// lastOnes leaves out what a later entry of the same name or registry id replaces.
func lastOnes(batch []thing) (kept []thing) {
	for i, e := range batch {
		if !slices.ContainsFunc(batch[i+1:], func(o thing) bool { return o.entityID == e.entityID || same(o.registryID, e.registryID) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// lay lays an entry over a row, and says whether that changed it.
func (r *row) lay(e thing) bool {
	before := fmt.Sprint(r.thing.json())
	r.entityID, r.platform = e.entityID, e.platform
	for _, p := range [][2]**string{
		{&r.registryID, &e.registryID}, {&r.uniqueID, &e.uniqueID}, {&r.name, &e.name}, {&r.note, &e.note}, {&r.label, &e.label}, {&r.since, &e.since},
	} {
		if *p[1] != nil {
			*p[0] = *p[1]
		}
		if *p[0] != nil && **p[0] == "" {
			*p[0] = nil
		}
	}
	return r.thing.json() != before
}

// compare holds the rows of the database to the model. What only the database can know, a new row's key
// and time, is learned; from then on it must stay.
func (m *model) compare(t *testing.T, d *db.DB) {
	t.Helper()
	rows := entitiesOf(t, d)
	slices.SortFunc(*m, func(a, b *row) int { return strings.Compare(a.entityID, b.entityID) })
	if len(rows) != len(*m) {
		t.Fatalf("%d rows, want %d", len(rows), len(*m))
	}
	for i, e := range rows {
		r := (*m)[i]
		if r.key == 0 {
			r.key = e.Key
		}
		if r.since == nil {
			r.since = &e.CreatedAt
		}
		got := fmt.Sprintln(e.Key, e.EntityID, deref(e.RegistryID), e.Platform, deref(e.UniqueID), deref(e.NameByUser), e.Extra, e.Labels, e.CreatedAt)
		extra, labels := "{}", "[]"
		if r.note != nil {
			extra = fmt.Sprintf(`{"note":%q}`, *r.note)
		}
		if r.label != nil {
			labels = fmt.Sprintf(`[%q]`, *r.label)
		}
		want := fmt.Sprintln(r.key, r.entityID, deref(r.registryID), r.platform, deref(r.uniqueID), deref(r.name), extra, labels, *r.since)
		if got != want {
			t.Fatalf("row\n     %swant %s", got, want)
		}
	}
}

// home makes up what Home Assistant does.
type home struct {
	*rand.Rand
	things []*thing
	made   int
	ids    bool // whether it has registry ids
	shy    bool // whether it leaves them out at times; then unique ids stay, or nobody could follow
}

func (h *home) next(what string) *string {
	h.made++
	s := fmt.Sprintf("%s%d", what, h.made)
	return &s
}

func (h *home) pick() *thing { return h.things[h.IntN(len(h.things))] }

func (h *home) used(entityID string) bool {
	return slices.ContainsFunc(h.things, func(e *thing) bool { return e.entityID == entityID })
}

// name is a free name of a domain: often one that was used before.
func (h *home) name(domain string) string {
	for {
		if name := fmt.Sprintf("%s.n%d", domain, h.IntN(2*len(h.things)+3)); !h.used(name) {
			return name
		}
	}
}

func (h *home) add() {
	e := &thing{platform: []string{"mqtt", "hue"}[h.IntN(2)], entityID: h.name([]string{"light", "sensor"}[h.IntN(2)])}
	e.uniqueID = h.next("u")
	if h.ids {
		e.registryID = h.next("r")
	}
	if h.IntN(3) == 0 {
		since := fmt.Sprintf("2024-01-01T00:00:00.%06dZ", h.made)
		e.since = &since
	}
	h.things = append(h.things, e)
}

// rotate passes the names of up to four entities of a domain around: two are a swap.
func (h *home) rotate() {
	var some []*thing
	for range 4 {
		if e := h.pick(); !slices.Contains(some, e) && (len(some) == 0 || e.domain() == some[0].domain()) {
			some = append(some, e)
		}
	}
	last := some[len(some)-1].entityID
	for i := len(some) - 1; i > 0; i-- {
		some[i].entityID = some[i-1].entityID
	}
	some[0].entityID = last
}

// live lets something happen.
func (h *home) live() {
	switch n := h.IntN(10); {
	case n < 2 || len(h.things) < 3:
		h.add()
	case n < 4:
		e := h.pick()
		e.entityID = h.name(e.domain())
	case n < 6:
		h.rotate()
	case n < 7:
		i := h.IntN(len(h.things))
		h.things = slices.Delete(h.things, i, i+1)
	case n < 8 && h.ids: // removed and added again
		h.pick().registryID = h.next("r")
	case n < 9 && !h.shy:
		h.pick().uniqueID = h.next("u")
	default:
		h.pick().name = h.next("name")
	}
}

// tell makes a batch of all or some entities, in any order, with members left out and some said twice.
func (h *home) tell() (batch []thing) {
	all := h.IntN(2) == 0
	for _, i := range h.Perm(len(h.things)) {
		if all || h.IntN(3) > 0 {
			batch = append(batch, h.entry(*h.things[i]))
		}
	}
	if len(batch) > 0 && h.IntN(4) == 0 { // and one of them was said differently before
		early := batch[h.IntN(len(batch))]
		early.name = h.next("early")
		batch = append([]thing{early}, batch...)
	}
	return batch
}

func (h *home) entry(e thing) thing {
	empty := ""
	maybe := func(value *string) *string {
		return []*string{nil, &empty, value}[h.IntN(3)]
	}
	e.name, e.note, e.label = maybe(e.name), maybe(h.next("note")), maybe(h.next("label"))
	if h.shy && h.IntN(4) == 0 {
		e.registryID = nil
	}
	if h.IntN(4) == 0 {
		e.since = nil
	}
	return e
}

// Random homes live on, and tell of it in random batches: after each, the database holds what the model
// says, each row lives on under its key, and no created_at changes.
func TestRandomHomes(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			h := &home{Rand: rand.New(rand.NewPCG(seed, 1)), ids: seed%3 > 0, shy: seed%3 > 1}
			d, m := openMemory(t), model{}
			for range 25 {
				for range h.IntN(6) {
					h.live()
				}
				batch := h.tell()
				text := listOfThings(batch)
				want, got := m.take(batch), take(t, d, Entities, text)
				if got.Created != want.Created || got.Updated != want.Updated || got.Unchanged != want.Unchanged || len(got.Rejected) > 0 {
					t.Errorf("%s, want %s; rejected %s", counts(got), counts(want), rejections(got))
				}
				if m.compare(t, d); t.Failed() {
					t.Fatalf("after %s", text)
				}
			}
		})
	}
}

func listOfThings(batch []thing) string {
	list := []json.RawMessage{}
	for _, e := range batch {
		list = append(list, json.RawMessage(e.json()))
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // a batch that is no JSON
	}
	return string(text)
}
