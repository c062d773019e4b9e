package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// attempt opens the file, for writing if it can be.
func (d *DB) attempt(ctx context.Context) (*target, error) {
	if d.config.Path == Memory {
		return d.openMemory(ctx)
	}
	if err := d.make(); err != nil {
		return nil, err
	}
	if err := d.hold(); err != nil {
		return nil, err
	}
	d.clearLog()
	t, err := d.openWritable(ctx)
	if r := reasonOf(err); r == ReadOnly || r == Missing {
		ro, roErr := d.openReadOnly(ctx)
		if roErr == nil || reasonOf(roErr) == ReadOnly {
			t, err = ro, roErr
		}
	}
	if err == nil {
		err = t.settle(ctx)
	}
	return t, err
}

// settle reads the file, by which SQLite makes the -wal that it will use, and takes note of what it is.
// Another process may just be moving its log into the file, or somebody may be copying it.
func (t *target) settle(ctx context.Context) error {
	for range 10 {
		before, err := identify(t.path)
		if err != nil || !t.seen.Load().sameFile(before) {
			break
		}
		t.seen.Store(&before)
		c, err := probe(ctx, t)
		if reasonOf(err) == Opening {
			continue
		} else if err != nil {
			return err
		}
		now, err := identify(t.path)
		if err == nil && before.sameContent(now) && before.sameFile(now) {
			t.seen.Store(&now)
			t.spare.Store(c)
			return nil
		}
		c.Close()
	}
	return unavailable(Opening, nil, "the database file is being replaced or changed")
}

// make makes the file and its folder, but only where this process has not had it open: a database that
// vanished is not replaced by an empty one.
func (d *DB) make() error {
	path := d.config.Path
	file, err := os.Stat(path)
	switch {
	case err == nil && file.Size() == 0 && d.opened():
		return errEmptied
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return unavailable(Missing, err, "the database file cannot be seen")
	case d.opened():
		return unavailable(Missing, err, "the database file is gone: put it back, or restart data-api for an empty one")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return unavailable(Missing, err, "the folder for the database cannot be made")
	}
	if err := cmp.Or(d.hold(), errCutOff(path)); err != nil {
		return err
	}
	made, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return unavailable(Missing, err, "the database file cannot be made")
	}
	return made.Close()
}

var errEmptied = unavailable(Corrupt, nil, "the database file is empty: put back a backup with data-api restore, or restart data-api to begin anew")

// opened says whether a file was open in this process.
func (d *DB) opened() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last != nil
}

// clearLog sets aside the log that the file which was open last left behind, if another file is now in
// its place. Of a file that was gone for a while, the number alone does not tell: it may be given anew.
func (d *DB) clearLog() {
	d.mu.Lock()
	last, gone := d.last, d.gone
	d.mu.Unlock()
	now, err := identify(d.config.Path)
	if err != nil || last == nil || last.sameFile(now) && (!gone || last.sameContent(now)) {
		return
	}
	switch moved, err := setAsideLog(*last, now); {
	case err != nil:
		d.log.Error("log of the replaced database is in the way", "path", d.config.Path, "error", err)
	case moved:
		d.log.Warn("log of the replaced database set aside", "path", d.config.Path)
	}
}

func (d *DB) openMemory(ctx context.Context) (*target, error) {
	t := &target{kind: d.config.Kind, writer: d.config.writerDSN()}
	d.present.Store(t)
	c, err := d.writer.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_, err = migrate(ctx, c, d.config.Kind, nil)
	return t, err
}

// openWritable opens the file for reading and writing, and brings its schema up to date.
func (d *DB) openWritable(ctx context.Context) (*target, error) {
	before, err := identify(d.config.Path)
	if err != nil {
		return nil, unavailable(Missing, err, "the database file cannot be seen")
	}
	if err := d.prepareFile(ctx); err != nil {
		return nil, err
	}
	after, err := identify(d.config.Path)
	if err != nil || !before.sameFile(after) {
		return nil, unavailable(Missing, err, "the database file was replaced while it was being opened")
	}
	t := &target{
		kind:    d.config.Kind,
		path:    d.config.Path,
		writer:  d.config.writerDSN(),
		reader:  d.config.readerDSN(false),
		counter: d.config.counterDSN(false),
	}
	t.seen.Store(&after)
	return t, nil
}

