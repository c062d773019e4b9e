package relay

import (
	"context"
	"iter"

	"dataapi/internal/history"
)

// stream answers from both stores: both is InfluxDB and a share of the embedded store, embedded is all of that.
// As soon as something was yielded, the failure of a store is the end of the answer.
func stream[T any](ctx context.Context, s *Store, asked window, both func(share) iter.Seq2[T, error], embedded iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		a := answer[T]{yield: yield}
		of, out := s.share(ctx, asked)
		if out != nil && !isOut(out) {
			a.end(out)
			return
		}
		err := a.give(both(of))
		if out == nil && isOut(err) && a.count == 0 {
			out = err
			if err = a.give(embedded); a.count == 0 || isPartial(err) {
				err = nil // what InfluxDB says is why
			}
		}
		switch {
		case err != nil:
			a.end(err)
		case out != nil && a.count == 0:
			a.end(out)
		case out != nil:
			a.end(asked.partial(out))
		}
	}
}

// answer counts what is yielded.
type answer[T any] struct {
	yield   func(T, error) bool
	count   int
	stopped bool // by the reader
}

// give yields what a sequence does, but for its error, which it returns.
func (a *answer[T]) give(from iter.Seq2[T, error]) error {
	for value, err := range from {
		if err != nil {
			return err
		}
		a.count++
		if !a.yield(value, nil) {
			a.stopped = true
			return nil
		}
	}
	return nil
}

func (a *answer[T]) end(err error) {
	if !a.stopped {
		var none T
		a.yield(none, err)
	}
}

// list is stream for answers that are there at once.
func list[T any](ctx context.Context, s *Store, asked window, both func(share) ([]T, error), embedded func() ([]T, error)) ([]T, error) {
	of, out := s.share(ctx, asked)
	if out != nil && !isOut(out) {
		return nil, out
	}
	values, err := both(of)
	if out == nil && isOut(err) {
		out = err
		if values, err = embedded(); err == nil || isPartial(err) {
			err = nil // what InfluxDB says is why
		}
	}
	switch {
	case out == nil:
		return values, err
	case err != nil || len(values) == 0:
		return nil, out
	}
	return values, asked.partial(out)
}

// limited yields the first points of each series, limit of them if it is not 0.
func limited(rows iter.Seq2[history.Row, error], limit int) iter.Seq2[history.Row, error] {
	if limit == 0 {
		return rows
	}
	return func(yield func(history.Row, error) bool) {
		series, count := -1, 0
		for row, err := range rows {
			if err == nil && row.Series != series {
				series, count = row.Series, 0
			}
			if count++; err == nil && count > limit {
				continue
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}
