package server

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/stateevent"
)

// getEvent answers with the event that has the id.
func (s *Server) getEvent(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	id := pathID(r, "event_id")
	gone := missing{noun: "event", id: id}
	at, entityID, ok := openEventID(id)
	series, err := history.Resolve(r.Context(), s.DB.Queries, []string{entityID})
	if err != nil {
		return nil, err
	}
	if !ok || at == history.Forever {
		return nil, gone
	}
	events, err := s.History.Events(r.Context(), history.Page{Series: series, Start: at, End: at + 1, Limit: 1})
	if err != nil { // a part of the past that lacks it says nothing
		return nil, whole(err)
	}
	if len(events) == 0 {
		return nil, gone
	}
	described, _, err := stateevent.Describe(r.Context(), s.DB.Queries, s.History, events)
	if err != nil {
		return nil, err
	}
	if !described[0].Complete {
		return incomplete{described[0]}, nil
	}
	return described[0], nil
}

// whole is the reason of an error that says that a part is missing, for answers that are no good without it.
func whole(err error) error {
	var partial *history.Partial
	if errors.As(err, &partial) {
		return partial.Err
	}
	return err
}

// getAutomationTrace lists the events that one context caused. What that caused in turn has contexts of its own, and
// which ones is not kept.
func (s *Server) getAutomationTrace(r *http.Request) (any, error) {
	q := parse(r)
	e := q.events(history.At(time.Now().Add(-day)))
	e.looks = mostLooked
	if err := q.err(); err != nil {
		return nil, err
	}
	id := pathID(r, "context_id")
	e.skip = func(event *history.Event) bool { return event.Context != id }
	page, err := s.eventPage(r, e)
	if _, ok := page.(incomplete); !ok && err == nil {
		page = incomplete{page}
	}
	return page, err
}

// seenPeriod is the time that events are counted in.
type seenPeriod struct{ start, end time.Time }

// period parses the time that events are counted in: the last hour, or another one that ends now, or from start until
// end.
func (q *query) period(fallback string) (p seenPeriod) {
	now := time.Now().UTC()
	word, given := q.one("period")
	length, err := ParseDuration(cmp.Or(word, fallback))
	if err != nil || length <= 0 {
		q.refuse("period", "must be a duration such as 1h, 24h or 7d")
	}
	p.end = q.moment("end", now, now).UTC()
	p.start = q.moment("start", now, p.end.Add(-length)).UTC()
	switch {
	case given && q.values.Has("start"):
		q.refuse("period", "does not go with start")
	case !p.start.Before(p.end) && len(q.bad) == 0:
		q.refuse("start", "must be before end")
	}
	return p
}

// seen are the entities that have events in a time, those with the most first. The error may say that some are missing.
func (s *Server) seen(ctx context.Context, p seenPeriod) (all []eventEntity, complete bool, err error) {
	seen, err := s.History.Seen(ctx, history.At(p.start), history.At(p.end))
	var partial *history.Partial
	if err != nil && !errors.As(err, &partial) {
		return nil, false, err
	}
	all = make([]eventEntity, len(seen))
	for i, e := range seen {
		all[i] = eventEntity{EntityID: e.EntityID, EventCount: e.Count, LastSeen: e.Last.Time()}
	}
	slices.SortStableFunc(all, func(a, b eventEntity) int { return cmp.Compare(b.EventCount, a.EventCount) })
	return all, partial == nil, nil
}

// eventEntity is an entity that has events.
type eventEntity struct {
	EntityID   string    `json:"entity_id"`
	EventCount int64     `json:"event_count"`
	LastSeen   time.Time `json:"last_seen"`
}

// eventType is a type of events.
type eventType struct {
	EventType string `json:"event_type"`
	Count     int64  `json:"count"`
}

// eventStats are how many events there are in a time.
type eventStats struct {
	Start           time.Time     `json:"start"`
	End             time.Time     `json:"end"`
	TotalEvents     int64         `json:"total_events"`
	EventsPerMinute float64       `json:"events_per_minute"`
	Entities        int           `json:"entities"`
	EventTypes      []eventType   `json:"event_types"`
	TopEntities     []eventEntity `json:"top_entities"`
}

// mostTop is how many entities are told of those with the most events.
const mostTop = 10

func (s *Server) getEventStats(r *http.Request) (any, error) {
	q := parse(r)
	p := q.period("1h")
	if err := q.err(); err != nil {
		return nil, err
	}
	all, complete, err := s.seen(r.Context(), p)
	types := typesOf(all)
	stats := eventStats{Start: p.start, End: p.end, Entities: len(all), EventTypes: types, TopEntities: all[:min(mostTop, len(all))]}
	for _, t := range types {
		stats.TotalEvents += t.Count
	}
	stats.EventsPerMinute = math.Round(100*float64(stats.TotalEvents)/p.end.Sub(p.start).Minutes()) / 100
	return now(stats, complete), err
}

// typesOf are the types of the events of entities.
func typesOf(all []eventEntity) []eventType {
	t := eventType{EventType: stateevent.StateChanged}
	for _, e := range all {
		t.Count += e.EventCount
	}
	if t.Count == 0 {
		return []eventType{}
	}
	return []eventType{t}
}

// now is an answer about this moment, which may lack something.
func now(value any, complete bool) any {
	if f := (fresh{http.StatusOK, value}); complete {
		return f
	} else {
		return incomplete{f}
	}
}

func (s *Server) listEventEntities(r *http.Request) (any, error) {
	q := parse(r)
	p := q.period("24h")
	limit := q.number("limit", 100, 1, 10_000)
	if err := q.err(); err != nil {
		return nil, err
	}
	all, complete, err := s.seen(r.Context(), p)
	return now(all[:min(int(limit), len(all))], complete), err
}

// listEventTypes lists the types of events. There is one that the history keeps.
func (s *Server) listEventTypes(r *http.Request) (any, error) {
	q := parse(r)
	p := q.period("24h")
	q.number("limit", 50, 1, 1000)
	if err := q.err(); err != nil {
		return nil, err
	}
	all, complete, err := s.seen(r.Context(), p)
	return now(typesOf(all), complete), err
}
