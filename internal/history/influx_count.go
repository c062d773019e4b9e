package history

import (
	"context"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Count counts points. See Store. The server does where it counts the same.
func (i *Influx) Count(ctx context.Context, series []Series, edges []Micros) ([]int64, error) {
	counts := make([]int64, len(edges)-1)
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	start, end := edges[0], edges[len(edges)-1]
	if step, ok := stepOf(edges); ok && l.unique {
		err = i.countThere(ctx, l, series, edges, step, counts)
		return counts, storeError(ctx, err)
	}
	rows := i.everything(ctx, l, start, end)
	if series != nil {
		rows = i.Range(ctx, Query{Series: series, Start: start, End: end})
	}
	for row, err := range rows {
		if err != nil {
			return nil, storeError(ctx, err)
		}
		if err := addTo(counts, edges, row.Time, 1); err != nil {
			return nil, storeError(ctx, err)
		}
	}
	return counts, nil
}

// errOutside says that the server answers what it was not asked for.
var errOutside = &influxError{fault: refused, detail: "answers with times that it was not asked for"}

// addTo adds n to the count of the bucket that a moment is in.
func addTo(counts []int64, edges []Micros, at Micros, n int64) error {
	bucket := sort.Search(len(edges), func(n int) bool { return edges[n] > at }) - 1
	if bucket < 0 || bucket >= len(counts) {
		return errOutside
	}
	counts[bucket] += n
	return nil
}

// maxSteps is how many counts the server may be asked for.
const maxSteps = 50_000

// stepOf is the longest time that all buckets are multiples of, which the server can count by; false where
// it is too short for that.
func stepOf(edges []Micros) (Micros, bool) {
	step := edges[1] - edges[0]
	for n := range edges[1:] {
		for d := edges[n+1] - edges[n]; d != 0; {
			step, d = d, step%d
		}
	}
	return step, (edges[len(edges)-1]-edges[0])/step <= maxSteps && edges[0] >= 0
}

// countThere lets the server count by steps, and adds these up to buckets.
func (i *Influx) countThere(ctx context.Context, l *layout, series []Series, edges []Micros, step Micros, counts []int64) error {
	group := " GROUP BY time(" + strconv.FormatInt(int64(step), 10) + "u, " + strconv.FormatInt(int64(edges[0]%step), 10) + "u) fill(none)"
	for _, s := range l.selections(series, edges[0], edges[len(edges)-1]) {
		s.columns, s.tail = `count("`+l.states[0]+`")`, group
		for row, err := range i.rows(ctx, s) {
			if err != nil {
				return err
			}
			if err := addTo(counts, edges, floor(integerIn(row, 0)), integerIn(row, 1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// integerIn is the integer in a column; 0 where there is none.
func integerIn(row influxRow, column int) int64 {
	if column >= len(row.values) {
		return 0
	}
	n, _ := strconv.ParseInt(textOf(row.values[column]), 10, 64)
	return n
}

// everything yields the points of all entities in a time, without doubles, by measurement and then time.
func (i *Influx) everything(ctx context.Context, l *layout, start, end Micros) iter.Seq2[Row, error] {
	s := selection{layout: l, columns: l.fields(false) + l.tags(), start: start, end: end}
	return func(yield func(Row, error) bool) {
		var now Micros
		seen := map[string]bool{} // now
		for row, err := range i.rows(ctx, s) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			p, ok := l.point(l.untagged(row))
			if !ok {
				continue
			}
			if p.Time != now {
				now = p.Time
				clear(seen)
			}
			if seen[p.EntityID] {
				continue
			}
			seen[p.EntityID] = true
			if !yield(Row{Point: p.Point}, nil) {
				return
			}
		}
	}
}

// Seen tells who has points. See Store.
func (i *Influx) Seen(ctx context.Context, start, end Micros) ([]Seen, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	all := map[string]*Seen{}
	if l.unique {
		err = i.seenThere(ctx, l, start, end, all)
	} else {
		err = i.seenHere(ctx, l, start, end, all)
	}
	if err != nil {
		return nil, storeError(ctx, err)
	}
	seen := make([]Seen, 0, len(all))
	for _, s := range all {
		seen = append(seen, *s)
	}
	slices.SortFunc(seen, func(a, b Seen) int { return strings.Compare(a.EntityID, b.EntityID) })
	return seen, nil
}

// seenThere lets the server count, and asks for the newest.
func (i *Influx) seenThere(ctx context.Context, l *layout, start, end Micros, all map[string]*Seen) error {
	s := selection{layout: l, columns: `count("` + l.states[0] + `")`, start: start, end: end, tail: l.group()}
	for row, err := range i.rows(ctx, s) {
		if err != nil {
			return err
		}
		if id := l.entity(row.tags); IsEntityID(id) {
			all[id] = &Seen{EntityID: id, Count: integerIn(row, 1)}
		}
	}
	s.columns = `last("` + l.states[0] + `")`
	for row, err := range i.rows(ctx, s) {
		if err != nil {
			return err
		}
		if s := all[l.entity(row.tags)]; s != nil {
			s.Last = floor(integerIn(row, 0))
		}
	}
	return nil
}

func (i *Influx) seenHere(ctx context.Context, l *layout, start, end Micros, all map[string]*Seen) error {
	for row, err := range i.everything(ctx, l, start, end) {
		if err != nil {
			return err
		}
		s := all[row.EntityID]
		if s == nil {
			s = &Seen{EntityID: row.EntityID}
			all[row.EntityID] = s
		}
		s.Count++
		s.Last = max(s.Last, row.Time)
	}
	return nil
}
