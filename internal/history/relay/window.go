package relay

import (
	"context"
	"errors"
	"iter"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
)

// window is a time: from <= t < until.
type window struct{ from, until history.Micros }

func (w window) empty() bool { return w.from >= w.until }

// cut is the part of it that is in another one.
func (w window) cut(o window) window { return window{max(w.from, o.from), min(w.until, o.until)} }

// hull is the shortest window that both are in.
func (w window) hull(o window) window {
	switch {
	case w.empty():
		return o
	case o.empty():
		return w
	}
	return window{min(w.from, o.from), max(w.until, o.until)}
}

// share is what the embedded store has to answer of a question.
type share struct {
	window                   // of which it has points that InfluxDB may not have
	any       bool           // whether it has points at all
	givenFrom history.Micros // from when on InfluxDB was given what came
}

// manyUnpassed is how many points make it too much work to see of what time they are.
const manyUnpassed = 20_000

// share is asked for before InfluxDB is: what is forwarded meanwhile is then found twice, and never not at all.
func (s *Store) share(ctx context.Context, asked window) (share, error) {
	p, err := s.Embedded.Progress(ctx, s.name)
	if err != nil || p.Empty {
		return share{}, db.Classify(err)
	}
	before := window{history.Always, p.GivenFrom}.cut(asked)
	after := window{history.Always, history.Forever}
	if p.Unpassed == 0 {
		after = window{}
	} else if p.Unpassed <= manyUnpassed {
		after.from, after.until, err = s.Embedded.After(ctx, p.Passed)
	}
	return share{before.hull(after.cut(asked)), true, p.GivenFrom}, db.Classify(err)
}

// kept yields what the embedded store has to answer of a question for points. Points that are no longer kept there
// are missing only as far as InfluxDB was not given them.
func (s *Store) kept(ctx context.Context, q history.Query, of share) iter.Seq2[history.Row, error] {
	q.Start, q.End = of.from, of.until
	return func(yield func(history.Row, error) bool) {
		for row, err := range s.Embedded.Range(ctx, q) {
			var lost *history.Partial
			if errors.As(err, &lost) {
				if lost.From < of.givenFrom {
					yield(row, &history.Partial{From: lost.From, Until: min(lost.Until, of.givenFrom), Err: lost.Err})
				}
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// partial is the error of an answer about a time from which a store is missing.
func (w window) partial(err error) error {
	now := history.At(time.Now())
	return &history.Partial{From: max(w.from, 0), Until: max(0, min(w.until, now)), Err: err}
}

func isPartial(err error) bool {
	var p *history.Partial
	return errors.As(err, &p)
}

// isOut says whether a store cannot be asked.
func isOut(err error) bool { return !isPartial(err) && errors.Is(db.Classify(err), db.ErrUnavailable) }
