// Package hass takes Home Assistant's registries into the database: entries as they are on the wire of
// its WebSocket API or in the files under .storage, of any version since 2020.
//
// An entry is matched to the row it is about, and its members are laid over that row: an absent member
// keeps what is stored, null clears it, one that has no column is kept in extra. What is left unchanged
// is not written.
package hass

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/db/dbtype"
)

// Kind names a registry.
type Kind string

// The registries.
const (
	Floors        Kind = "floors"
	Labels        Kind = "labels"
	Areas         Kind = "areas"
	ConfigEntries Kind = "config_entries"
	Devices       Kind = "devices"
	Entities      Kind = "entities"
)

// Result counts what became of a batch: rows that are new, rows that changed, rows that were already
// as the batch says, rows that are gone, and what was refused. Gone are entities whose entity_id another
// has now, and, where the batch is a whole registry, the rows that it does not hold.
type Result struct {
	Created    int         `json:"created"`
	Updated    int         `json:"updated"`
	Unchanged  int         `json:"unchanged"`
	Deleted    int         `json:"deleted"`
	DeletedIDs []string    `json:"-"`
	Rejected   []Rejection `json:"rejected"`
}

// Stored counts the distinct rows that the batch holds and that now stand in the database.
func (r Result) Stored() int { return r.Created + r.Updated + r.Unchanged }

// Rejection says what was wrong with an entry, of which nothing was stored but, where it renames an
// entity, the new name: others in the batch may rely on it. An entry with several bad
// members has a rejection for each.
type Rejection struct {
	Index  int     `json:"index"`  // in the batch, from 0
	ID     *string `json:"id"`     // nil where the entry has none
	Field  string  `json:"field"`  // the member; "" where the entry as a whole is meant
	Reason string  `json:"reason"` // "must be …"
}

// Apply takes a batch into the database by q, which belongs to a transaction. A bad entry is rejected
// and the others are stored. Where an id comes twice, the last one counts. progress, which may be nil,
// is told from time to time how many entries are done. The error is one of package db.
func Apply(ctx context.Context, q *db.Queries, kind Kind, batch Batch, progress func(done int)) (Result, error) {
	r := newRun(ctx, q, progress)
	err := r.take(kind, batch)
	return r.result, err
}

// run is one batch on its way.
type run struct {
	ctx      context.Context
	brief    context.Context // for statements about one row: ctx is looked at before them, as watching it costs a tenth of all
	q        *db.Queries
	now      string
	progress func(int)
	strict   bool // whether an id that comes twice is refused
	whole    bool // whether rows that are not claimed are to be removed
	done     int
	claimed  map[int64]struct{} // keys of the rows that entries were matched to, or may mean
	names    names              // of members, in all entries
	members  []member           // of the entry at hand
	spared   []entry            // that are not taken, though they may mean a row
	vague    bool               // whether there is one that may mean any row
	result   Result
}

func newRun(ctx context.Context, q *db.Queries, progress func(done int)) *run {
	if progress == nil {
		progress = func(int) {}
	}
	return &run{
		ctx: ctx, brief: context.WithoutCancel(ctx), q: q, now: time.Now().UTC().Format(timeLayout), progress: progress,
		claimed: map[int64]struct{}{}, names: names{},
		result: Result{Rejected: []Rejection{}},
	}
}

func (r *run) take(kind Kind, batch Batch) error {
	reg, ok := registries[kind]
	if !ok {
		return fmt.Errorf("unknown registry %q", kind)
	}
	err := reg.take(r, batch)
	slices.SortStableFunc(r.result.Rejected, func(a, b Rejection) int { return a.Index - b.Index })
	return err
}

// gone notes rows that are no more.
func (r *run) gone(ids []string) {
	slices.Sort(ids)
	r.result.Deleted += len(ids)
	r.result.DeletedIDs = append(r.result.DeletedIDs, ids...)
}

// registries are all there are.
var registries = map[Kind]interface {
	take(r *run, batch Batch) error
	remove(r *run, rows removal) error
}{
	Floors: floors, Labels: labels, Areas: areas, ConfigEntries: configEntries, Devices: devices, Entities: entities,
}

// registry is what the entries of one kind have in common. R holds a row's own columns.
type registry[R any] struct {
	ids    []string              // members that may hold the id, the first of which counts most
	also   [][]string            // further members that identify an entry, each under its names, see identity
	fields map[string]field[R]   // member -> column
	beside func(string) bool     // members to leave out: made by us, or secret
	extra  func(*R) *dbtype.JSON // where other members go; nil drops them

	valid  func(id string) error // nil accepts any
	stages int                   // ways to match, tried one after the other for the whole batch
	match  func(r *run, some []entry, stage int) ([]matched[R], error)
	fresh  func(id identity, now string) R
	finish func(row *R, id identity) (field, reason string) // fills what may not be empty, or says what is missing
	filled func(*R) [2]string                               // what finish may have changed; may be nil
	save   func(r *run, before, row *R) error
	clear  func(r *run, rows removal) (ids []string, err error) // deletes rows, or leaves just their ids of those that are referred to
	keep   func(r *run, row *R, id identity) error              // keeps the row of an entry that was rejected; may be nil
	end    func(r *run) error                                   // after the batch; may be nil
}

// matched is the row that an entry is about; the key is 0 where there is none.
type matched[R any] struct {
	row R
	key int64
}

// each matches entries one by one, by their ids.
func each[R any](match func(r *run, id string) (R, int64, error)) func(*run, []entry, int) ([]matched[R], error) {
	return func(r *run, some []entry, _ int) ([]matched[R], error) {
		rows := make([]matched[R], len(some))
		for i, e := range some {
			row, key, err := match(r, e.id.id)
			switch {
			case err == nil:
				rows[i] = matched[R]{row, key}
			case !errors.Is(err, sql.ErrNoRows):
				return nil, err
			}
		}
		return rows, nil
	}
}

