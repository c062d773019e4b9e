package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/stateevent"
)

// eventPage is a page of events, which is a bare list.
type eventPage struct {
	events []stateevent.Event
	self   *url.URL
	next   string // cursor; "" on the last page
}

func (p eventPage) MarshalJSON() ([]byte, error) { return marshal(p.events) }

// link is the Link header to the next page, or "". The next page begins where this one ends, whatever was left out
// before.
func (p eventPage) link() string {
	if p.next == "" {
		return ""
	}
	self := *p.self
	values := self.Query()
	values.Del("offset")
	self.RawQuery = values.Encode()
	return nextLink(&self, "cursor", p.next)
}

// eventQuery is what is asked of events.
type eventQuery struct {
	history.Page
	filter db.ListEntitiesParams
	offset int
	none   bool // it asks for what is never kept
	skip   func(*history.Event) bool
	looks  int // at how many events at most; 0 for any number
}

// events parses the time, and where in it the page begins. start_time and end_time are the names of the service
// before this one.
func (q *query) events(start history.Micros) (e eventQuery) {
	now := time.Now()
	e.Start, e.End = start, history.Forever
	if t := q.eitherMoment("start", "start_time", now); !t.IsZero() {
		e.Start = history.At(t)
	}
	if t := q.eitherMoment("end", "end_time", now); !t.IsZero() {
		e.End = history.At(t)
	}
	e.Limit = int(q.number("limit", 100, 1, 1000))
	if cursor := q.cursor("events"); cursor != "" {
		at, id, ok := openEventID(cursor)
		if !ok {
			q.refuse("cursor", "is not a cursor of this list")
		}
		e.Before = history.Cursor{Time: at, EntityID: id}
	}
	return e
}

// eitherMoment parses a time that has two names, of which one is to be given; zero where none is.
func (q *query) eitherMoment(name, old string, now time.Time) time.Time {
	t, other := q.moment(name, now, time.Time{}), q.moment(old, now, time.Time{})
	if t.IsZero() {
		return other
	}
	if !other.IsZero() {
		q.refuse(old, "is another word for %s: give one of them", name)
	}
	return t
}

func openEventID(id string) (at history.Micros, entityID string, ok bool) {
	digits, entityID, _ := strings.Cut(id, ".")
	n, err := strconv.ParseInt(digits, 10, 64)
	return history.Micros(n), entityID, err == nil && history.IsEntityID(entityID)
}

func (s *Server) listEvents(r *http.Request) (any, error) {
	q := parse(r)
	e := q.events(history.Always)
	e.filter = s.entities(r, q)
	e.offset = int(q.number("offset", 0, 0, 10_000))
	e.none = q.list("event_type") != nil && !strings.Contains(*q.list("event_type"), `"`+stateevent.StateChanged+`"`)
	excluded := q.list("exclude_category")
	if err := q.err(); err != nil {
		return nil, err
	}
	if excluded != nil {
		ids, err := s.ofCategories(r.Context(), *excluded)
		if err != nil {
			return nil, err
		}
		e.skip = func(e *history.Event) bool { return ids[e.EntityID] }
	}
	return s.eventPage(r, e)
}

// eventPage answers with a page of events.
func (s *Server) eventPage(r *http.Request, e eventQuery) (any, error) {
	page := eventPage{events: []stateevent.Event{}, self: r.URL}
	if e.none {
		return incomplete{page}, nil
	}
	found, whole, err := s.findEvents(r.Context(), e)
	if err != nil {
		return nil, err
	}
	found.cut(e.offset, e.Limit)
	if found.more {
		page.next = sealCursor("events", stateevent.ID(found.last.Time, found.last.EntityID))
	}
	if page.events, _, err = stateevent.Describe(r.Context(), s.DB.Queries, s.History, found.events); err != nil {
		return nil, err
	}
	if !whole || slices.ContainsFunc(page.events, func(e stateevent.Event) bool { return !e.Complete }) {
		return incomplete{page}, nil
	}
	return page, nil
}

// foundEvents are the events that were asked for, one more than the limit where there are more, and the last one that
// was looked at.
type foundEvents struct {
	events []history.Event
	last   history.Point
	more   bool // there is more to look at
}

// add adds events but for those to be left out.
func (f *foundEvents) add(events []history.Event, skip func(*history.Event) bool) {
	for i := range events {
		if skip == nil || !skip(&events[i]) {
			f.events = append(f.events, events[i])
		}
		f.last = events[i].Point
	}
}

// cut leaves a page of the events.
func (f *foundEvents) cut(offset, limit int) {
	f.events = f.events[min(offset, len(f.events)):]
	if len(f.events) > limit {
		f.events = f.events[:limit]
		f.last, f.more = f.events[limit-1].Point, true
	}
}

// lookAtOnce is how many events are read at a time where some may be left out.
const lookAtOnce = 1000

// findEvents reads events until there are enough that are not to be left out. whole is false where a store that
// should have been asked was not there.
func (s *Server) findEvents(ctx context.Context, e eventQuery) (found foundEvents, whole bool, err error) {
	e.Series, err = s.seriesOf(ctx, e.filter)
	if err != nil || e.Series != nil && len(e.Series) == 0 {
		return found, true, err
	}
	want := e.offset + e.Limit + 1
	e.Page.Limit = want
	if e.skip != nil {
		e.Page.Limit = max(want, lookAtOnce)
	}
	for looked := 0; ; {
		events, err := s.History.Events(ctx, e.Page)
		var partial *history.Partial
		if err != nil && !errors.As(err, &partial) {
			return found, false, err
		}
		found.add(events, e.skip)
		looked += len(events)
		found.more = len(events) == e.Page.Limit && e.looks > 0 && looked >= e.looks
		if len(found.events) >= want || len(events) < e.Page.Limit || found.more {
			return found, partial == nil, nil
		}
		e.Before = history.Cursor{Time: found.last.Time, EntityID: found.last.EntityID}
	}
}

// seriesOf resolves a filter: nil for all that there is. Ids alone need not be known to the registry.
func (s *Server) seriesOf(ctx context.Context, filter db.ListEntitiesParams) ([]history.Series, error) {
	if filter == (db.ListEntitiesParams{}) {
		return nil, nil
	}
	subjects, err := s.subjects(ctx, filter)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(subjects))
	for i := range subjects {
		ids[i] = subjects[i].EntityID
	}
	return history.Resolve(ctx, s.DB.Queries, ids)
}

// ofCategories are the ids of the entities of categories, a JSON list.
func (s *Server) ofCategories(ctx context.Context, categories string) (map[string]bool, error) {
	ids := map[string]bool{}
	for _, category := range []string{"config", "diagnostic"} {
		if !strings.Contains(categories, `"`+category+`"`) {
			continue
		}
		rows, err := s.DB.ListEntities(ctx, db.ListEntitiesParams{EntityCategory: &category, Lim: -1})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			ids[row.EntityID] = true
		}
	}
	return ids, nil
}
