package hass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dataapi/db"
)

// How says how registries are taken in. The zero value rejects bad entries one by one, and refuses to
// remove most of a registry.
type How struct {
	Strict   bool                         // any entry that is not as it should be refuses all, as Invalid
	Force    bool                         // nothing is too much to remove
	DryRun   bool                         // it is only said what would be done
	Progress func(file Storage, done int) // is told how many entries of a file are done; may be nil
}

// Imported says what became of a file. What is gone of its registry is said with the last file of its kind.
type Imported struct {
	Storage
	Result
}

// Unresolved are ids of one kind that rows refer to and that are not known: how many, and the first of them.
type Unresolved struct {
	Count int      `json:"count"`
	IDs   []string `json:"ids"`
}

// MostUnresolved is how many ids an Unresolved holds.
const MostUnresolved = 100

// Outcome is what an import comes to. Unresolved is about all of the database after it.
type Outcome struct {
	Files      []Imported
	Unresolved map[Kind]Unresolved
}

// Invalid is the error of a strict import: nothing was stored.
type Invalid []Fault

// Fault is something wrong with what was to be imported. Pointer is a JSON pointer (RFC 6901).
type Fault struct{ Pointer, Detail string }

func (e Invalid) Error() string { return "the registries are not valid" }

// TooMuch is the error of an import that would remove more than half of a registry: nothing was stored.
type TooMuch []Loss

// Loss is how many of the rows of a kind would be removed.
type Loss struct {
	Kind       Kind
	Gone, Have int
}

func (e TooMuch) Error() string {
	var kinds []string
	for _, l := range e {
		kinds = append(kinds, fmt.Sprintf("%d of %d %s", l.Gone, l.Have, strings.ReplaceAll(string(l.Kind), "_", " ")))
	}
	return "this would remove " + strings.Join(kinds, ", ")
}

// handful is how many rows of a kind may be removed whatever share of it they are.
const handful = 5

// errDryRun rolls an import back that went well.
var errDryRun = errors.New("dry run")

