package embedded

import (
	"context"
	"slices"
	"sync"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// tail is a copy of the end of the table recent: of what is not in points yet. recent has no index by
// entity, which would cost more than all the rest of an append; so this is one. It is brought up to date
// before each use by reading what came after the last row that it has, whoever wrote that.
type tail struct {
	mu         sync.Mutex
	generation any   // of the file
	seen       int64 // the last row that was read
	moved      int64 // rows up to this one are in points
	points     map[int64][]tailPoint
}

// tailPoint is a point of an entity. Lists of them are in the order of time, and never changed but at
// their ends: who was given one may go on reading it.
type tailPoint struct {
	id    int64
	at    history.Micros
	state string
}

// tailPage bounds how much is read at once.
const tailPage = 10_000

// view is what a question reads: what is where, and the tail of each entity. Points that are moved
// meanwhile are then both in the view and in the table points, but never in neither.
type view struct {
	historydb.Keeping
	q    *historydb.Queries
	tail map[int64][]tailPoint // of the entities asked for
}

// view returns the tails of rows of series, nil for all.
func (h *Store) view(ctx context.Context, es []int64) (*view, error) {
	t := &h.tail
	t.mu.Lock()
	defer t.mu.Unlock()
	k, err := t.update(ctx, h.db)
	if err != nil {
		return nil, err
	}
	v := &view{Keeping: k, q: h.db.Queries, tail: map[int64][]tailPoint{}}
	for _, e := range es {
		v.tail[e] = t.points[e]
	}
	return v, nil
}

// update reads what is new. Where the file is another one, all is.
func (t *tail) update(ctx context.Context, file *historydb.DB) (historydb.Keeping, error) {
	for {
		generation := file.Generation()
		k, err := file.GetKeeping(ctx)
		if err != nil {
			return k, err
		}
		if generation != t.generation {
			t.generation, t.seen, t.moved, t.points = generation, 0, 0, map[int64][]tailPoint{}
		}
		if err := t.read(ctx, file.Queries, k); err != nil {
			t.generation = nil
			return k, err
		}
		if generation == file.Generation() {
			return k, nil
		}
	}
}

func (t *tail) read(ctx context.Context, q *historydb.Queries, k historydb.Keeping) error {
	if k.Moved > t.moved {
		t.forget(k.Moved)
	}
	for {
		rows, err := q.ListTail(ctx, historydb.ListTailParams{After: max(t.seen, k.Moved), Lim: tailPage})
		if err != nil {
			return err
		}
		for _, r := range rows {
			t.add(r)
		}
		if len(rows) < tailPage {
			return nil
		}
	}
}

func (t *tail) add(r historydb.ListTailRow) {
	t.seen = r.ID
	list := t.points[r.E]
	p := tailPoint{r.ID, history.Micros(r.At), r.State}
	n := len(list)
	if n > 0 && list[n-1].state == p.state {
		p.state = list[n-1].state // one copy of it is enough
	}
	if n == 0 || list[n-1].at < p.at {
		t.points[r.E] = append(list, p)
		return
	}
	i, _ := slices.BinarySearchFunc(list, p.at, func(o tailPoint, at history.Micros) int { return int(o.at - at) })
	t.points[r.E] = slices.Insert(slices.Clone(list), i, p)
}

// forget lets go of what is in points.
func (t *tail) forget(moved int64) {
	t.moved = moved
	for e, list := range t.points {
		var left []tailPoint
		for _, p := range list {
			if p.id > moved {
				left = append(left, p)
			}
		}
		t.points[e] = left
		if left == nil {
			delete(t.points, e)
		}
	}
}

// between returns the points of a list with from <= at < until.
func between(list []tailPoint, from, until history.Micros) []tailPoint {
	at := func(m history.Micros) int {
		i, _ := slices.BinarySearchFunc(list, m, func(p tailPoint, m history.Micros) int {
			if p.at < m {
				return -1
			}
			return 1
		})
		return i
	}
	if from >= until {
		return nil
	}
	return list[at(from):at(until)]
}
