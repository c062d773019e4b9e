package db

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// How often the watch looks.
const (
	statEvery    = 250 * time.Millisecond // at the file from outside: replaced, gone, overwritten
	probeEvery   = 2 * time.Second        // into the file, by a connection with nothing cached
	retryEvery   = time.Second            // to open what is not open
	upgradeEvery = 5 * time.Second        // whether a read-only file can be written again
)

// watch is what Run remembers between looks.
type watch struct {
	*DB
	tried, probed time.Time // when last
	commits       int64     // ours, at the last look
	moved         int64     // ours that are in the main file
	ours          bool      // whether we wrote to the main file since the last look
}

// Run opens the database and keeps it open until ctx ends: it tries again what failed, moves to a file
// that took the place of the open one, and closes a file that is gone or damaged until it is put right.
// It returns nil after ctx has ended; Close is the caller's.
func (d *DB) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return every(ctx, statEvery, (&watch{DB: d}).look) })
	g.Go(func() error { return every(ctx, statEvery, (&auditor{DB: d}).look) })
	return g.Wait()
}

// every calls look at once and then again and again until ctx ends.
func every(ctx context.Context, pause time.Duration, look func(context.Context)) error {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for ctx.Err() == nil {
		look(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

func (w *watch) look(ctx context.Context) {
	t := w.present.Load()
	switch {
	case t == nil:
		w.retry(ctx)
		return
	case w.config.Path == Memory || !w.still(ctx, t):
		return
	}
	w.moveLog(ctx)
	if time.Since(w.probed) >= probeEvery {
		w.probed = time.Now()
		if err := probe(ctx, t); reasonOf(err) == Corrupt || reasonOf(err) == Missing {
			w.lose(err)
			return
		}
	}
	if t.readOnly && time.Since(w.tried) >= upgradeEvery {
		w.upgrade(ctx)
	}
}

// retry opens what is not open.
func (w *watch) retry(ctx context.Context) {
	if time.Since(w.tried) < retryEvery {
		return
	}
	w.tried = time.Now()
	before := reasonOf(w.why())
	err := w.Open(ctx)
	switch {
	case err == nil:
		w.probed = time.Now()
		w.commits, w.moved = w.DB.commits.Load(), w.DB.commits.Load()
		w.log.Info("database open", "path", w.config.Path, "read_only", w.present.Load().readOnly)
	case reasonOf(err) != before && ctx.Err() == nil:
		w.log.Error("database not open", "path", w.config.Path, "reason", reasonOf(err), "error", err)
	}
}

// lose closes the file and says why. The next look tries to open it again.
func (w *watch) lose(err error) {
	w.close(err)
	w.log.Error("database closed", "path", w.config.Path, "reason", reasonOf(w.why()), "error", w.why())
	w.tried = time.Time{}
}

// still looks whether the file at the path is the one that is open, and moves on where it is not.
func (w *watch) still(ctx context.Context, t *target) bool {
	now, err := identify(w.config.Path)
	commits := w.DB.commits.Load()
	ours := w.ours || commits != w.commits || w.writer.pool.Stats().InUse > 0
	w.commits, w.ours = commits, false
	switch {
	case err != nil:
		w.lose(unavailable(Missing, err, "the database file is gone or cannot be seen"))
		return false
	case !t.identity.sameFile(now):
		w.log.Warn("database file replaced", "path", w.config.Path)
		w.reopen(ctx, t)
		return false
	case !t.identity.sameContent(now) && !ours:
		// Another process moved its log into the file, or copied another database over it. Only when
		// all connections have ended does SQLite look at the file with new eyes.
		w.reopen(ctx, t)
		return false
	}
	t.identity = now
	return true
}

// reopen ends all connections and opens the file at the path. Requests that come meanwhile wait.
func (w *watch) reopen(ctx context.Context, old *target) {
	w.close(errReopening)
	if w.drained(ctx) {
		if moved, err := setAsideLog(w.config.Path, old.identity); err != nil {
			w.log.Error("log of the replaced database is in the way", "path", w.config.Path, "error", err)
		} else if moved {
			w.log.Warn("log of the replaced database set aside", "path", w.config.Path)
		}
	}
	w.tried = time.Time{}
	w.retry(ctx)
}

// moveLog moves what was committed from the -wal into the main file once the writer has paused, so that
// a power cut costs little, and a file that was damaged from outside is seen to be.
func (w *watch) moveLog(ctx context.Context) {
	commits := w.DB.commits.Load()
	if commits == w.moved || w.writer.pool.Stats().InUse > 0 {
		return
	}
	if _, err := w.writer.pool.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err == nil {
		w.moved, w.ours = commits, true
	}
}

// upgrade moves from reading to writing when the file allows it again.
func (w *watch) upgrade(ctx context.Context) {
	w.tried = time.Now()
	if t, err := w.openWritable(ctx); err == nil {
		w.present.Store(t)
		w.log.Info("database can be written again", "path", w.config.Path)
	}
}
