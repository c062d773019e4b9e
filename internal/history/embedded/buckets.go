package embedded

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Buckets sums up hours as far as they can be used, and then points. Hours can be used up to the first edge
// that is not on a full hour, the first point that has not been moved, and the present hour.
func (h *Store) Buckets(ctx context.Context, q history.BucketQuery) iter.Seq2[history.Bucket, error] {
	return func(yield func(history.Bucket, error) bool) {
		start := time.Now()
		err := h.yieldBuckets(ctx, q, yield)
		h.observe(start, err)
		if err != nil {
			yield(history.Bucket{}, err)
		}
	}
}

// yieldBuckets returns nil also where the reader has stopped.
func (h *Store) yieldBuckets(ctx context.Context, q history.BucketQuery, yield func(history.Bucket, error) bool) error {
	sources, err := h.sources(ctx, q.Series)
	if err != nil {
		return err
	}
	v, err := h.view(ctx, rowsOf(sources...))
	if err != nil {
		return err
	}
	border := wholeHours(q)
	if q.Edges[0] < v.raw() && border < min(v.raw(), q.Now, q.Edges[len(q.Edges)-1]) {
		return history.ErrTooFine
	}
	for i, s := range sources {
		b := bucketer{view: v, sources: s, border: v.borderOf(s, border), states: int64(min(1, q.Parts&history.Times)), sum: history.NewSummarizer(q, i, yield)}
		if more, err := b.run(ctx, q); err != nil || !more {
			return err
		}
	}
	return v.lost(q.Edges[0], v.hoursFrom())
}

// lost is the *Partial that an answer about the time from start needs, where points or hours that were there
// are no longer kept before the time kept; else nil.
func (v *view) lost(start, kept history.Micros) error {
	oldest := history.Micros(v.Oldest)
	if start >= kept || oldest >= kept {
		return nil
	}
	return &history.Partial{From: max(start, oldest), Until: kept, Err: history.ErrTooFine}
}

// hoursFrom is from when on hours are kept; Always where all still are.
func (v *view) hoursFrom() history.Micros {
	if v.HoursFrom == int64(history.Always) {
		return history.Always
	}
	return history.Micros(v.HoursFrom) * history.Hour
}

// raw is from when on points are kept; Always where all still are.
func (v *view) raw() history.Micros {
	if v.Oldest >= v.RawFrom {
		return history.Always
	}
	return history.Micros(v.RawFrom)
}

// wholeHours is until when buckets are made of whole hours that have passed; no later than the first edge
// where none is.
func wholeHours(q history.BucketQuery) history.Micros {
	border := min(q.Edges[len(q.Edges)-1], hourOf(q.Now)*history.Hour)
	for _, e := range q.Edges {
		if e%history.Hour != 0 {
			return min(border, hourOf(e)*history.Hour)
		}
	}
	return border
}

// hourOf is the hour since 1970 that a moment is in.
func hourOf(t history.Micros) history.Micros {
	hour := t / history.Hour
	if t%history.Hour < 0 {
		hour--
	}
	return hour
}

// borderOf is until when the hours of sources hold: what is in the tail is in none of them. Hours of more
// than one row may overlap, so points are taken there as far as they are kept.
func (v *view) borderOf(sources []source, border history.Micros) history.Micros {
	for _, s := range sources {
		if t := v.tail[s.e]; len(t) > 0 {
			border = min(border, hourOf(t[0].at)*history.Hour)
		}
	}
	if len(sources) > 1 {
		border = min(border, v.raw())
	}
	return border
}

// bucketer sums up one series.
type bucketer struct {
	*view
	sources []source
	border  history.Micros // hours before, points from there on
	states  int64          // 1 if the states of hours are needed
	sum     *history.Summarizer
}

// run says whether more is wanted.
func (b *bucketer) run(ctx context.Context, q history.BucketQuery) (more bool, err error) {
	start, end := q.Edges[0], min(q.Edges[len(q.Edges)-1], q.Now)
	if err := b.seed(ctx, start); err != nil {
		return false, err
	}
	if start < b.border {
		if more, err := b.addHours(ctx, start, b.border); err != nil || !more {
			return false, err
		}
	}
	more = true
	err = b.walk(ctx, b.sources, max(start, b.border), end, func(at history.Micros, state string) bool {
		more = b.sum.Add(at, state)
		return more
	})
	if err != nil || !more {
		return false, err
	}
	return b.sum.Finish(), nil
}

// seed tells what holds when the first bucket begins: the newest state before, and the newest known one.
func (b *bucketer) seed(ctx context.Context, start history.Micros) error {
	newest, found, err := b.newest(ctx, b.sources, start, false)
	if err != nil {
		return err
	}
	if !found || start <= b.raw() {
		return b.seedByHours(ctx, start, true)
	}
	if !history.IsKnown(newest.state) {
		known, found, err := b.newest(ctx, b.sources, start, true)
		if err == nil && !found {
			err = b.seedByHours(ctx, start, false)
		}
		if err != nil {
			return err
		}
		if found {
			b.sum.Add(known.at, known.state)
		}
	}
	b.sum.Add(newest.at, newest.state)
	return nil
}

// seedByHours is seed where the points before are no longer kept.
func (b *bucketer) seedByHours(ctx context.Context, start history.Micros, holds bool) error {
	if b.raw() == history.Always {
		return nil
	}
	until := int64(hourOf(min(start, b.raw())))
	var known, held historydb.HourBeforeRow
	for _, s := range b.sources {
		k, err := b.q.KnownHourBefore(ctx, historydb.KnownHourBeforeParams{E: s.e, Until: until})
		if nothing, err := none(err); err != nil {
			return err
		} else if !nothing && (known.Held == "" || known.Hour < k.Hour) {
			known = historydb.HourBeforeRow(k)
		}
		h, err := b.q.HourBefore(ctx, historydb.HourBeforeParams{E: s.e, Until: until})
		if nothing, err := none(err); err != nil {
			return err
		} else if !nothing && (held.Held == "" || held.Hour < h.Hour) {
			held = h
		}
	}
	if known.Held != "" {
		b.sum.Add(history.Micros(known.Hour)*history.Hour, known.Held)
	}
	if holds && held.Held != "" {
		b.sum.Add(history.Micros(held.Hour)*history.Hour+1, held.Held)
	}
	return nil
}

// hoursPage is how many hours are read at once.
const hoursPage = 2048

// addHours adds the hours from start until end, which are full hours.
func (b *bucketer) addHours(ctx context.Context, start, end history.Micros) (more bool, err error) {
	for from, until := hourOf(start), hourOf(end); from < until; {
		page := min(until, from+hoursPage)
		var hours []historydb.ListHoursRow
		for _, s := range b.sources {
			list, err := b.q.ListHours(ctx, historydb.ListHoursParams{
				E: s.e, FromHour: int64(max(from, hourOf(s.from))), Until: int64(min(page, hourOf(s.until))), WithStates: b.states})
			if err != nil {
				return false, err
			}
			hours = append(hours, list...)
		}
		if len(b.sources) > 1 {
			slices.SortStableFunc(hours, func(a, b historydb.ListHoursRow) int { return cmp.Compare(a.Hour, b.Hour) })
		}
		for i := range hours {
			sum, err := summary(&hours[i])
			if err != nil {
				return false, err
			}
			if !b.sum.AddHour(history.Micros(hours[i].Hour)*history.Hour, &sum, hours[i].Held) {
				return false, nil
			}
		}
		from = page
	}
	return true, ctx.Err()
}
