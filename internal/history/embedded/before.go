package embedded

import (
	"context"
	"time"

	"dataapi/internal/history"
)

// Before returns, series by series, what holds when the first bucket begins: the newest point before, as far as
// points are kept, and in front of it the newest one that is known, where that is another.
func (h *Store) Before(ctx context.Context, q history.BucketQuery) (rows []history.Row, err error) {
	defer func(start time.Time) { h.observe(start, err) }(time.Now())
	sources, err := h.sources(ctx, q.Series)
	if err != nil {
		return nil, err
	}
	v, err := h.view(ctx, rowsOf(sources...))
	if err != nil {
		return nil, err
	}
	for i, s := range sources {
		newest, found, err := v.newest(ctx, s, q.Edges[0], false)
		if err != nil {
			return nil, err
		}
		if found && !history.IsKnown(newest.state) {
			known, any, err := v.newest(ctx, s, q.Edges[0], true)
			if err != nil {
				return nil, err
			}
			if any {
				rows = append(rows, rowAt(q.Series, i, known))
			}
		}
		if found {
			rows = append(rows, rowAt(q.Series, i, newest))
		}
	}
	return rows, ctx.Err()
}

// rowAt is a point of the series with this index.
func rowAt(series []history.Series, i int, p tailPoint) history.Row {
	s := &series[i]
	return history.Row{Series: i, Point: history.Point{EntityID: nameAt(s, p.at), RegistryID: s.RegistryID, Time: p.at, State: p.state}}
}
