package relay

import (
	"cmp"
	"context"
	"slices"

	"dataapi/internal/history"
)

// Events returns a page of both stores' events. An event that both have is the embedded store's, which knows more
// of it.
func (s *Store) Events(ctx context.Context, p history.Page) ([]history.Event, error) {
	both := func(of share) ([]history.Event, error) { return s.events(ctx, p, of) }
	embedded := func() ([]history.Event, error) { return s.Embedded.Events(ctx, p) }
	return list(ctx, s, window{p.Start, p.End}, both, embedded)
}

func (s *Store) events(ctx context.Context, p history.Page, of share) ([]history.Event, error) {
	there, err := s.Influx.Events(ctx, p)
	if err != nil || of.empty() {
		return there, err
	}
	q := p
	q.Start, q.End = of.from, of.until
	here, err := s.Embedded.Events(ctx, q)
	if err != nil {
		return nil, err
	}
	g := newPage(p)
	g.add(append(here, there...))
	return g.events, s.setOld(ctx, g, of)
}

// page is a page that is put together.
type page struct {
	history.Page
	events []history.Event
	place  func(*history.Event) int // which series an event is of
	series []history.Series         // all of them
}

func newPage(p history.Page) *page {
	g := &page{Page: p, series: p.Series}
	if p.Series == nil {
		g.place = g.everyone()
	} else {
		g.place = places(p.Series)
	}
	return g
}

// everyone makes a series of each entity that is met.
func (g *page) everyone() func(*history.Event) int {
	known := map[string]int{}
	return func(e *history.Event) int {
		place, ok := known[e.EntityID]
		if !ok {
			place = len(g.series)
			known[e.EntityID] = place
			g.series = append(g.series, history.Named(e.EntityID))
		}
		return place
	}
}

// places finds the series of an event: by the registry id, which only one store knows, or by the name at that time.
func places(series []history.Series) func(*history.Event) int {
	byID, byName := map[string]int{}, map[string][]int{}
	for i, s := range series {
		byID[s.RegistryID] = i
		for _, n := range s.Names {
			byName[n.EntityID] = append(byName[n.EntityID], i)
		}
	}
	return func(e *history.Event) int {
		if place, ok := byID[e.RegistryID]; ok && e.RegistryID != "" {
			return place
		}
		for _, place := range byName[e.EntityID] {
			if slices.ContainsFunc(series[place].Names, func(n history.Name) bool {
				return n.EntityID == e.EntityID && n.From <= e.Time && e.Time < n.Until
			}) {
				return place
			}
		}
		return -1
	}
}

// add puts events in their order, each once: of doubles the first stays.
func (g *page) add(events []history.Event) {
	type key struct {
		place int
		at    history.Micros
	}
	seen := map[key]bool{}
	g.events = slices.DeleteFunc(events, func(e history.Event) bool {
		k := key{g.place(&e), e.Time}
		double := seen[k] && k.place >= 0
		seen[k] = true
		return double
	})
	slices.SortFunc(g.events, func(a, b history.Event) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.EntityID, a.EntityID))
	})
	g.events = g.events[:min(len(g.events), g.Limit)]
}

// setOld sets the states before: those of the next events of the same entities in the page, and where there is none
// what either store has before, if they do not both say it already.
func (s *Store) setOld(ctx context.Context, g *page, of share) error {
	for at, oldest := range g.unsure(of) {
		var series []history.Series
		for _, e := range oldest {
			series = append(series, g.series[g.place(e)])
		}
		rows, err := s.last(ctx, series, at, of)
		if err != nil {
			return err
		}
		for _, row := range rows {
			oldest[row.Series].Old = &row.State
		}
	}
	return nil
}

// unsure sets what the page itself tells, and returns the events of which the state before may be another one than
// what they say: by the time at which that was the state, which is the page's end, where the limit may have cut it
// off, or just before.
func (g *page) unsure(of share) map[history.Micros][]*history.Event {
	oldest := map[int]*history.Event{}
	for i := range g.events {
		e := &g.events[i]
		place := g.place(e)
		if next := oldest[place]; next != nil && place >= 0 {
			next.Old = &e.State
		}
		oldest[place] = e
	}
	unsure := map[history.Micros][]*history.Event{}
	for place, e := range oldest {
		end := g.events[len(g.events)-1].Time
		if place < 0 || e.Old != nil && end < of.from { // all that is not forwarded is on the page
			continue
		}
		at := min(end, e.Time-1)
		unsure[at] = append(unsure[at], e)
	}
	return unsure
}
