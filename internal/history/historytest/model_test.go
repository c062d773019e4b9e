package historytest

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"dataapi/internal/history"
)

// The suite itself is right: the plainest store there can be passes it.
func TestModel(t *testing.T) {
	Run(t, Subject{Open: func(*testing.T) history.Store { return &model{} }, NamesOnly: true})
}

// model keeps points in a list.
type model struct {
	mu       sync.Mutex
	points   []history.Point
	rejected int64
}

func (m *model) Append(_ context.Context, points []history.Point) ([]history.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	outcomes := make([]history.Outcome, len(points))
	for i, p := range points {
		reason := p.Check(time.Now(), history.At(time.Now().AddDate(-10, 0, 0)))
		outcomes[i] = history.Outcome{Result: history.Stored}
		switch {
		case reason != "":
			m.rejected++
			outcomes[i] = history.Outcome{Result: history.Rejected, Reason: reason}
		case slices.ContainsFunc(m.points, func(o history.Point) bool { return o.EntityID == p.EntityID && o.Time == p.Time }):
			outcomes[i].Result = history.Duplicate
		default:
			m.points = append(m.points, p)
		}
	}
	slices.SortFunc(m.points, newestFirst)
	return outcomes, nil
}

func (m *model) Range(ctx context.Context, q history.Query) iter.Seq2[history.Row, error] {
	return func(yield func(history.Row, error) bool) {
		if ctx.Err() != nil {
			yield(history.Row{}, ctx.Err())
			return
		}
		count := map[int]int{}
		for _, r := range rowsOf(m.points, q.Series) {
			if r.Time < q.Start || r.Time >= q.End || q.Limit > 0 && count[r.Series] == q.Limit {
				continue
			}
			count[r.Series]++
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (m *model) Buckets(ctx context.Context, q history.BucketQuery) iter.Seq2[history.Bucket, error] {
	return history.Summarize(q, m.Range(ctx, history.Query{Series: q.Series, Start: history.Always, End: history.Forever}))
}

func (m *model) Last(ctx context.Context, series []history.Series, at history.Micros) ([]history.Row, error) {
	var last []history.Row
	for _, r := range rowsOf(m.points, series) {
		switch n := len(last); {
		case r.Time > at:
		case n > 0 && last[n-1].Series == r.Series:
			last[n-1] = r
		default:
			last = append(last, r)
		}
	}
	return last, ctx.Err()
}

func (m *model) Events(_ context.Context, p history.Page) ([]history.Event, error) {
	var events []history.Event
	for i, point := range m.points {
		before := history.Point{Time: p.Before.Time, EntityID: p.Before.EntityID}
		if point.Time < p.Start || point.Time >= p.End || len(events) == p.Limit ||
			p.Before != (history.Cursor{}) && cmp.Compare(newestFirst(point, before), 0) <= 0 ||
			p.Series != nil && !slices.ContainsFunc(p.Series, func(s history.Series) bool { return s.Names[0].EntityID == point.EntityID }) {
			continue
		}
		e := history.Event{Point: point, Complete: true}
		if j := slices.IndexFunc(m.points[i+1:], func(o history.Point) bool { return o.EntityID == point.EntityID }); j >= 0 {
			e.Old = &m.points[i+1+j].State
		}
		events = append(events, e)
	}
	return events, nil
}

func (m *model) Count(_ context.Context, series []history.Series, edges []history.Micros) ([]int64, error) {
	counts := make([]int64, len(edges)-1)
	for _, p := range m.points {
		in := series == nil || slices.ContainsFunc(series, func(s history.Series) bool { return s.Names[0].EntityID == p.EntityID })
		for i := range counts {
			if in && p.Time >= edges[i] && p.Time < edges[i+1] {
				counts[i]++
			}
		}
	}
	return counts, nil
}

func (m *model) Seen(_ context.Context, start, end history.Micros) ([]history.Seen, error) {
	seen := map[string]history.Seen{}
	for _, p := range m.points {
		if p.Time >= start && p.Time < end {
			seen[p.EntityID] = history.Seen{EntityID: p.EntityID, Count: seen[p.EntityID].Count + 1, Last: max(seen[p.EntityID].Last, p.Time)}
		}
	}
	var all []history.Seen
	for _, s := range seen {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b history.Seen) int { return cmp.Compare(a.EntityID, b.EntityID) })
	return all, nil
}

func (m *model) Health(context.Context) history.Health {
	return history.Health{Status: history.Healthy, Stored: int64(len(m.points)), Rejected: m.rejected}
}
