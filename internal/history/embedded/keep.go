package embedded

import (
	"context"
	"math"
	"slices"
	"time"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// When what is done.
const (
	keepEvery   = 5 * time.Second
	moveEvery   = time.Hour
	moveBacklog = 50_000         // rows of recent that are moved before the hour is over
	recentFor   = 24 * time.Hour // rows of recent stay so long, in which contexts are known
	deleteRows  = 5_000          // in a transaction
)

// keep keeps the file in order until ctx ends. What fails is tried again.
func (h *Store) keep(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	var done time.Time
	for {
		if h.due(ctx, done) {
			switch err := h.Tidy(ctx); {
			case err == nil:
				done = time.Now()
			case ctx.Err() == nil && reasonOf(err) != db.Opening:
				h.log.Error("history not in order", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// due says whether it is time: in a new hour, a little after its beginning, or when much has come.
func (h *Store) due(ctx context.Context, done time.Time) bool {
	const pause = 2 * time.Minute
	if !done.Add(-pause).Truncate(moveEvery).Equal(time.Now().Add(-pause).Truncate(moveEvery)) {
		return true
	}
	newest, err := h.db.NewestID(ctx)
	if err != nil {
		return false
	}
	k, err := h.db.GetKeeping(ctx)
	return err == nil && newest-k.Moved > moveBacklog
}

// Tidy moves points to their places and sums up their hours, and deletes what is too old, in many short
// transactions. Run does it once an hour.
func (h *Store) Tidy(ctx context.Context) error { return h.tidy(ctx, time.Now()) }

func (h *Store) tidy(ctx context.Context, now time.Time) error {
	start := time.Now()
	if err := h.setRight(ctx, now); err != nil {
		return err
	}
	if err := h.move(ctx); err != nil {
		return err
	}
	now, err := h.believed(ctx, now)
	if err != nil {
		return err
	}
	if err := h.forget(ctx, now); err != nil {
		return err
	}
	if err := h.empty(ctx, now); err != nil {
		return err
	}
	h.log.Debug("history in order", "duration", time.Since(start))
	return nil
}

// setRight takes back what was noted while the clock was ahead: the past would not be relied on until it has come to
// where the clock was.
func (h *Store) setRight(ctx context.Context, now time.Time) error {
	at := history.At(now.Add(history.MaxAhead))
	k, err := h.db.GetKeeping(ctx)
	if err != nil || max(k.RawFrom, k.RecentFrom) <= int64(at) && k.HoursFrom <= int64(hourOf(at)) {
		return err
	}
	h.log.Warn("the clock was put back", "kept_from", history.Micros(max(k.RawFrom, k.RecentFrom)))
	return h.db.Write(ctx, func(q *historydb.Queries) error {
		_, err := q.NoteClockPutBack(ctx, historydb.NoteClockPutBackParams{Now: int64(at), Hour: int64(hourOf(at))})
		return err
	})
}

// believed is the time by which it is judged what is too old: where the clock is ahead of all that has come for longer
// than a day, it may be wrong, and nothing that is deleted comes back.
func (h *Store) believed(ctx context.Context, now time.Time) (time.Time, error) {
	newest, err := h.db.NewestUpTo(ctx, math.MaxInt64)
	if known := history.Micros(newest).Time().Add(recentFor); known.Before(now) {
		return known, err
	}
	return now, err
}

// forget deletes points and hours that are too old. First it notes that they are not to be relied on.
func (h *Store) forget(ctx context.Context, now time.Time) error {
	raw := h.oldest(now)
	hours := hourOf(history.At(now.Add(-h.config.Hours)))
	k, err := h.db.GetKeeping(ctx)
	if err != nil || k.RawFrom >= int64(raw) {
		return err
	}
	err = h.db.Write(ctx, func(q *historydb.Queries) error {
		return q.NoteKept(ctx, historydb.NoteKeptParams{RawFrom: int64(raw), HoursFrom: int64(hours)})
	})
	if err != nil || k.Oldest >= int64(raw) {
		return err
	}
	for after := int64(0); ; {
		es, err := h.db.ListSeries(ctx, historydb.ListSeriesParams{After: after, Lim: moveSeries})
		if err != nil || len(es) == 0 {
			return err
		}
		err = h.db.Write(ctx, func(q *historydb.Queries) error { return forgetSome(ctx, q, es, raw, hours) })
		if err != nil {
			return err
		}
		after = es[len(es)-1]
	}
}

func forgetSome(ctx context.Context, q *historydb.Queries, es []int64, raw, hours history.Micros) error {
	for _, e := range es {
		if _, err := q.DeletePoints(ctx, historydb.DeletePointsParams{E: e, Before: int64(raw)}); err != nil {
			return err
		}
		if _, err := q.DeleteHours(ctx, historydb.DeleteHoursParams{E: e, Before: int64(hours)}); err != nil {
			return err
		}
	}
	return nil
}

// empty deletes rows of recent: those that are moved, passed by all followers and old enough, and the
// oldest moved ones beyond the limit, which are then lost to followers that have not passed them.
func (h *Store) empty(ctx context.Context, now time.Time) error {
	passed, err := h.db.PassedByAll(ctx)
	if err != nil {
		return err
	}
	if err := h.deleteRecent(ctx, passed, history.At(now.Add(-recentFor))); err != nil {
		return err
	}
	span, err := h.db.SpanOfRecent(ctx)
	if err != nil {
		return err
	}
	k, err := h.db.GetKeeping(ctx)
	if err != nil {
		return err
	}
	until := min(span.Latest-h.config.Spill, k.Moved)
	if until < span.Earliest {
		return nil
	}
	newest, err := h.db.NewestUpTo(ctx, until)
	if err != nil {
		return err
	}
	err = h.db.Write(ctx, func(q *historydb.Queries) error {
		return q.DropUnpassed(ctx, historydb.DropUnpassedParams{Until: until, GivenFrom: newest + 1})
	})
	if err != nil {
		return err
	}
	h.log.Warn("recent points given up: a follower is too far behind", "until", history.Micros(newest))
	return h.deleteRecent(ctx, until, history.Micros(newest)+1)
}

// deleteRecent deletes the rows up to until that are older than before.
func (h *Store) deleteRecent(ctx context.Context, until int64, before history.Micros) error {
	for {
		var deleted []int64
		err := h.db.Write(ctx, func(q *historydb.Queries) (err error) {
			deleted, err = q.DeleteRecent(ctx, historydb.DeleteRecentParams{Until: until, Before: int64(before), Lim: deleteRows})
			if err == nil && len(deleted) > 0 {
				err = q.NoteRecent(ctx, historydb.NoteRecentParams{RecentFrom: int64(before), Emptied: slices.Max(deleted)})
			}
			return err
		})
		if err != nil || len(deleted) == 0 {
			return err
		}
	}
}
