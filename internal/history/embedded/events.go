package embedded

import (
	"cmp"
	"context"
	"slices"
	"time"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Events looks into recent first, which has all points of the last day, and then into points, in steps back
// that grow: there is no index by time, but one look into each entity's points is cheap. EntityID is the
// name that an entity had last.
func (h *Store) Events(ctx context.Context, p history.Page) (events []history.Event, err error) {
	defer func(start time.Time) { h.observe(start, err) }(time.Now())
	e, err := h.pager(ctx, p)
	if err != nil || p.Limit <= 0 {
		return nil, err
	}
	if err := e.addRecent(ctx); err != nil {
		return nil, err
	}
	for step := history.Hour; len(e.events) < p.Limit && e.upper >= e.lower; step *= 24 {
		if err := e.addBefore(ctx, max(e.lower, e.upper-step)); err != nil {
			return nil, err
		}
	}
	return e.events, e.addOld(ctx)
}

// pager collects a page.
type pager struct {
	*view
	history.Page
	sources []source // of all series; nil for every entity
	es      *string  // their rows as a JSON list; nil for all
	lower   history.Micros
	upper   history.Micros // what is yet to come is at or before this time,
	before  string         // and where it is of this time, of an entity before this one
	events  []history.Event
	rows    []int64 // of series, of each event
}

func (h *Store) pager(ctx context.Context, p history.Page) (*pager, error) {
	e := &pager{Page: p, upper: min(p.End-1, history.At(time.Now().Add(history.MaxAhead))), before: after}
	if p.Before != (history.Cursor{}) && p.Before.Time < p.End {
		e.upper, e.before = p.Before.Time, p.Before.EntityID
	}
	if p.Series != nil {
		sources, err := h.sources(ctx, p.Series)
		if err != nil {
			return nil, err
		}
		e.sources = slices.Concat(sources...)
		es := list(rowsOf(e.sources))
		e.es = &es
	}
	v, err := h.view(ctx, nil)
	if err != nil {
		return nil, err
	}
	e.view = v
	v.tail = h.tail.all()
	e.lower = max(p.Start, history.Micros(min(v.Oldest, int64(v.earliest()))))
	return e, nil
}

// after is text that comes after every entity_id.
const after = "\x7f"

// all returns the tails of all entities.
func (t *tail) all() map[int64][]tailPoint {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[int64][]tailPoint, len(t.points))
	for e, list := range t.points {
		all[e] = list
	}
	return all
}

// earliest is the time of the oldest point in the tail.
func (v *view) earliest() history.Micros {
	earliest := history.Forever
	for _, list := range v.tail {
		if len(list) > 0 {
			earliest = min(earliest, list[0].at)
		}
	}
	return earliest
}

// addRecent adds what recent has of the time of which it has all.
func (e *pager) addRecent(ctx context.Context) error {
	from := max(e.lower, history.Micros(e.RecentFrom))
	for from <= e.upper && len(e.events) < e.Limit {
		found, err := e.q.ListRecentEvents(ctx, historydb.ListRecentEventsParams{
			FromAt: int64(from), Until: int64(e.upper), Before: e.before, Es: e.es, Lim: int64(e.Limit)})
		if err != nil {
			return err
		}
		for _, f := range found {
			e.add(f.E, history.Event{Complete: true, Point: history.Point{
				EntityID: f.EntityID, RegistryID: f.RegistryID, Time: history.Micros(f.At), State: f.State, Context: value(f.Context)}})
		}
		if len(found) < e.Limit {
			e.upper, e.before = from-1, after
		}
	}
	return nil
}

// addBefore adds points from the time from on, whichever of them recent has not all of.
func (e *pager) addBefore(ctx context.Context, from history.Micros) error {
	for len(e.events) < e.Limit {
		found, err := e.q.ListEvents(ctx, historydb.ListEventsParams{
			FromAt: int64(from), Until: int64(e.upper), Before: e.before, Es: e.es, Lim: int64(e.Limit)})
		if err != nil {
			return err
		}
		for _, f := range found {
			e.add(f.E, history.Event{Point: history.Point{
				EntityID: f.EntityID, RegistryID: f.RegistryID, Time: history.Micros(f.At), State: f.State}})
		}
		if len(found) < e.Limit {
			e.upper, e.before = from-1, after
			return nil
		}
	}
	return nil
}