// Import takes registries into the database in one transaction: all of them or, with an error, none. Of
// kinds that are Whole, it removes what they do not hold. The error is an Invalid, a TooMuch, or one of
// package db.
func Import(ctx context.Context, d *db.DB, files []Storage, how How) (Outcome, error) {
	var outcome Outcome
	err := d.Write(ctx, func(q *db.Queries) (err error) {
		i := &intake{How: how, ctx: ctx, q: q, kinds: map[Kind]*intakeKind{}}
		if outcome, err = i.run(files); err == nil && how.DryRun {
			err = errDryRun
		}
		return err
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return Outcome{}, err
	}
	return outcome, nil
}

// intake is an import on its way.
type intake struct {
	How
	ctx   context.Context
	q     *db.Queries
	kinds map[Kind]*intakeKind
	runs  []*run // of the files
}

// intakeKind is what becomes of a registry, of which there may be several files.
type intakeKind struct {
	whole  bool
	before db.MeasureRegistryRow
	runs   []*run
	stale  []db.ListUnclaimedRow
}

// complete says whether what the files do not hold is gone. An entry that may mean any row keeps all of them.
func (k *intakeKind) complete() bool {
	return k.whole && !slices.ContainsFunc(k.runs, func(r *run) bool { return r.vague })
}

// removal is rows that are to be removed from a registry, which has been told, as others may be, as a whole.
type removal struct {
	keys string // a JSON list
	told map[Kind]bool
}

func (i *intake) run(files []Storage) (o Outcome, err error) {
	for _, step := range []func([]Storage) error{i.measure, i.take, i.judge, i.findStale, i.guard, i.removeStale} {
		if err := step(files); err != nil {
			return Outcome{}, err
		}
	}
	for n, file := range files {
		o.Files = append(o.Files, Imported{Storage: file, Result: i.runs[n].result})
	}
	o.Unresolved, err = unresolved(i.ctx, i.q)
	return o, err
}

// measure finds what there is of each kind before anything is taken.
func (i *intake) measure(files []Storage) (err error) {
	for _, file := range files {
		k := i.kinds[file.Kind]
		if k == nil {
			k = &intakeKind{}
			i.kinds[file.Kind] = k
			if k.before, err = i.q.MeasureRegistry(i.ctx, string(file.Kind)); err != nil {
				return err
			}
		}
		k.whole = k.whole || file.Whole
	}
	return nil
}

func (i *intake) take(files []Storage) error {
	for _, file := range files {
		r := newRun(i.ctx, i.q, func(done int) {
			if i.Progress != nil {
				i.Progress(file, done)
			}
		})
		k := i.kinds[file.Kind]
		r.strict, r.whole = i.Strict, k.whole
		if err := r.take(file.Kind, file.Batch); err != nil {
			return fmt.Errorf("%s: %w", orElse(file.Path, string(file.Kind)), err)
		}
		i.runs = append(i.runs, r)
		k.runs = append(k.runs, r)
	}
	return nil
}

// judge makes an Invalid of what was rejected, where nothing may be.
func (i *intake) judge(files []Storage) error {
	var faults Invalid
	for n, r := range i.runs {
		for _, j := range r.result.Rejected {
			pointer := fmt.Sprintf("/%s/%d", files[n].Kind, j.Index)
			if j.Field != "" {
				pointer += "/" + escapePointer(j.Field)
			}
			faults = append(faults, Fault{pointer, j.Reason})
		}
	}
	if !i.Strict || len(faults) == 0 {
		return nil
	}
	return faults
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(name string) string { return pointerEscapes.Replace(name) }

// findStale finds the rows that a whole registry does not hold. Rows that are new are there for something
// that was taken: an area, say, to which a device refers.
func (i *intake) findStale([]Storage) (err error) {
	for kind, k := range i.kinds {
		if !k.complete() {
			continue
		}
		var claimed []int64
		for _, r := range k.runs {
			claimed = slices.AppendSeq(claimed, maps.Keys(r.claimed))
		}
		k.stale, err = i.q.ListUnclaimed(i.ctx, db.ListUnclaimedParams{
			Kind: string(kind), Newest: k.before.Newest, Claimed: listOfKeys(claimed),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// guard refuses to remove more than half of what a registry lists. Whoever empties a home means it and says
// so; what is more likely is that something is wrong.
func (i *intake) guard([]Storage) error {
	var losses TooMuch
	for _, f := range storageFiles {
		k := i.kinds[f.kind]
		if k == nil || !k.whole {
			continue
		}
		gone := k.gone()
		if have := int(k.before.Listed); gone > handful && 2*gone > have {
			losses = append(losses, Loss{Kind: f.kind, Gone: gone, Have: have})
		}
	}
	if i.Force || len(losses) == 0 {
		return nil
	}
	return losses
}

// gone counts the rows that are no more or will be, but for those that no registry has listed.
func (k *intakeKind) gone() (n int) {
	for _, r := range k.runs {
		n += r.result.Deleted
	}
	for _, row := range k.stale {
		if row.Listed {
			n++
		}
	}
	return n
}

// removeStale begins with what nothing refers to, so that what goes with others goes with them.
func (i *intake) removeStale([]Storage) error {
	told := map[Kind]bool{}
	for kind, k := range i.kinds {
		told[kind] = k.whole
	}
	for _, f := range slices.Backward(storageFiles) {
		k := i.kinds[f.kind]
		if k == nil || len(k.stale) == 0 {
			continue
		}
		var keys []int64
		for _, row := range k.stale {
			keys = append(keys, row.Key)
		}
		if err := registries[f.kind].remove(k.runs[len(k.runs)-1], removal{listOfKeys(keys), told}); err != nil {
			return err
		}
	}
	return nil
}

func listOfKeys(keys []int64) string {
	if keys == nil {
		return "[]"
	}
	return jsonList(keys)
}

// jsonList is a list as queries take it.
func jsonList[T int64 | [5]*string](items []T) string {
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // numbers and text only
	}
	return string(text)
}

func unresolved(ctx context.Context, q *db.Queries) (map[Kind]Unresolved, error) {
	rows, err := q.ListUnresolved(ctx, MostUnresolved)
	if err != nil {
		return nil, err
	}
	all := map[Kind]Unresolved{}
	for _, row := range rows {
		kind := Kind(row.Kind)
		all[kind] = Unresolved{Count: int(row.Total), IDs: append(all[kind].IDs, row.ID)}
	}
	return all, nil
}
