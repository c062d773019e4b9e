package history

import (
	"context"
	"errors"
	"iter"

	"dataapi/db"
)

// Influx is a Store. It knows no registry ids and goes by the names of a series.
var _ Store = (*Influx)(nil)

// Why InfluxDB cannot be asked.
const (
	InfluxDown   db.Reason = "influxdb_down"   // it cannot be reached, is slow, sick or busy
	InfluxDenied db.Reason = "influxdb_denied" // it does not know the database, the user or the token, or refuses the query
)

// storeError is the error of a Store's method: that of the caller where it gave up, else db.Unavailable.
func storeError(ctx context.Context, err error) error {
	var e *influxError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !errors.As(err, &e):
		return err
	case e.fault == down && errors.Is(err, errSlow):
		return &db.Unavailable{Reason: InfluxDown, Detail: "InfluxDB takes too long to answer", Err: err}
	case e.fault == down:
		return &db.Unavailable{Reason: InfluxDown, Detail: "InfluxDB cannot be asked now", Err: err}
	}
	return &db.Unavailable{Reason: InfluxDenied, Detail: "InfluxDB refuses to answer: the settings, or the rights of the user or token, do not fit", Err: err}
}

// Range yields points as the server sends them. See Store.
func (i *Influx) Range(ctx context.Context, q Query) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		l, err := i.layout(ctx)
		if err != nil {
			yield(Row{}, storeError(ctx, err))
			return
		}
		last, count := Row{Series: -1}, 0
		for row, err := range i.ranges(ctx, l, spansOf(q.Series, q.Start, q.End), q.Limit) {
			if err != nil {
				yield(Row{}, storeError(ctx, err))
				return
			}
			if row.Series != last.Series {
				count = 0
			} else if row.Time <= last.Time || q.Limit > 0 && count == q.Limit {
				continue // a double, or of a second name
			}
			if count++; !yield(row, nil) {
				return
			}
			last = row
		}
	}
}

// ranges yields the points of spans, in the order of the spans and of time; there may be doubles. limit, if
// it is not 0, is how many points of a span are enough.
func (i *Influx) ranges(ctx context.Context, l *layout, spans []span, limit int) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, run := range runs(spans) {
			for row, err := range i.run(ctx, l, run, limit) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

func (i *Influx) run(ctx context.Context, l *layout, run []span, limit int) iter.Seq2[Row, error] {
	switch {
	case !run[0].one:
		return i.merged(ctx, l, run)
	case l.measurement == "":
		return i.scattered(ctx, l, run, limit)
	}
	return i.together(ctx, l, nil, run, limit)
}

// errOrder says that the server does not answer in the order in which it always has.
var errOrder = &influxError{fault: refused, detail: "answers in another order than that of the names"}

// together yields the points of a run that one query can ask for.
func (i *Influx) together(ctx context.Context, l *layout, measurements []string, run []span, limit int) iter.Seq2[Row, error] {
	s := l.during(run)
	s.measurements, s.tail = measurements, l.group()
	if l.unique { // else doubles would count
		s.tail += influxLimit(limit)
	}
	place := map[string]int{}
	for n, s := range run {
		place[s.entityID] = n
	}
	return func(yield func(Row, error) bool) {
		current := 0
		for p, err := range i.points(ctx, s) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			n, ok := place[p.EntityID]
			switch {
			case !ok: // of another domain
				continue
			case n < current:
				yield(Row{}, errOrder)
				return
			}
			current = n
			if !yield(Row{run[n].series, p.Point}, nil) {
				return
			}
		}
	}
}

// during selects the points of spans, all of one time.
func (l *layout) during(spans []span) selection {
	return selection{layout: l, columns: l.fields(false), ids: idsOf(spans), start: spans[0].from, end: spans[0].until}
}
