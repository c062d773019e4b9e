package relay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sort"

	"dataapi/internal/history"
)

// Count lets InfluxDB count where all points are there, and counts in the other buckets by itself.
func (s *Store) Count(ctx context.Context, series []history.Series, edges []history.Micros) ([]int64, error) {
	both := func(of share) ([]int64, error) { return s.count(ctx, series, edges, of) }
	embedded := func() ([]int64, error) { return s.Embedded.Count(ctx, series, edges) }
	counts, err := list(ctx, s, window{edges[0], edges[len(edges)-1]}, both, embedded)
	var part *history.Partial
	if errors.As(err, &part) && isOut(part.Err) && !slices.ContainsFunc(counts, func(n int64) bool { return n > 0 }) {
		return nil, part.Err // zeros would not be a part of anything
	}
	return counts, err
}

func (s *Store) count(ctx context.Context, series []history.Series, edges []history.Micros, of share) ([]int64, error) {
	if of.empty() {
		return s.Influx.Count(ctx, series, edges)
	}
	first := bucketOf(edges, of.from)
	last := bucketOf(edges, of.until-1) + 1
	counts := make([]int64, len(edges)-1)
	for _, part := range [][2]int{{0, first}, {last, len(counts)}} {
		if part[0] == part[1] {
			continue
		}
		there, err := s.Influx.Count(ctx, series, edges[part[0]:part[1]+1])
		if err != nil {
			return nil, err
		}
		copy(counts[part[0]:], there)
	}
	mixed := window{edges[first], edges[last]}
	err := s.each(ctx, series, mixed, of, func(p *history.Point) { counts[bucketOf(edges, p.Time)]++ })
	return counts, err
}

// bucketOf is the bucket that a time between the edges is in.
func bucketOf(edges []history.Micros, at history.Micros) int {
	return sort.Search(len(edges), func(i int) bool { return edges[i] > at }) - 1
}

// each calls do for each point of a time that both stores have, of the series or of all entities.
func (s *Store) each(ctx context.Context, series []history.Series, w window, of share, do func(*history.Point)) error {
	if series == nil {
		var err error
		if series, err = s.everyone(ctx, w); err != nil {
			return err
		}
	}
	for row, err := range s.points(ctx, history.Query{Series: series, Start: w.from, End: w.until}, of) {
		if err != nil {
			return err
		}
		do(&row.Point)
	}
	return nil
}

// everyone is a series for each entity that has points in a time.
func (s *Store) everyone(ctx context.Context, w window) ([]history.Series, error) {
	there, err := s.Influx.Seen(ctx, w.from, w.until)
	if err != nil {
		return nil, err
	}
	here, err := s.Embedded.Seen(ctx, w.from, w.until)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, seen := range append(here, there...) {
		ids = append(ids, seen.EntityID)
	}
	slices.Sort(ids)
	var series []history.Series
	for _, id := range slices.Compact(ids) {
		series = append(series, history.Named(id))
	}
	return series, nil
}

// Seen lets InfluxDB count where all points are there.
func (s *Store) Seen(ctx context.Context, start, end history.Micros) ([]history.Seen, error) {
	both := func(of share) ([]history.Seen, error) { return s.seen(ctx, window{start, end}, of) }
	embedded := func() ([]history.Seen, error) { return s.Embedded.Seen(ctx, start, end) }
	return list(ctx, s, window{start, end}, both, embedded)
}

func (s *Store) seen(ctx context.Context, asked window, of share) ([]history.Seen, error) {
	if of.empty() {
		return s.Influx.Seen(ctx, asked.from, asked.until)
	}
	all := census{}
	for _, w := range []window{{asked.from, of.from}, {of.until, asked.until}} {
		if w.empty() {
			continue
		}
		there, err := s.Influx.Seen(ctx, w.from, w.until)
		if err != nil {
			return nil, err
		}
		for _, seen := range there {
			all.add(seen)
		}
	}
	err := s.each(ctx, nil, of.window, of, func(p *history.Point) { all.add(history.Seen{EntityID: p.EntityID, Count: 1, Last: p.Time}) })
	return all.list(), err
}

// census adds up who was seen.
type census map[string]history.Seen

func (c census) add(seen history.Seen) {
	before := c[seen.EntityID]
	seen.Count += before.Count
	if before.Count > 0 {
		seen.Last = max(seen.Last, before.Last)
	}
	c[seen.EntityID] = seen
}

func (c census) list() []history.Seen {
	var seen []history.Seen
	for _, one := range c {
		seen = append(seen, one)
	}
	slices.SortFunc(seen, func(a, b history.Seen) int { return cmp.Compare(a.EntityID, b.EntityID) })
	return seen
}
