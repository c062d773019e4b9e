package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// DB is the metadata of a home in a SQLite file: the generated queries, which read, and Write.
//
// A DB is usable from the start and for as long as the process lives. While the file is not open (not
// yet, or because it is gone, damaged or locked) each call fails with ErrUnavailable, and as soon as
// Run has opened it, or opened it anew, calls succeed. It is safe for concurrent use.
type DB struct {
	*Queries
	config Config
	log    *slog.Logger

	present atomic.Pointer[target]
	reader  *prepared
	writer  *prepared

	mu        sync.Mutex // guards what follows
	cause     error      // why there is no target
	opened    bool       // a file was open in this process: it is not made anew
	lastWrite error      // how the last write failed, nil if it did not
	integrity Integrity

	commits atomic.Int64
}

// Prepare returns a DB that is not open yet: Open opens it once, Run opens it and keeps it open.
func Prepare(config Config, log *slog.Logger) *DB {
	d := &DB{config: config, log: log}
	d.cause = unavailable(Opening, nil, "the database is being opened")
	write := &connector{present: &d.present, cause: d.why, write: true}
	if config.Path == Memory {
		d.writer = &prepared{pool: newPool(write, 1)}
		d.reader = d.writer // a database in memory belongs to its one connection
	} else {
		d.writer = &prepared{pool: newPool(write, 1)}
		d.reader = &prepared{pool: newPool(&connector{present: &d.present, cause: d.why}, readers())}
	}
	d.Queries = New(d.reader)
	return d
}

// errReopening is the cause while one file follows another: the connector waits for it to pass.
var errReopening = unavailable(Opening, nil, "the database file changed and is being opened anew")

func (d *DB) why() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cause
}

// Open opens the file once: it is made if it is not there, and migrated if it is older. The error is
// ErrUnavailable. Where the file system is read-only, the file is opened for reading, and that is no error.
func (d *DB) Open(ctx context.Context) error {
	t, err := d.attempt(ctx)
	if err != nil {
		d.close(err)
		return d.why()
	}
	d.mu.Lock()
	d.cause, d.opened = nil, true
	d.mu.Unlock()
	d.present.Store(t)
	return nil
}

// close ends all connections, as soon as they are free. Calls fail with err from now on.
func (d *DB) close(err error) {
	var u *Unavailable
	if !errors.As(Classify(err), &u) {
		u = unavailable(Failed, err, "the database cannot be opened")
	}
	d.mu.Lock()
	d.cause = u
	d.mu.Unlock()
	d.present.Store(nil)
	for _, p := range []*prepared{d.reader, d.writer} {
		p.pool.SetMaxIdleConns(-1) // closes the idle ones
		p.pool.SetMaxIdleConns(readers())
	}
}

// drained waits until no connection is left that belongs to a file that was closed.
func (d *DB) drained(ctx context.Context) bool {
	for range 100 {
		if d.reader.pool.Stats().OpenConnections+d.writer.pool.Stats().OpenConnections == 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// Close ends all connections for good, after those in use are done. SQLite moves the -wal into the
// file when the last connection to it ends.
func (d *DB) Close() error {
	d.close(unavailable(Closed, nil, "data-api is shutting down"))
	return errors.Join(d.reader.pool.Close(), d.writer.pool.Close())
}

func (d *DB) attempt(ctx context.Context) (*target, error) {
	if d.config.Path == Memory {
		return d.openMemory(ctx)
	}
	if err := d.make(); err != nil {
		return nil, err
	}
	t, err := d.openWritable(ctx)
	if r := reasonOf(err); r == ReadOnly || r == Missing {
		if ro, roErr := d.openReadOnly(ctx); roErr == nil {
			return ro, nil
		}
	}
	return t, err
}

// make makes the file and its folder, but only where this process has not had it open: a database that
// vanished is not replaced by an empty one.
func (d *DB) make() error {
	path := d.config.Path
	_, err := os.Stat(path)
	d.mu.Lock()
	opened := d.opened
	d.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return unavailable(Missing, err, "the database file cannot be seen")
	case opened:
		return unavailable(Missing, nil, "the database file is gone: put it back, or restart data-api for an empty one")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return unavailable(Missing, err, "the folder for the database cannot be made")
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return unavailable(Missing, err, "the database file cannot be made")
	}
	return file.Close()
}

func (d *DB) openMemory(ctx context.Context) (*target, error) {
	t := &target{writer: d.config.writerDSN(d.config.Timeout)}
	d.present.Store(t)
	c, err := d.writer.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	_, err = migrate(ctx, c)
	return t, err
}

// openWritable opens the file for reading and writing, and brings its schema up to date.
func (d *DB) openWritable(ctx context.Context) (*target, error) {
	before, err := identify(d.config.Path)
	if err != nil {
		return nil, unavailable(Missing, err, "the database file cannot be seen")
	}
	pool := newPool(rawConnector(d.config.writerDSN(d.config.Timeout)), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := d.prepareSchema(ctx, c); err != nil {
		return nil, err
	}
	if err := probeWritable(ctx, c); err != nil {
		return nil, err
	}
	after, err := identify(d.config.Path)
	if err != nil || !before.sameFile(after) {
		return nil, unavailable(Missing, err, "the database file was replaced while it was being opened")
	}
	return &target{
		writer:   d.config.writerDSN(d.config.Timeout),
		reader:   d.config.readerDSN(false),
		identity: after,
	}, nil
}

// prepareSchema migrates what is older, after a copy of it was put beside it.
func (d *DB) prepareSchema(ctx context.Context, c *sql.Conn) error {
	s, err := inspect(ctx, c)
	if err != nil || len(s.pending) == 0 {
		return err
	}
	d.mu.Lock()
	opened := d.opened
	d.mu.Unlock()
	if s.empty && opened {
		return unavailable(Corrupt, nil, "the database file is empty: put back a copy, or restart data-api to begin anew")
	}
	if err := d.keepCopy(ctx, c, s); err != nil {
		return err
	}
	applied, err := migrate(ctx, c)
	if err != nil {
		return err
	}
	if len(applied) > 0 {
		d.log.Info("database migrated", "path", d.config.Path, "applied", applied)
	}
	return nil
}

// keepCopy puts a copy of a file that is about to be changed beside it.
func (d *DB) keepCopy(ctx context.Context, c *sql.Conn, s schema) error {
	path := d.config.Path
	switch {
	case s.empty:
		return nil
	case s.predecessor:
		to := path + ".before-data-api"
		d.log.Info("taking over the metadata of the service before data-api", "path", path, "copy", to)
		return copyFile(ctx, c, to)
	}
	prefix := path + ".before-migration-"
	to := prefix + time.Now().UTC().Format(stamp)
	d.log.Info("copying the database before migrating it", "path", path, "copy", to)
	if err := copyFile(ctx, c, to); err != nil {
		return err
	}
	return keepNewest(2, prefix+"*")
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
	dsn := d.config.readerDSN(false)
	err = d.checkReadable(ctx, dsn)
	if err != nil && (id.wal == nil || id.wal.Size() == 0) {
		dsn = d.config.readerDSN(true) // nobody writes: SQLite may do without the -shm that it cannot make
		err = d.checkReadable(ctx, dsn)
	}
	if err != nil {
		return nil, err
	}
	return &target{reader: dsn, identity: id, readOnly: true}, nil
}

func (d *DB) checkReadable(ctx context.Context, dsn string) error {
	pool := newPool(rawConnector(dsn), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := inspect(ctx, c)
	if err == nil && len(s.pending) > 0 {
		return unavailable(ReadOnly, nil, "the database needs migrating, and is on a read-only file system")
	}
	return err
}