// add adds the next event, if it belongs there.
func (e *pager) add(row int64, event history.Event) {
	e.upper, e.before = event.Time, event.EntityID
	within := func(s source) bool { return s.e == row && s.from <= event.Time && event.Time < s.until }
	if len(e.events) < e.Limit && (e.sources == nil || slices.ContainsFunc(e.sources, within)) {
		e.events = append(e.events, event)
		e.rows = append(e.rows, row)
	}
}

// addOld adds the states before: those of the next event of the same entity in the page, or looked up.
func (e *pager) addOld(ctx context.Context) error {
	next := map[int64]*string{}
	for i := len(e.events) - 1; i >= 0; i-- {
		row := e.rows[i]
		old, ok := next[row]
		if !ok {
			p, found, err := e.newest(ctx, []source{{row, history.Always, history.Forever}}, e.events[i].Time, false)
			if err != nil {
				return err
			}
			if found {
				old = &p.state
			}
		}
		e.events[i].Old = old
		next[row] = &e.events[i].State
	}
	return nil
}

// Count counts by hours where the edges allow it, as far as only hours are kept it must.
func (h *Store) Count(ctx context.Context, series []history.Series, edges []history.Micros) (counts []int64, err error) {
	defer func(start time.Time) { h.observe(start, err) }(time.Now())
	counts = make([]int64, len(edges)-1)
	if series != nil {
		q := history.BucketQuery{Series: series, Edges: edges, Parts: history.Counts, Now: history.Forever}
		err := h.yieldBuckets(ctx, q, func(b history.Bucket, _ error) bool {
			counts[b.Index] += b.Count
			return true
		})
		return counts, err
	}
	k, err := h.db.GetKeeping(ctx)
	if err != nil {
		return nil, err
	}
	whole := !slices.ContainsFunc(edges, func(e history.Micros) bool { return e%history.Hour != 0 })
	v := view{Keeping: k}
	raw := v.raw()
	switch {
	case whole:
		if err := h.countHours(ctx, raw, edges, counts); err != nil {
			return nil, err
		}
		return counts, v.lost(edges[0], v.hoursFrom())
	case edges[0] < raw:
		return nil, history.ErrTooFine
	}
	for i := range counts {
		counts[i], err = h.db.CountPoints(ctx, historydb.CountPointsParams{FromAt: int64(edges[i]), Until: int64(edges[i+1])})
		if err != nil {
			return nil, err
		}
	}
	return counts, ctx.Err()
}

// countHours counts what is in whole hours: before raw by hours, from there on by points.
func (h *Store) countHours(ctx context.Context, raw history.Micros, edges []history.Micros, counts []int64) error {
	add := func(hour, n int64) {
		i, found := slices.BinarySearch(edges, history.Micros(hour)*history.Hour)
		if !found {
			i--
		}
		counts[i] += n
	}
	first, last := edges[0], edges[len(edges)-1]
	if first < raw {
		hours, err := h.db.CountHours(ctx, historydb.CountHoursParams{FromHour: int64(hourOf(first)), Until: int64(hourOf(min(last, raw)))})
		if err != nil {
			return err
		}
		for _, c := range hours {
			add(c.Hour, c.Count)
		}
	}
	points, err := h.db.CountPointsByHour(ctx, historydb.CountPointsByHourParams{FromAt: int64(max(first, raw)), Until: int64(last)})
	if err != nil {
		return err
	}
	for _, c := range points {
		add(c.Hour, c.Count)
	}
	return ctx.Err()
}

// Seen counts points, as far as they are kept.
func (h *Store) Seen(ctx context.Context, start, end history.Micros) (seen []history.Seen, err error) {
	defer func(start time.Time) { h.observe(start, err) }(time.Now())
	found, err := h.db.CountPointsByEntity(ctx, historydb.CountPointsByEntityParams{FromAt: int64(start), Until: int64(end)})
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		seen = append(seen, history.Seen{EntityID: f.EntityID, Count: f.Count, Last: history.Micros(f.Newest)})
	}
	slices.SortFunc(seen, func(a, b history.Seen) int { return cmp.Compare(a.EntityID, b.EntityID) })
	return seen, ctx.Err()
}
