package dispatch

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
)

// Behind is how far a webhook is behind what there is: how much of it it has not passed yet, be it wanted or not, and
// how long ago the first of that was.
type Behind struct {
	Events  int64   `json:"events"`
	Seconds float64 `json:"seconds"`
}

// Lag is how far a webhook is behind. States is nil where it wants none, or the history cannot be read.
type Lag struct {
	Changes Behind  `json:"changes"`
	States  *Behind `json:"states"`
}

// Lagging is a webhook that is behind.
type Lagging struct {
	ID string `json:"id"`
	Lag
}

// far is how far a webhook is behind in all.
func (l Lag) far() float64 {
	if l.States != nil {
		return max(l.Changes.Seconds, l.States.Seconds)
	}
	return l.Changes.Seconds
}

// Lag says how far a webhook is behind, be it called or not. The error is db.ErrNotFound where there is none.
func (d *Dispatcher) Lag(ctx context.Context, id string) (Lag, error) {
	t, err := d.Metadata.GetWebhookTarget(ctx, id)
	if err != nil {
		return Lag{}, db.Classify(err)
	}
	ends, err := d.ends(ctx)
	if err != nil {
		return Lag{}, err
	}
	return ends.lag(ctx, t)
}

// Lags says how far those are behind that are called and are behind, the furthest first, of which there may be
// limit.
func (d *Dispatcher) Lags(ctx context.Context, limit int) ([]Lagging, error) {
	targets, err := d.Metadata.ListWebhookTargets(ctx)
	if err != nil {
		return nil, err
	}
	ends, err := d.ends(ctx)
	if err != nil {
		return nil, err
	}
	lags := []Lagging{}
	for _, t := range targets {
		l, err := ends.lag(ctx, t)
		if err != nil {
			return nil, err
		}
		if l.Changes.Events > 0 || l.States != nil && l.States.Events > 0 {
			lags = append(lags, Lagging{t.WebhookID, l})
		}
	}
	slices.SortStableFunc(lags, func(a, b Lagging) int { return cmp.Compare(b.far(), a.far()) })
	return lags[:min(len(lags), limit)], nil
}

// ends are where the change log and the history end, and how old what comes after a place in them is.
type ends struct {
	*Dispatcher
	changes, states db.Log
	seen            bool // whether states could be
	ages            map[db.Position]float64
}

func (d *Dispatcher) ends(ctx context.Context) (ends, error) {
	changes, err := d.Metadata.ChangeLog(ctx)
	if err != nil {
		return ends{}, err
	}
	states, unseen := d.Past.Locate(ctx, db.Position{})
	return ends{d, changes, states, unseen == nil || errors.Is(unseen, db.ErrGone), map[db.Position]float64{}}, nil
}

func (n ends) lag(ctx context.Context, t db.WebhookTarget) (Lag, error) {
	var l Lag
	at, err := n.placeOf(ctx, t)
	if err != nil {
		return l, err
	}
	if l.Changes, err = n.behind(at.cursor, n.changes, func() (time.Time, error) {
		text, err := n.Metadata.TimeAfterChange(ctx, at.cursor.Seq)
		return timeOf(text), err
	}); err != nil {
		return l, err
	}
	if !wantStates(t) || !n.seen {
		return l, nil
	}
	states, err := n.behind(at.states, n.states, func() (time.Time, error) {
		return n.Past.TimeAfter(ctx, at.states)
	})
	if err == nil {
		l.States = &states
	}
	return l, nil
}

// placeOf is how far a webhook has come. Who has nothing to do has come to the end of changes.
func (n ends) placeOf(ctx context.Context, t db.WebhookTarget) (place, error) {
	n.mu.Lock()
	e := n.running[t.WebhookID]
	n.mu.Unlock()
	if e != nil && e.place.Load() != nil {
		at := *e.place.Load()
		if e.idle.Load() {
			at.cursor = n.changes.Newest
		}
		return at, nil
	}
	line, err := n.Deliveries.GetLine(ctx, t.WebhookID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return place{}, err
	}
	return placeIn(line, t), nil
}

func placeIn(line deliveries.Line, t db.WebhookTarget) (at place) {
	at.cursor, _ = db.ParsePosition(later(line.Cursor, t.Since))
	at.states, _ = db.ParsePosition(later(line.States, t.StatesSince))
	return at
}

// behind counts what comes after a place. Of a place that is in no log any more, that is all there is.
func (n ends) behind(at db.Position, log db.Log, first func() (time.Time, error)) (b Behind, err error) {
	if at == (db.Position{}) {
		return b, nil // it begins with what is to come
	}
	if b.Events = log.Newest.Seq - at.Seq; at.LogID != log.Newest.LogID || b.Events < 0 {
		b.Events = log.Newest.Seq - log.Oldest.Seq
	}
	if b.Events == 0 {
		return b, nil
	}
	age, known := n.ages[at]
	if !known {
		since, err := first()
		if err != nil {
			return b, err
		}
		if !since.IsZero() {
			age = math.Round(10*max(0, n.now().Sub(since).Seconds())) / 10
		}
		n.ages[at] = age
	}
	b.Seconds = age
	return b, nil
}

func wantStates(t db.WebhookTarget) bool { return newEndpoint(nil, t, nil).wantsStates }