// matchedAtOnce is for how many entries rows are read before the first of them is stored. An entity that loses its
// entity_id to another meanwhile gets a new one from its own entry, as no two entries have the same: it does not
// matter that its row was read before.
const matchedAtOnce = 250

// take matches the entries of a batch to rows, and stores them.
func (reg *registry[R]) take(r *run, batch Batch) error {
	pending := reg.identify(r, batch)
	for stage := range reg.stages {
		rest := pending[:0]
		for some := range slices.Chunk(pending, matchedAtOnce) {
			rows, err := reg.match(r, some, stage)
			if err != nil {
				return err
			}
			for i, e := range some {
				taken, err := reg.takeOne(r, e, rows[i], stage)
				if err != nil {
					return err
				}
				if !taken {
					rest = append(rest, e)
				}
			}
		}
		pending = rest
	}
	if r.whole {
		if err := reg.claimSpared(r); err != nil {
			return err
		}
	}
	if reg.end != nil {
		return reg.end(r)
	}
	return nil
}

// takeOne stores an entry, unless no row is its own and another stage may find one.
func (reg *registry[R]) takeOne(r *run, e entry, m matched[R], stage int) (taken bool, err error) {
	_, others := r.claimed[m.key]
	switch {
	case m.key != 0 && !others:
		r.claimed[m.key] = struct{}{}
	case stage < reg.stages-1:
		return false, nil
	default:
		m = matched[R]{row: reg.fresh(e.id, r.now)}
	}
	r.members, _ = r.names.membersOf(e.value, r.members[:0])
	if err := reg.store(r, e, &m.row, m.key == 0, r.members); err != nil {
		return false, err
	}
	r.step()
	return true, nil
}

// remove takes rows out of the registry.
func (reg *registry[R]) remove(r *run, rows removal) error {
	ids, err := reg.clear(r, rows)
	r.gone(ids)
	return err
}

func (r *run) step() {
	if r.done++; r.done%1000 == 0 {
		r.progress(r.done)
	}
}

func (r *run) reject(index int, id *string, field, reason string) {
	r.result.Rejected = append(r.result.Rejected, Rejection{Index: index, ID: id, Field: field, Reason: reason})
}

// store lays the members of an entry over its row and saves the row if that changed it.
func (reg *registry[R]) store(r *run, e entry, row *R, isNew bool, members []member) error {
	before := *row
	changed, good := reg.overlay(r, e, row, members)
	if !good {
		if reg.keep != nil && !isNew {
			return reg.keep(r, &before, e.id)
		}
		return nil
	}
	if field, reason := reg.finish(row, e.id); reason != "" {
		r.reject(e.index, &e.id.id, field, reason)
		return nil
	}
	changed = changed || reg.filled != nil && reg.filled(row) != reg.filled(&before)
	if !changed && !isNew {
		r.result.Unchanged++
		return nil
	}
	err := r.ctx.Err()
	if err == nil {
		err = reg.save(r, &before, row)
	}
	switch {
	case errors.Is(db.Classify(err), db.ErrConflict):
		r.reject(e.index, &e.id.id, "", "collides with another entry")
	case err != nil:
		return err
	case isNew:
		r.result.Created++
	default:
		r.result.Updated++
	}
	return nil
}

// overlay takes each member into the row. good is false where one was refused.
func (reg *registry[R]) overlay(r *run, e entry, row *R, members []member) (changed, good bool) {
	good = true
	var unknown []member
	for i, m := range members {
		take, known := reg.fields[m.name]
		_, later := find(members[i+1:], []string{m.name})
		switch {
		case later != nil: // the last counts
		case !known && (reg.extra == nil || reg.beside(m.name)):
		case tooDeep(m.value):
			r.reject(e.index, &e.id.id, m.name, errDeep.Error())
			good = false
		case !known:
			unknown = append(unknown, m)
		default:
			did, err := take(row, m.value)
			if err != nil {
				r.reject(e.index, &e.id.id, m.name, err.Error())
				good = false
			}
			changed = changed || did
		}
	}
	if len(unknown) > 0 {
		changed = set(reg.extra(row), merged(*reg.extra(row), unknown)) || changed
	}
	return changed, good
}

// merged returns the object with the members laid over it; null takes one out.
func merged(object dbtype.JSON, members []member) dbtype.JSON {
	old, _ := names{}.membersOf(jsontext.Value(object), nil)
	for _, m := range members {
		old = slices.DeleteFunc(old, func(o member) bool { return o.name == m.name })
		if m.value.Kind() != 'n' {
			old = append(old, m)
		}
	}
	text := []byte{'{'}
	for i, m := range old {
		if i > 0 {
			text = append(text, ',')
		}
		text, _ = jsontext.AppendQuote(text, m.name)
		text = append(append(text, ':'), m.value...)
	}
	return dbtype.JSON(canonical(append(text, '}')))
}

var errEmpty = errors.New("must not be empty")

func notEmpty(id string) error {
	if id == "" {
		return errEmpty
	}
	return nil
}

// computed are the members that data-api itself adds to what it serves. They are not kept in extra when
// somebody sends them. (What was read is not meant to be sent back: its names and areas are effective.)
var computed = map[string]bool{
	"area_count": true, "area_name": true, "device_count": true, "disabled": true, "domain": true,
	"entity_count": true, "extra": true, "floor_id": true, "floor_name": true, "own_area_id": true, "timestamp": true,
	"updated_at": true,
}

func isComputed(name string) bool { return computed[name] }
