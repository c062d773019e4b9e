package hass

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// identity is by what an entry is matched. Only an entity has more than the id.
type identity struct {
	id                             string
	registryID, platform, uniqueID *string
}

// entry is an element of a batch that has an identity.
type entry struct {
	index int
	name  string // of the member that holds the id
	id    identity
	value jsontext.Value
}

// identify finds by what each entry is matched, rejects those that say it badly, and leaves out those
// that a later one of the same identity replaces.
func (reg *registry[R]) identify(r *run, batch Batch) []entry {
	entries := make([]entry, 0, len(batch))
	members := make([]member, 0, 64)
	for i, v := range batch {
		var ok bool
		if members, ok = r.names.membersOf(v, members[:0]); !ok {
			r.reject(i, nil, "", "must be an object")
			r.vague = true
			continue
		}
		e, ok := reg.identity(r, i, members)
		if !ok {
			r.spared = append(r.spared, e)
			continue
		}
		e.value = v
		entries = append(entries, e)
	}
	return reg.lastOnes(r, entries)
}

// lastOnes leaves out the entries that a later one of the same id, or registry id, replaces.
func (reg *registry[R]) lastOnes(r *run, entries []entry) []entry {
	seen := make(map[string]int, len(entries))
	kept := len(entries)
	for i := len(entries) - 1; i >= 0; i-- {
		e, doubled := entries[i], false
		check := func(key, member string) {
			if later, again := seen[key]; again {
				r.rejectDouble(e, member, later)
				doubled = true
			}
			seen[key] = e.index
		}
		check(e.id.id, e.name)
		if e.id.registryID != nil {
			check("\x00"+*e.id.registryID, reg.also[0][0])
		}
		if doubled {
			r.spared = append(r.spared, e)
			continue
		}
		kept--
		entries[kept] = e
	}
	return entries[kept:]
}

func (r *run) rejectDouble(e entry, member string, later int) {
	if r.strict {
		r.reject(e.index, &e.id.id, member, fmt.Sprintf("is that of entry %d as well", later))
	}
}

// identity reads the members that identify an entry, or rejects it.
func (reg *registry[R]) identity(r *run, index int, members []member) (e entry, ok bool) {
	name, value := find(members, reg.ids)
	e = entry{index: index, name: name}
	for i, at := range []**string{&e.id.registryID, &e.id.platform, &e.id.uniqueID}[:len(reg.also)] {
		if _, v := find(members, reg.also[i]); v != nil && v.Kind() != 'n' && string(v) != `""` {
			s := written(v)
			*at = &s
		}
	}
	switch {
	case value == nil:
		r.reject(index, nil, name, "is missing")
		return e, false
	case value.Kind() != '"':
		r.reject(index, nil, name, "must be a string")
		return e, false
	}
	e.id.id = unquote(value)
	if err := reg.valid(e.id.id); err != nil {
		r.reject(index, &e.id.id, name, err.Error())
		return e, false
	}
	return e, true
}

// claimSpared claims every row that an entry may mean which was not taken: it is not said to be gone.
// An entry that tells nothing of itself may mean any row.
func (reg *registry[R]) claimSpared(r *run) error {
	for _, e := range r.spared {
		if e.id.id == "" && e.id.registryID == nil && (e.id.platform == nil || e.id.uniqueID == nil) {
			r.vague = true
		}
	}
	for stage := range reg.stages {
		rows, err := reg.match(r, r.spared, stage)
		if err != nil {
			return err
		}
		for _, m := range rows {
			if m.key != 0 {
				r.claimed[m.key] = struct{}{}
			}
		}
	}
	return nil
}

// find returns the member that has the first of the names, with that name; the value is nil where none
// has any, and the name is then the first.
func find(members []member, names []string) (string, jsontext.Value) {
	for _, name := range names {
		for i := len(members) - 1; i >= 0; i-- {
			if members[i].name == name {
				return name, members[i].value
			}
		}
	}
	return names[0], nil
}
