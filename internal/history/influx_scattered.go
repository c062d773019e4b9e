package history

import (
	"cmp"
	"context"
	"iter"
	"math"
	"slices"
)

// home is a measurement in which an entity has points, as Home Assistant's integration spreads them: an
// entity whose unit was changed has two.
type home struct {
	measurement string
	first, last int64 // of its points, in nanoseconds
}

// homes asks where the entities of a run have points, by entity_id.
func (i *Influx) homes(ctx context.Context, l *layout, run []span) (map[string][]home, error) {
	ids := seriesByID(run)
	homes := map[string][]home{}
	for _, order := range []string{"", newestFirst} {
		ends := l.during(run)
		ends.tail = l.group() + order + influxLimit(1)
		for row, err := range i.rows(ctx, ends) {
			if err != nil {
				return nil, err
			}
			p, ok := l.point(row)
			if _, asked := ids[p.EntityID]; !ok || !asked {
				continue
			}
			if _, err := influxIdentifier(row.measurement); err != nil {
				continue // nothing of ours can ask for it
			}
			homes[p.EntityID] = withEnd(homes[p.EntityID], row.measurement, p.nanoseconds)
		}
	}
	for _, all := range homes {
		slices.SortFunc(all, func(a, b home) int { return cmp.Compare(a.first, b.first) })
	}
	return homes, nil
}

func withEnd(homes []home, measurement string, at int64) []home {
	for n := range homes {
		if homes[n].measurement == measurement {
			homes[n].first, homes[n].last = min(homes[n].first, at), max(homes[n].last, at)
			return homes
		}
	}
	return append(homes, home{measurement, at, at})
}

// scattered yields the points of a run whose entities are in measurements of their own.
func (i *Influx) scattered(ctx context.Context, l *layout, run []span, limit int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		homes, err := i.homes(ctx, l, run)
		if err != nil {
			yield(Row{}, err)
			return
		}
		for _, part := range parts(run, homes) {
			rows := i.merged(ctx, l, part)
			if measurements := measurementsOf(part, homes); len(measurements) > 0 {
				rows = i.together(ctx, l, measurements, part, limit)
			}
			for row, err := range rows {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// parts cuts a run into those that one query can ask for in their order: the server answers by measurement,
// then by name. An entity that is in two measurements is a part of its own.
func parts(run []span, homes map[string][]home) [][]span {
	run = slices.DeleteFunc(slices.Clone(run), func(s span) bool { return len(homes[s.entityID]) == 0 })
	var all [][]span
	for first, n := 0, 1; n <= len(run); n++ {
		if n < len(run) {
			before, now := homes[run[n-1].entityID], homes[run[n].entityID]
			if len(before) == 1 && len(now) == 1 && before[0].measurement <= now[0].measurement {
				continue
			}
		}
		all = append(all, run[first:n])
		first = n
	}
	return all
}

// measurementsOf are the measurements of a part, none where its one entity is in more than one.
func measurementsOf(part []span, homes map[string][]home) []string {
	var names []string
	for _, s := range part {
		if len(homes[s.entityID]) > 1 {
			return nil
		}
		names = append(names, homes[s.entityID][0].measurement)
	}
	return slices.Compact(names)
}

// merged yields the points of a series that has more than one name or measurement, in the order of time.
func (i *Influx) merged(ctx context.Context, l *layout, run []span) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		sources, err := i.sources(ctx, l, run)
		for _, s := range sources {
			defer s.stop()
		}
		for err == nil {
			var oldest *source
			if oldest, err = oldestOf(sources); oldest == nil {
				break
			}
			p := oldest.take()
			if !yield(Row{run[0].series, p.Point}, nil) {
				return
			}
		}
		if err != nil {
			yield(Row{}, err)
		}
	}
}

// sources are where the points of a series may be.
func (i *Influx) sources(ctx context.Context, l *layout, run []span) ([]*source, error) {
	var sources []*source
	for _, s := range run {
		homes := []home{{l.measurement, math.MinInt64, math.MaxInt64}}
		if l.measurement == "" {
			found, err := i.homes(ctx, l, []span{s})
			if err != nil {
				return nil, err
			}
			homes = found[s.entityID]
		}
		for _, h := range homes {
			next, stop := iter.Pull2(i.pages(ctx, l, h.measurement, s))
			sources = append(sources, &source{next: next, stop: stop, first: h.first})
		}
	}
	return sources, nil
}

// source is where one measurement's points come from.
type source struct {
	next   func() (found, error, bool)
	stop   func()
	first  int64 // the time of its first point, so that it is not read before it is needed
	head   *found
	opened bool
	ended  bool
}

// oldestOf is the source of the next point; nil at the end.
func oldestOf(sources []*source) (oldest *source, err error) {
	for _, s := range sources {
		if s.head == nil && !s.ended && (oldest == nil || !s.waits(oldest.head.nanoseconds)) {
			if err := s.fill(); err != nil {
				return nil, err
			}
		}
		if s.head != nil && (oldest == nil || s.head.nanoseconds < oldest.head.nanoseconds) {
			oldest = s
		}
	}
	return oldest, nil
}

// waits says whether nothing at or before at can come.
func (s *source) waits(at int64) bool { return !s.opened && s.first > at }

func (s *source) fill() error {
	s.opened = true
	p, err, ok := s.next()
	if s.ended = !ok; ok {
		s.head = &p
	}
	return err
}

func (s *source) take() *found {
	p := s.head
	s.head = nil
	return p
}

// pageRows is how many points of a measurement are read, and held, at a time where several are merged, so
// that none of the few queries that may run waits for another.
const pageRows = 5000

// pages yields the points of an entity in one measurement, page by page.
func (i *Influx) pages(ctx context.Context, l *layout, measurement string, s span) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for after := ""; ; {
			page, last, err := i.page(ctx, l, measurement, s, after)
			if err != nil {
				yield(found{}, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
			}
			if last == "" {
				return
			}
			after = last
		}
	}
}

// page reads the points of one page, and where it is full the time of its last row.
func (i *Influx) page(ctx context.Context, l *layout, measurement string, s span, after string) (page []found, last string, err error) {
	one := l.during([]span{s})
	one.measurements, one.after, one.tail = []string{measurement}, after, l.group()+influxLimit(pageRows)
	rows := 0
	for row, err := range i.rows(ctx, one) {
		if err != nil {
			return nil, "", err
		}
		if rows++; rows == pageRows {
			last = textOf(row.values[0])
		}
		if p, ok := l.point(row); ok {
			page = append(page, p)
		}
	}
	return page, last, nil
}
