package relay

import (
	"context"
	"iter"

	"dataapi/internal/history"
)

// Range yields the points of both stores.
func (s *Store) Range(ctx context.Context, q history.Query) iter.Seq2[history.Row, error] {
	both := func(of share) iter.Seq2[history.Row, error] { return s.points(ctx, q, of) }
	return stream(ctx, s, window{q.Start, q.End}, both, s.Embedded.Range(ctx, q))
}

// points yields what InfluxDB and a share of the embedded store have.
func (s *Store) points(ctx context.Context, q history.Query, of share) iter.Seq2[history.Row, error] {
	there := s.Influx.Range(ctx, q)
	if of.empty() {
		return there
	}
	return limited(history.Merge(there, s.kept(ctx, q, of)), q.Limit)
}

// Buckets sums up the points of both stores.
func (s *Store) Buckets(ctx context.Context, q history.BucketQuery) iter.Seq2[history.Bucket, error] {
	both := func(of share) iter.Seq2[history.Bucket, error] { return s.sums(ctx, q, of) }
	return stream(ctx, s, window{q.Edges[0], q.Edges[len(q.Edges)-1]}, both, s.Embedded.Buckets(ctx, q))
}

func (s *Store) sums(ctx context.Context, q history.BucketQuery, of share) iter.Seq2[history.Bucket, error] {
	return func(yield func(history.Bucket, error) bool) {
		var lost error // is said when the last bucket is yielded
		rows := func(yield func(history.Row, error) bool) {
			before, err := s.before(ctx, q, of)
			if err != nil {
				yield(history.Row{}, err)
				return
			}
			for row, err := range history.Merge(s.points(ctx, q.Points(), of), history.Rows(before)) {
				if isPartial(err) {
					lost = err
					return
				}
				if !yield(row, err) {
					return
				}
			}
		}
		for b, err := range history.Summarize(q, rows) {
			if !yield(b, err) || err != nil {
				return
			}
		}
		if lost != nil {
			yield(history.Bucket{}, lost)
		}
	}
}

// before is what holds when the first bucket begins, whichever store knows it.
func (s *Store) before(ctx context.Context, q history.BucketQuery, of share) ([]history.Row, error) {
	rows, err := s.Influx.Before(ctx, q)
	if err != nil || !of.any {
		return rows, err
	}
	here, err := s.Embedded.Before(ctx, q)
	return history.SortRows(append(here, rows...)), err
}

// Last returns the newer point of both stores, with the attributes, which only the embedded one knows.
func (s *Store) Last(ctx context.Context, series []history.Series, at history.Micros) ([]history.Row, error) {
	both := func(of share) ([]history.Row, error) { return s.last(ctx, series, at, of) }
	embedded := func() ([]history.Row, error) { return s.Embedded.Last(ctx, series, at) }
	return list(ctx, s, window{history.Always, at}, both, embedded)
}

func (s *Store) last(ctx context.Context, series []history.Series, at history.Micros, of share) ([]history.Row, error) {
	there, err := s.Influx.Last(ctx, series, at)
	if err != nil || !of.any {
		return there, err
	}
	here, err := s.Embedded.Last(ctx, series, at)
	return newest(history.SortRows(append(here, there...))), err
}

// newest keeps the last row of each series.
func newest(rows []history.Row) []history.Row {
	var last []history.Row
	for i, row := range rows {
		if i == len(rows)-1 || rows[i+1].Series != row.Series {
			last = append(last, row)
		}
	}
	return last
}
