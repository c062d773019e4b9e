package stats

import (
	"context"
	"errors"
	"fmt"

	"dataapi/internal/history"
)

// Question is what is asked of a store.
type Question struct {
	Series []history.Series
	Of     []Member // what each series is in the answer
	Groups int
	Edges  []history.Micros
	Fn     Fn
	Fill   Fill
	Now    history.Micros
	Most   int // values of the answer, with those that are not there
}

// Member says which group an entity is in, and whether it is a meter that only grows, so that less than before means
// that it began anew.
type Member struct {
	Group int
	Meter bool
}

// Fill is what becomes of buckets without a value, up to the present one.
type Fill string

// The ways to fill.
const (
	None     Fill = "none"     // they are left out
	Null     Fill = "null"     // they are shown, with the value nil
	Previous Fill = "previous" // they are shown, with the value before
)

// Fills are all of them.
var Fills = []string{"none", "null", "previous"}

// Group is the answer about a group: its points in the order of time, and which series had a part in them.
type Group struct {
	Series []int
	Points []Point
}

// TooMany is the error of a question with more values than are allowed.
type TooMany struct{ Groups, Buckets, Most int }

func (e *TooMany) Error() string {
	return fmt.Sprintf("%d series of %d values are more than the %d values that are allowed", e.Groups, e.Buckets, e.Most)
}

// Suggest returns the finest Every with few enough values in the place of e, and false where there is none.
func (e *TooMany) Suggest(present Every) (Every, bool) {
	coarser := false
	for _, every := range Everys[:len(Everys)-1] {
		values := float64(e.Groups*e.Buckets) * float64(present.length()) / float64(every.length())
		if coarser && values <= float64(e.Most) {
			return every, true
		}
		coarser = coarser || every.Word == present.Word
	}
	return Every{}, false
}

// ManyStates is the error of a question for the time in each state, of a series that has too many states for it.
type ManyStates struct{ Series int }

func (e *ManyStates) Error() string {
	return fmt.Sprintf("there are more than %d states in a bucket", history.MaxStates)
}

// Ask returns the answer for each group. Where missing is not nil, it tells what the answer lacks. Errors are those of
// Store.Buckets, *TooMany and *ManyStates.
func Ask(ctx context.Context, store history.Store, q Question) (groups []Group, missing *history.Partial, err error) {
	a := answer{Question: q, cells: make([][]cell, q.Groups), groups: make([]Group, q.Groups)}
	if len(q.Series) == 0 {
		return a.groups, nil, nil
	}
	ask := history.BucketQuery{Series: q.Series, Edges: q.Edges, Parts: q.Fn.parts(), Now: q.Now}
	for b, err := range store.Buckets(ctx, ask) {
		if errors.As(err, &missing) {
			break
		}
		if err == nil {
			err = a.add(&b)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	for i := range a.groups {
		a.groups[i].Points = a.points(a.cells[i])
	}
	return a.groups, missing, nil
}

// answer is what is known so far. Groups of which nothing is known have no cells.
type answer struct {
	Question
	cells  [][]cell
	groups []Group
	known  int // groups
}

// add adds a bucket of a series to its group.
func (a *answer) add(b *history.Bucket) error {
	if b.TooMany && a.Fn == TimeInState {
		return &ManyStates{b.Series}
	}
	m := a.Of[b.Series]
	var c cell
	if cells := a.cells[m.Group]; cells != nil {
		c = cells[b.Index]
	}
	if !a.Fn.add(&c, &b.Summary, m.Meter) {
		return nil
	}
	if a.cells[m.Group] == nil {
		buckets := len(a.Edges) - 1
		if a.known++; a.known*buckets > a.Most {
			return &TooMany{a.Groups, buckets, a.Most}
		}
		a.cells[m.Group] = make([]cell, buckets)
	}
	a.cells[m.Group][b.Index] = c
	a.groups[m.Group].join(b.Series)
	return nil
}

// join notes that a series has a part in the values. Series come one after the other.
func (g *Group) join(series int) {
	if n := len(g.Series); n == 0 || g.Series[n-1] != series {
		g.Series = append(g.Series, series)
	}
}

// points are those of a group's cells.
func (a *answer) points(cells []cell) []Point {
	var all, before []Point
	for i := range cells {
		at := a.Edges[i]
		if at >= a.Now {
			break
		}
		here := a.Fn.points(&cells[i], at)
		switch {
		case here != nil:
			before = here
		case a.Fill == Null || a.Fill == Previous && before == nil:
			here = []Point{{at, "", nil}}
		case a.Fill == Previous:
			for _, p := range before {
				here = append(here, Point{at, p.State, p.Value})
			}
		}
		all = append(all, here...)
	}
	return all
}
