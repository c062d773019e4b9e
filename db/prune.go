package db

import (
	"context"
	"errors"
	"time"
)

const (
	pruneEvery = time.Minute
	pruneAtOne = 500 // changes; so short a transaction is not in the way of others
	prunePause = 100 * time.Millisecond
	believable = 24 * time.Hour // ahead of the newest change
)

// PruneLog deletes changes from the change log as soon as they are older than retention, until ctx ends. It
// writes only where there are some, and leaves the newest change. Cursors from before get ErrGone.
func (d *DB) PruneLog(ctx context.Context, retention time.Duration) error {
	return every(ctx, pruneEvery, func(ctx context.Context) {
		for d.pruneSome(ctx, d.believed(ctx, time.Now()).Add(-retention)) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(prunePause):
			}
		}
	})
}

// believed is the time by which it is judged what is too old: a clock that is ahead of all changes for longer may be
// wrong, and what is deleted does not come back.
func (d *DB) believed(ctx context.Context, now time.Time) time.Time {
	log, err := d.ChangeLog(ctx)
	if err != nil {
		return time.Time{} // it is not known yet
	}
	if known := time.UnixMilli(log.Newest.At).Add(believable); known.Before(now) {
		return known
	}
	return now
}

// pruneSome deletes the oldest changes, and says whether there may be more to delete. What fails is tried
// again later: a log that is too long does no harm.
func (d *DB) pruneSome(ctx context.Context, before time.Time) (more bool) {
	which := FindPrunableParams{Before: timeText(before), Lim: pruneAtOne}
	if _, err := d.FindPrunable(ctx, which); err != nil {
		return false
	}
	err := d.Write(ctx, func(q *Queries) error {
		last, err := q.FindPrunable(ctx, which)
		if err != nil {
			return err
		}
		if _, err := q.PruneChanges(ctx, last.Seq); err != nil {
			return err
		}
		return q.NotePruned(ctx, NotePrunedParams(last))
	})
	if err != nil && !errors.Is(err, ErrNotFound) && ctx.Err() == nil {
		d.log.Warn("change log not pruned", "error", err)
	}
	return err == nil
}
