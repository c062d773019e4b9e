package db

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
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
	moved         identity  // the log, all of which is in the main file
	emptied       time.Time // when that log was last to be emptied
}

// Run opens the database and keeps it open until ctx ends: it tries again what failed, moves to a file
// that took the place of the open one, and closes a file that is gone or damaged until it is put right. And
// it looks for changes for those who wait for them. It returns nil after ctx has ended; Close is the caller's.
func (d *DB) Run(ctx context.Context) error {
	d.watched.Store(true)
	defer d.watched.Store(false)
	var g errgroup.Group
	g.Go(func() error { return every(ctx, statEvery, (&watch{DB: d}).look) })
	g.Go(func() error { return every(ctx, statEvery, (&auditor{DB: d}).look) })
	g.Go(func() error { return every(ctx, indexEvery, (&indexer{DB: d}).look) })
	d.feed.run(true)
	g.Go(func() error { return d.follow(ctx) })
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
	if w.shouldMoveLog(t.seen.Load()) {
		w.moveLog(ctx, t)
	}
	if time.Since(w.probed) >= probeEvery {
		w.probed = time.Now()
		c, err := probe(ctx, t)
		if err == nil {
			c.Close()
		}
		switch reasonOf(err) {
		case Corrupt, Missing, Failed:
			w.lose(err)
			return
		}
	}
	if time.Since(w.tried) >= upgradeEvery {
		w.tried = time.Now()
		w.upgrade(ctx, t)
	}
}

// largeLog is the size from which a log is moved whatever KeepLog says.
const largeLog = 32 << 20

func (w *watch) shouldMoveLog(log *identity) bool {
	since := time.Since(w.emptied)
	switch size := sizeOf(log.wal); {
	case size == 0, since < w.config.KeepLog && size < largeLog:
		return false
	default:
		return !log.sameLog(w.moved) || since >= probeEvery
	}
}

// retry opens what is not open.
func (w *watch) retry(ctx context.Context) {
	if time.Since(w.tried) < retryEvery {
		return
	}
	if !w.drained(ctx) && w.shared() {
		return
	}
	before := reasonOf(w.why())
	err := w.Open(ctx)
	w.tried = time.Now()
	switch {
	case err == nil:
		w.probed = time.Now()
		t := w.present.Load()
		w.log.Info("database open", "path", w.config.Path, "read_only", t != nil && t.readOnly)
	case reasonOf(err) != before && ctx.Err() == nil:
		w.log.Error("database not open", "path", w.config.Path, "reason", reasonOf(err), "error", err)
	}
}

// shared says whether a connection that is opened now would take from those that are still open what they know of
// the file and its log. Only when they have ended does SQLite look with new eyes.
func (w *watch) shared() bool {
	w.mu.Lock()
	last := w.last
	w.mu.Unlock()
	return w.readings.Load() > 0 || last != nil && last.sameFile(glance(w.config.Path))
}

// lose closes the file and says why. The next look tries to open it again.
func (w *watch) lose(err error) {
	w.close(err)
	w.log.Error("database closed", "path", w.config.Path, "reason", reasonOf(w.why()), "error", w.why())
	w.tried = time.Time{}
}

// still looks whether the file at the path is the one that is open, and moves on where it is not.
func (w *watch) still(ctx context.Context, t *target) bool {
	seen := t.seen.Load()
	now, err := identify(t.path)
	switch {
	case err != nil:
		w.lose(unavailable(Missing, err, "the database file is gone or cannot be seen"))
		return false
	case seen.sameFile(now) && seen.lostLog(now) && !t.readOnly:
		w.saveLog(ctx, t)
		return false
	case !seen.sameContent(now):
		// Another file, or another database was copied over it, or another process moved its log into it.
		if !seen.sameFile(now) {
			w.log.Warn("database file replaced", "path", t.path)
		}
		w.reopen(ctx)
		return false
	}
	t.seen.Store(&now)
	return true
}

// reopen ends all connections and opens the file at the path. Requests that come meanwhile wait.
func (w *watch) reopen(ctx context.Context) {
	w.close(errReopening)
	w.tried = time.Time{}
	w.retry(ctx)
}

// moveLog moves what was committed, by whichever process, from the -wal into the main file, and empties
// the -wal, once the writer has paused. So a power cut costs little, a file that is damaged from outside is
// seen to be, and one that is copied over it is not mixed with what the log still holds.
func (w *watch) moveLog(ctx context.Context, t *target) {
	if t.readOnly {
		return
	}
	c, err := w.connection(ctx)
	if err != nil {
		return
	}
	defer c.Close()
	if t.changed() {
		return
	}
	seen := t.seen.Load()
	if moveAndEmpty(ctx, c, w.config.Timeout) {
		w.moved, w.emptied = *seen, time.Now()
	}
	if now, err := identify(t.path); err == nil && seen.sameFile(now) && !seen.lostLog(now) {
		t.seen.Store(&now)
	}
}

// moveAndEmpty says whether all of the log is in the main file. Those who still read the log are not waited
// for. Other writers are only kept out while it is emptied, which is short.
func moveAndEmpty(ctx context.Context, c *sql.Conn, timeout time.Duration) bool {
	var busy, inLog, inFile int
	c.ExecContext(ctx, "PRAGMA busy_timeout = 0")
	err := c.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &inLog, &inFile)
	c.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	c.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = "+strconv.FormatInt(timeout.Milliseconds(), 10))
	return err == nil && busy == 0 && inLog == inFile
}

// saveLog moves a log that was removed or replaced into the main file, and opens that anew. The writer still has the
// log, and keeps it until all others are gone, because it goes with the last connection.
func (w *watch) saveLog(ctx context.Context, t *target) {
	c, err := w.connection(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return // somebody is writing, and nobody begins to: the next look will get it
	}
	saved := false
	w.log.Warn("log of the database removed or replaced while it is open", "path", t.path)
	w.close(errReopening)
	if err == nil {
		w.outlast(ctx)
		saved = moveAndEmpty(ctx, c, w.config.Timeout)
		c.Close()
	}
	if !saved && sizeOf(t.seen.Load().wal) > 0 {
		w.log.Error("what was in the log of the database may be lost", "path", t.path, "error", err)
	}
	w.reopen(ctx)
}

// upgrade looks whether a file can be written again that could not.
func (w *watch) upgrade(ctx context.Context, t *target) {
	w.mu.Lock()
	failed := w.lastWrite
	w.mu.Unlock()
	switch {
	case t.readOnly:
		if t, err := w.openWritable(ctx); err == nil && t.settle(ctx) == nil {
			w.publish(ctx, t)
			w.log.Info("database can be written again", "path", w.config.Path)
		}
	case failed != nil:
		ctx, cancel := context.WithTimeout(ctx, retryEvery)
		defer cancel()
		if err := w.tryWriting(ctx); err == nil {
			w.noteWriteFailure(nil)
			w.log.Info("database can be written again", "path", w.config.Path)
		}
	}
}
