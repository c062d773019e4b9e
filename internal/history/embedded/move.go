package embedded

import (
	"context"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Bounds of a move. The first bounds what a reader has to look through, the other two for how long a
// transaction keeps writers waiting.
const (
	moveRows     = 100_000 // rows of recent in a round
	moveSeries   = 100     // entities in a transaction
	movePerWrite = 5_000   // points in a transaction, if there is more than one entity
)

// move puts points from recent to their places, and sums up the hours that they are in: all there are now.
// It may be stopped anywhere, also by a kill, and is then done again: putting a point to its place twice
// changes nothing, and what holds where is noted in the same transactions (see keeping).
func (h *Store) move(ctx context.Context) error {
	newest, err := h.db.NewestID(ctx)
	if err != nil {
		return err
	}
	for {
		k, err := h.db.GetKeeping(ctx)
		if err != nil || k.Moved >= newest {
			return err
		}
		if err := h.moveRound(ctx, k, min(newest, k.Moved+moveRows)); err != nil {
			return err
		}
	}
}

// moveRound moves the rows up to until. A round that was stopped is finished with the rows that it had, so
// that what is noted of it remains true.
func (h *Store) moveRound(ctx context.Context, k historydb.Keeping, until int64) error {
	if k.MovingID > k.Moved {
		until = k.MovingID
	}
	moving, err := h.db.ListMoving(ctx, historydb.ListMovingParams{Moved: k.Moved, Until: until})
	if err != nil {
		return err
	}
	oldest := history.Forever
	for left := moving; len(left) > 0; {
		n := portion(left)
		if err := h.moveSome(ctx, k.Moved, until, left[:n]); err != nil {
			return err
		}
		left = left[n:]
	}
	for _, m := range moving {
		oldest = min(oldest, history.Micros(m.Earliest))
		if m.Earliest < k.RawFrom {
			h.log.Warn("points came too late to be kept", "before", history.Micros(k.RawFrom))
		}
	}
	return h.db.Write(ctx, func(q *historydb.Queries) error {
		return q.NoteMoved(ctx, historydb.NoteMovedParams{Moved: until, Oldest: int64(oldest)})
	})
}

// portion is how many entities are moved in one transaction.
func portion(moving []historydb.ListMovingRow) int {
	n, points := 0, int64(0)
	for n < min(len(moving), moveSeries) && (n == 0 || points+moving[n].Count <= movePerWrite) {
		points += moving[n].Count
		n++
	}
	return n
}

func (h *Store) moveSome(ctx context.Context, moved, until int64, some []historydb.ListMovingRow) error {
	last := some[len(some)-1].E
	return h.db.Write(ctx, func(q *historydb.Queries) error {
		err := q.MovePoints(ctx, historydb.MovePointsParams{Moved: moved, Until: until, FirstE: some[0].E, LastE: last})
		if err != nil {
			return err
		}
		for _, m := range some {
			if err := sumUp(ctx, q, m.E, history.Micros(m.Earliest), history.Micros(m.Latest)); err != nil {
				return err
			}
		}
		return q.NoteMoving(ctx, historydb.NoteMovingParams{MovingID: until, MovingE: last})
	})
}

// sumUp sums up the hours of a row in which points came, between first and last. What the last one holds goes
// on into hours after, so the next hour that has points is summed up too, and those after it until one knows
// a state: changes are counted from that.
func sumUp(ctx context.Context, q *historydb.Queries, e int64, first, last history.Micros) error {
	k, err := q.GetKeeping(ctx)
	if err != nil {
		return err
	}
	v := &view{Keeping: k, q: q}
	from, until := hourOf(max(first, v.raw())), hourOf(last)+1
	if err := v.sumUpHours(ctx, e, from, until); err != nil {
		return err
	}
	for {
		next, err := q.NextHour(ctx, historydb.NextHourParams{E: e, FromHour: int64(until)})
		if nothing, err := none(err); nothing || err != nil {
			return err
		}
		until = history.Micros(next.Hour) + 1
		if err := v.sumUpHours(ctx, e, until-1, until); err != nil || next.LastState != nil {
			return err
		}
	}
}

// sumUpHours sums up the hours from one until another, which lie after what is kept as hours only.
func (v *view) sumUpHours(ctx context.Context, e int64, from, until history.Micros) error {
	if from >= until {
		return nil
	}
	edges := make([]history.Micros, 0, until-from+1)
	for hour := from; hour <= until; hour++ {
		edges = append(edges, hour*history.Hour)
	}
	var sum *history.Summarizer
	var failure error
	q := history.BucketQuery{Edges: edges, Parts: history.All, Now: history.Forever}
	sum = history.NewSummarizer(q, 0, func(b history.Bucket, _ error) bool {
		if b.Count == 0 {
			return true
		}
		row, err := hourly(e, edges[b.Index], &b.Summary, sum.Holding())
		if err == nil {
			err = v.q.SaveHour(ctx, row)
		}
		failure = err
		return err == nil
	})
	b := bucketer{view: v, sources: []source{{e, history.Always, history.Forever}}, border: history.Always, sum: sum}
	if _, err := b.run(ctx, q); err != nil {
		return err
	}
	return failure
}
