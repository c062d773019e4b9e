package history

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
)

// Events returns a page. See Store. What InfluxDB holds of an event is never all of it.
func (i *Influx) Events(ctx context.Context, p Page) ([]Event, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	events, err := i.newestEvents(ctx, l, p)
	if err == nil {
		err = i.setOld(ctx, l, p.Series, events)
	}
	if err != nil {
		return nil, storeError(ctx, err)
	}
	return events, nil
}

func (i *Influx) newestEvents(ctx context.Context, l *layout, p Page) ([]Event, error) {
	var events []Event
	end := p.End
	if p.Before != (Cursor{}) && p.Before.Time < end {
		end = p.Before.Time
		rest, err := i.eventsIn(ctx, l, p.Series, max(end, p.Start), end+1, 0)
		if err != nil {
			return nil, err
		}
		events = slices.DeleteFunc(rest.events, func(e Event) bool { return e.EntityID >= p.Before.EntityID })
	}
	for n := 0; end > p.Start && len(events) < p.Limit; {
		start := p.Start
		if n < len(eventWindows) {
			start = max(start, min(end, At(time.Now()))-eventWindows[n])
		}
		found, err := i.eventsIn(ctx, l, p.Series, start, end, p.Limit)
		if err != nil {
			return nil, err
		}
		events = append(events, found.events...)
		if end = start; found.cut {
			end = found.whole
		} else {
			n++
		}
	}
	return events[:min(len(events), p.Limit)], nil
}

// eventWindows are how far newestEvents looks back at a time, before it asks for all there is.
var eventWindows = []Micros{Hour, 24 * Hour, 30 * 24 * Hour}

// eventPage are the newest events of a time, newest first. Where not all were asked for, it is cut, and
// whole is the time since when none is missing.
type eventPage struct {
	events []Event
	cut    bool
	whole  Micros
}

// eventsIn asks for the events of a time, the newest limit of them, or all where that is 0.
func (i *Influx) eventsIn(ctx context.Context, l *layout, series []Series, start, end Micros, limit int) (eventPage, error) {
	var page eventPage
	if start >= end {
		return page, nil
	}
	for _, s := range l.selections(series, start, end) {
		if err := i.addEvents(ctx, s, limit, &page); err != nil {
			return page, err
		}
	}
	if page.cut { // others may have the same time as the last
		page.events = slices.DeleteFunc(page.events, func(e Event) bool { return e.Time <= page.whole })
		last, err := i.eventsIn(ctx, l, series, page.whole, page.whole+1, 0)
		if err != nil {
			return page, err
		}
		page.events = append(page.events, last.events...)
	}
	slices.SortFunc(page.events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), strings.Compare(b.EntityID, a.EntityID))
	})
	page.events = slices.CompactFunc(page.events, func(a, b Event) bool { return a.Time == b.Time && a.EntityID == b.EntityID })
	return page, nil
}

// selections are of the points of series, or of all there are where that is nil, in a time.
func (l *layout) selections(series []Series, start, end Micros) []selection {
	if series == nil {
		return []selection{{layout: l, start: start, end: end}}
	}
	var all []selection
	for _, batch := range batches(spansOf(series, start, end)) {
		all = append(all, l.during(batch))
	}
	return all
}

// addEvents adds the newest points that are selected. The limit holds for each measurement.
func (i *Influx) addEvents(ctx context.Context, s selection, limit int, page *eventPage) error {
	s.columns, s.tail = s.fields(true)+s.tags(), newestFirst+influxLimit(limit)
	measurement, rows := "", 0
	for row, err := range i.rows(ctx, s) {
		if err != nil {
			return err
		}
		if row.measurement != measurement {
			measurement, rows = row.measurement, 0
		}
		if rows++; rows == limit {
			at := floor(integerIn(row, 0))
			if !page.cut || at > page.whole {
				page.cut, page.whole = true, at
			}
		}
		p, ok := s.point(s.untagged(row))
		if ok && (s.ids == nil || contains(s.ids, p.EntityID)) {
			page.events = append(page.events, Event{Point: p.Point})
		}
	}
	return nil
}

// contains says whether an id is among ids, which rise.
func contains(ids []string, id string) bool {
	_, ok := slices.BinarySearch(ids, id)
	return ok
}

// setOld finds the states before. That of most events is on the page; of each entity's oldest it is before
// the page, or at its very end where the limit cut it off.
func (i *Influx) setOld(ctx context.Context, l *layout, series []Series, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	end := events[len(events)-1].Time
	later, at := map[int]*Event{}, map[Micros]map[int]*Event{end: {}, end - 1: {}}
	all, index := seriesOf(series, events)
	for n := range events {
		e := &events[n]
		s := index(e)
		if next := later[s]; next != nil {
			next.Old = &e.State
		}
		later[s] = e
	}
	for s, e := range later {
		if e.Time > end {
			at[end][s] = e
		} else {
			at[end-1][s] = e
		}
	}
	for moment, oldest := range at {
		if err := i.setOldAt(ctx, l, all, moment, oldest); err != nil {
			return err
		}
	}
	return nil
}

func (i *Influx) setOldAt(ctx context.Context, l *layout, all []Series, moment Micros, oldest map[int]*Event) error {
	var asked []Series
	var events []*Event
	for s, e := range oldest {
		asked, events = append(asked, all[s]), append(events, e)
	}
	rows, err := i.newestOf(ctx, l, asked, moment, "")
	for _, row := range rows {
		events[row.Series].Old = &row.State
	}
	return err
}

// seriesOf returns the series that events are of, and which one an event is of: those that were asked for,
// or the names where all were.
func seriesOf(series []Series, events []Event) ([]Series, func(*Event) int) {
	if series == nil {
		places := map[string]int{}
		for _, e := range events {
			if _, ok := places[e.EntityID]; !ok {
				places[e.EntityID] = len(series)
				series = append(series, Named(e.EntityID))
			}
		}
		return series, func(e *Event) int { return places[e.EntityID] }
	}
	names := map[string][]span{}
	for _, s := range spansOf(series, Always, Forever) {
		names[s.entityID] = append(names[s.entityID], s)
	}
	return series, func(e *Event) int {
		for _, s := range names[e.EntityID] {
			if s.from <= e.Time && e.Time < s.until {
				return s.series
			}
		}
		return -1
	}
}