// prepareFile makes the file ready for the pools, by a connection that ends before they begin. What is
// not ours, or newer, is left as it is.
func (d *DB) prepareFile(ctx context.Context) error {
	timeout := d.patience()
	pool := newPool(rawConnector(d.config.openingDSN(timeout)), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := inspect(ctx, c, d.config.Kind)
	switch {
	case err != nil:
		return err
	case s.empty && d.opened():
		return errEmptied
	case len(s.pending) > 0:
		if err := d.migrateFile(ctx, c); err != nil {
			return err
		}
	}
	if err := useLog(ctx, c, timeout); err != nil {
		return err
	}
	return probeWritable(ctx, c)
}

// patience is how long opening waits for another process's lock. Run tries again anyhow: meanwhile it says
// what is in the way, and it can be stopped.
func (d *DB) patience() time.Duration {
	if d.watched.Load() {
		return min(d.config.Timeout, retryEvery)
	}
	return d.config.Timeout
}

// migrateFile migrates what is older, after a copy of it was put beside it.
func (d *DB) migrateFile(ctx context.Context, c *sql.Conn) error {
	applied, err := migrate(ctx, c, d.config.Kind, d.keepCopy)
	if err != nil || len(applied) == 0 {
		return err
	}
	d.log.Info("database migrated", "path", d.config.Path, "applied", applied)
	return keepNewest(2, d.config.Path+beforeMigration)
}

// What a copy is called that was made before the file was changed: the path of the file and this.
const (
	beforeMigration = ".before-migration-" // and a time
	beforeTakeover  = ".before-data-api"
)

// keepCopy puts a copy of a file that is about to be changed beside it: one, however often the change
// fails. It is called with the file locked against writers, so that the copy is of what is changed.
func (d *DB) keepCopy(ctx context.Context, s schema) error {
	if s.empty {
		return nil
	}
	now, err := identify(d.config.Path)
	if err != nil {
		return err
	}
	if d.copied.sameContent(now) && sizeOf(d.copied.wal)+sizeOf(now.wal) == 0 {
		return nil
	}
	to := d.config.Path + beforeTakeover
	if !s.predecessor {
		to = d.config.Path + beforeMigration + time.Now().UTC().Format(stamp)
	}
	d.log.Info("copying the database before changing it", "path", d.config.Path, "copy", to, "predecessor", s.predecessor)
	if err := copyFile(ctx, d.config.readerDSN(false), to); err != nil {
		return err
	}
	d.copied = now
	return nil
}

// useLog turns on the write-ahead log, which stays on. SQLite does not always wait here for another
// process that does the same.
func useLog(ctx context.Context, c *sql.Conn, timeout time.Duration) error {
	for end := time.Now().Add(timeout); ; time.Sleep(10 * time.Millisecond) {
		_, err := c.ExecContext(ctx, "PRAGMA journal_mode = WAL")
		if reasonOf(err) != Locked || time.Now().After(end) || ctx.Err() != nil {
			return err
		}
	}
}

// probeWritable says whether the file can be written. Another process's lock is not in the way.
func probeWritable(ctx context.Context, c *sql.Conn) error {
	if _, err := c.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	_, err := c.ExecContext(ctx, "BEGIN IMMEDIATE")
	if reasonOf(err) == Locked {
		return nil
	}
	if err == nil {
		_, err = c.ExecContext(ctx, "ROLLBACK")
	}
	return err
}

// openReadOnly opens a file that this process may not write.
func (d *DB) openReadOnly(ctx context.Context) (*target, error) {
	id, err := identify(d.config.Path)
	if err != nil {
		return nil, err
	}
	immutable := false
	err = d.checkReadable(ctx, d.config.readerDSN(immutable))
	if err != nil && (id.wal == nil || id.wal.Size() == 0) {
		immutable = true // nobody writes: SQLite may do without the -shm that it cannot make
		err = d.checkReadable(ctx, d.config.readerDSN(immutable))
	}
	if err != nil {
		return nil, err
	}
	t := &target{
		kind:     d.config.Kind,
		path:     d.config.Path,
		reader:   d.config.readerDSN(immutable),
		counter:  d.config.counterDSN(immutable),
		readOnly: true,
	}
	t.seen.Store(&id)
	return t, nil
}

func (d *DB) checkReadable(ctx context.Context, dsn string) error {
	pool := newPool(rawConnector(dsn), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := inspect(ctx, c, d.config.Kind)
	if err == nil && len(s.pending) > 0 {
		return unavailable(ReadOnly, nil, "the database needs migrating, and is on a read-only file system")
	}
	return err
}
