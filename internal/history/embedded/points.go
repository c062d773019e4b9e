package embedded

import (
	"context"
	"iter"
	"time"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// pointsPage is how many points are read at once. No statement stays open in between, so that a slow
// reader is in nobody's way.
const pointsPage = 4096

// Range yields points from the table points and from the tail. Where some were there that are kept only
// as hours by now, it ends with a *Partial of ErrTooFine.
func (h *Store) Range(ctx context.Context, q history.Query) iter.Seq2[history.Row, error] {
	return func(yield func(history.Row, error) bool) {
		start := time.Now()
		err := h.yieldRange(ctx, q, yield)
		h.observe(start, err)
		if err != nil {
			yield(history.Row{}, err)
		}
	}
}

// yieldRange returns nil also where the reader has stopped.
func (h *Store) yieldRange(ctx context.Context, q history.Query, yield func(history.Row, error) bool) error {
	sources, err := h.sources(ctx, q.Series)
	if err != nil {
		return err
	}
	v, err := h.view(ctx, rowsOf(sources...))
	if err != nil {
		return err
	}
	for i, s := range sources {
		left, stopped := q.Limit, false
		err := v.walk(ctx, s, q.Start, q.End, func(at history.Micros, state string) bool {
			stopped = !yield(rowAt(q.Series, i, tailPoint{at: at, state: state}), nil)
			left--
			return !stopped && left != 0
		})
		if err != nil || stopped {
			return err
		}
	}
	return v.lost(q.Start, history.Micros(v.RawFrom))
}

// walk gives the points of sources with from <= at < until, in order and each once, until give wants no more.
func (v *view) walk(ctx context.Context, sources []source, from, until history.Micros, give func(history.Micros, string) bool) error {
	var streams []*stream
	for _, s := range sources {
		from, until := max(from, s.from), min(until, s.until)
		streams = append(streams, &stream{tail: between(v.tail[s.e], from, until)})
		if from < until {
			streams = append(streams, &stream{e: s.e, from: from, until: until, more: true})
		}
	}
	last := history.Always
	for {
		first := (*stream)(nil)
		for _, s := range streams {
			if err := s.fill(ctx, v.q); err != nil {
				return err
			}
			if s.left() && (first == nil || s.at() < first.at()) {
				first = s
			}
		}
		if first == nil {
			return nil
		}
		at, state := first.next()
		if at > last && !give(at, state) {
			return nil
		}
		last = max(last, at)
	}
}

// stream is a list of points in order: a tail, or what is read of one row page by page.
type stream struct {
	tail []tailPoint

	e           int64
	from, until history.Micros
	more        bool
	page        []historydb.ListPointsRow
}

func (s *stream) left() bool { return len(s.tail)+len(s.page) > 0 }

func (s *stream) at() history.Micros {
	if len(s.tail) > 0 {
		return s.tail[0].at
	}
	return history.Micros(s.page[0].At)
}

func (s *stream) next() (at history.Micros, state string) {
	if len(s.tail) > 0 {
		p := s.tail[0]
		s.tail = s.tail[1:]
		return p.at, p.state
	}
	p := s.page[0]
	s.page = s.page[1:]
	return history.Micros(p.At), p.State
}

// fill reads the next page where the one before is used up.
func (s *stream) fill(ctx context.Context, q *historydb.Queries) (err error) {
	if !s.more || len(s.page) > 0 {
		return nil
	}
	s.page, err = q.ListPoints(ctx, historydb.ListPointsParams{E: s.e, FromAt: int64(s.from), Until: int64(s.until), Lim: pointsPage})
	if err != nil {
		return err
	}
	s.more = len(s.page) == pointsPage
	if s.more {
		s.from = history.Micros(s.page[pointsPage-1].At) + 1
	}
	return ctx.Err()
}

// newest finds the newest point of sources before until, or the newest that is known.
func (v *view) newest(ctx context.Context, sources []source, until history.Micros, known bool) (p tailPoint, found bool, err error) {
	for _, s := range sources {
		until := min(until, s.until)
		own := between(v.tail[s.e], s.from, until)
		for i := len(own) - 1; i >= 0; i-- {
			if !known || history.IsKnown(own[i].state) {
				own = own[i:]
				break
			}
			own = own[:i]
		}
		stored, err := v.before(ctx, s.e, until, known)
		if err != nil {
			return p, false, err
		}
		if stored != nil && stored.at >= s.from {
			own = append(own[:len(own):len(own)], *stored)
		}
		for _, o := range own {
			if !found || o.at > p.at {
				p, found = o, true
			}
		}
	}
	return p, found, nil
}

// before finds the newest point of a row in the table points before until.
func (v *view) before(ctx context.Context, e int64, until history.Micros, known bool) (*tailPoint, error) {
	var at int64
	var state string
	if known {
		p, err := v.q.KnownPointBefore(ctx, historydb.KnownPointBeforeParams{E: e, Until: int64(until)})
		if nothing, err := none(err); nothing || err != nil {
			return nil, err
		}
		at, state = p.At, p.State
	} else {
		p, err := v.q.PointBefore(ctx, historydb.PointBeforeParams{E: e, Until: int64(until)})
		if nothing, err := none(err); nothing || err != nil {
			return nil, err
		}
		at, state = p.At, p.State
	}
	return &tailPoint{at: history.Micros(at), state: state}, nil
}

// Last looks each series up. The newest point of an entity is kept for ever.
func (h *Store) Last(ctx context.Context, series []history.Series, at history.Micros) (rows []history.Row, err error) {
	defer func(start time.Time) { h.observe(start, err) }(time.Now())
	sources, err := h.sources(ctx, series)
	if err != nil {
		return nil, err
	}
	v, err := h.view(ctx, rowsOf(sources...))
	if err != nil {
		return nil, err
	}
	if at != history.Forever {
		at++
	}
	for i, s := range sources {
		p, found, err := v.newest(ctx, s, at, false)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if found {
			rows = append(rows, rowAt(series, i, p))
		}
	}
	return rows, h.addAttributes(ctx, sources, rows)
}

// addAttributes adds the attributes that hold: the newest that are not newer than the point.
func (h *Store) addAttributes(ctx context.Context, sources [][]source, rows []history.Row) error {
	found, err := h.db.ListAttributes(ctx, list(rowsOf(sources...)))
	if err != nil {
		return err
	}
	documents := map[int64]historydb.Attribute{}
	for _, a := range found {
		documents[a.E] = a
	}
	for i := range rows {
		for _, s := range sources[rows[i].Series] {
			if a, ok := documents[s.e]; ok && history.Micros(a.At) <= rows[i].Time {
				rows[i].Attributes = []byte(a.Document)
			}
		}
	}
	return nil
}
