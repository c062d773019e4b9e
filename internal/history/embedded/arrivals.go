package embedded

import (
	"context"
	"sync"
	"time"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Arrival is an event in the order in which states came, which is not always that of their times.
type Arrival struct {
	history.Event
	Place db.Position // right after it
	// Known is the newest state before it that tells something; nil where there is none.
	Known *string
}

// Arrivals are some that follow each other.
type Arrivals struct {
	List []Arrival
	Next db.Position // right after the last one; where there is none, where it was to begin
}

// Arrivals returns what came after a place, limit of them at most. The state before each is the one before it in
// time, as far as it has come by now. A place is that of this file alone: the error is db.ErrGone where what came
// after it cannot be told without a gap.
func (h *Store) Arrivals(ctx context.Context, since db.Position, limit int) (Arrivals, error) {
	generation := h.db.Generation()
	rows, err := h.db.ListArrivals(ctx, historydb.ListArrivalsParams{After: since.Seq, Lim: int64(limit)})
	if err != nil {
		return Arrivals{}, err
	}
	r, err := h.Locate(ctx, since) // after the rows were read, as they are deleted in between, too
	if err != nil {
		return Arrivals{}, err
	}
	if generation != h.db.Generation() {
		return Arrivals{}, errReplaced
	}
	all := Arrivals{Next: since, List: make([]Arrival, len(rows))}
	for i, a := range rows {
		all.Next = db.Position{LogID: r.Newest.LogID, Seq: a.ID, At: a.At}
		all.List[i] = Arrival{Place: all.Next, Event: history.Event{Complete: true, Point: history.Point{
			EntityID: a.EntityID, RegistryID: a.RegistryID, Time: history.Micros(a.At), State: a.State, Context: value(a.Context)}}}
	}
	return all, h.addBefore(ctx, rows, all.List)
}

// errReplaced says to look again.
var errReplaced = &db.Unavailable{Reason: db.Opening, Detail: "the history is being replaced"}

// addBefore adds what was before.
func (h *Store) addBefore(ctx context.Context, rows []historydb.ListArrivalsRow, list []Arrival) error {
	var es []int64
	for _, r := range rows {
		es = append(es, r.E)
	}
	v, err := h.view(ctx, es)
	if err != nil {
		return err
	}
	for i := range list {
		of := []source{{rows[i].E, history.Always, history.Forever}}
		a := &list[i]
		if a.Old, err = v.stateBefore(ctx, of, a.Time, false); err != nil {
			return err
		}
		if a.Known = a.Old; a.Old != nil && !history.IsKnown(*a.Old) {
			if a.Known, err = v.stateBefore(ctx, of, a.Time, true); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// stateBefore is the newest state before a time, or the newest that tells something; nil where there is none.
func (v *view) stateBefore(ctx context.Context, of []source, at history.Micros, known bool) (*string, error) {
	p, found, err := v.newest(ctx, of, at, known)
	if err != nil || !found {
		return nil, err
	}
	return &p.state, nil
}

// Locate says from where on arrivals are all kept, and where they end now. The error is db.ErrGone where those
// after p cannot be told without a gap.
func (h *Store) Locate(ctx context.Context, p db.Position) (db.Log, error) {
	r, err := h.db.GetRecent(ctx, p.Seq)
	if err != nil {
		return db.Log{}, err
	}
	log := db.Log{Oldest: db.Position{LogID: r.FileID, Seq: r.Emptied}, Newest: db.Position{LogID: r.FileID, Seq: r.Newest, At: r.NewestAt}}
	switch {
	case p.LogID != r.FileID:
		err = errOther
	case p.Seq > r.Newest:
		err = errBeyond
	case p.Seq < r.Emptied:
		err = errPruned
	case p.At != r.At && r.At != 0 && p.At != 0: // the last one that was emptied is not there, nor one before the first
		err = errOther
	}
	return log, err
}

var (
	errPruned = &db.Gone{Reason: db.Pruned, Detail: "the states that came since then are no longer all kept in their order: see the events of that time"}
	errOther  = &db.Gone{Reason: db.OtherLog, Detail: "the cursor is of another history: its file was replaced"}
	errBeyond = &db.Gone{Reason: db.Beyond, Detail: "the cursor is newer than the newest state: an older file of the history was put back"}
)

// Newest is the place after all that has come.
func (h *Store) Newest(ctx context.Context) (db.Position, error) {
	r, err := h.db.GetRecent(ctx, 0)
	return db.Position{LogID: r.FileID, Seq: r.Newest, At: r.NewestAt}, err
}

// TimeAfter is the time of the first state that came after a place; zero where there is none.
func (h *Store) TimeAfter(ctx context.Context, p db.Position) (t time.Time, err error) {
	at, err := h.db.TimeAfterRow(ctx, p.Seq)
	if at != 0 {
		t = history.Micros(at).Time()
	}
	return t, err
}

// Arrived returns a channel that is closed when this process stores points the next time.
func (h *Store) Arrived() <-chan struct{} { return h.arrival.next() }

// signal tells whoever waits that something happened.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() signal { return signal{ch: make(chan struct{})} }

func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
