package db

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
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

	present                       atomic.Pointer[target]
	reader, writer                *prepared
	readConnector, writeConnector *connector
	counter                       *counter

	mu        sync.Mutex // guards what follows
	cause     error      // why there is no target, or was none before the present one
	last      *identity  // the file that was open last, as last seen; nil before the first
	gone      bool       // nothing was at the path since
	lastWrite error      // how the last write failed, nil if it did not
	closed    bool       // for good
	integrity Integrity
	reading   map[*context.CancelFunc]bool // ends what reads the whole file
	held      *Hold                        // says to others that the file is in use

	watched  atomic.Bool
	readings atomic.Int64
	feed     *feed
	sharing  sharing
	endings  endings
	copied   identity // the file of which a copy was made before changing it; for Open only
}

// Prepare returns a DB that is not open yet: Open opens it once, Run opens it and keeps it open.
func Prepare(config Config, log *slog.Logger) *DB {
	d := &DB{config: config, log: log, reading: map[*context.CancelFunc]bool{}, feed: newFeed()}
	d.cause = unavailable(Opening, nil, "the database is being opened")
	d.writeConnector = &connector{present: &d.present, cause: d.why, write: true}
	d.readConnector = &connector{present: &d.present, cause: d.why}
	d.writer = &prepared{pool: newPool(d.writeConnector, 1)}
	d.reader = &prepared{pool: newPool(d.readConnector, readers())}
	d.counter = &counter{from: d.readConnector}
	if config.Path == Memory {
		d.reader.pool.Close()
		d.reader = d.writer // a database in memory belongs to its one connection
	}
	d.Queries = New(d.reader)
	return d
}

// Reader is what the queries of a file of another kind read by.
func (d *DB) Reader() DBTX { return d.reader }

// Generation is another value whenever another file was opened, or the same one anew.
func (d *DB) Generation() any { return d.present.Load() }

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
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed {
		return d.why()
	}
	t, err := d.attempt(ctx)
	if err != nil {
		d.close(err)
		return d.why()
	}
	d.publish(ctx, t)
	return nil
}

// publish makes t the present target. The cause stays as it was: a connector that found no target a
// moment ago may still be about to read it.
func (d *DB) publish(ctx context.Context, t *target) {
	d.mu.Lock()
	d.lastWrite = nil
	if t.path != "" {
		d.last, d.gone = t.seen.Load(), false
	}
	old := t
	if !d.closed {
		old = d.present.Swap(t)
	}
	d.mu.Unlock()
	if old != nil {
		old.dropSpare()
	}
	if t.path != "" && !t.readOnly {
		// It alone can move the log into the file, so it is the last to be closed. Where the file was replaced
		// once more, it is not waited for: only the caller can open the next one.
		ctx, cancel := context.WithTimeout(ctx, statEvery)
		defer cancel()
		d.writer.pool.PingContext(ctx)
	}
}

// close ends all connections, as soon as they are free. Calls fail with err from now on.
func (d *DB) close(err error) {
	var u *Unavailable
	if !errors.As(Classify(err), &u) {
		u = unavailable(Failed, err, "the database cannot be opened")
	}
	d.mu.Lock()
	d.cause = u
	if t := d.present.Load(); t != nil && t.path != "" {
		d.last, d.gone = t.seen.Load(), false
	}
	d.gone = d.gone || errors.Is(err, fs.ErrNotExist)
	d.mu.Unlock()
	if t := d.present.Swap(nil); t != nil {
		t.dropSpare()
	}
	d.feed.nudge() // which gives up its connection
	d.mu.Lock()
	for stop := range d.reading {
		(*stop)()
	}
	d.mu.Unlock()
	d.closeIdle()
}

// closeIdle closes what is not in use, the writer when all others are gone: it alone can move the log into
// the file, if it is the last. It says whether nothing is left.
func (d *DB) closeIdle() bool {
	purge := func(p *prepared) {
		p.pool.SetMaxIdleConns(-1)
		p.pool.SetMaxIdleConns(readers())
	}
	if d.reader != d.writer {
		purge(d.reader)
	}
	d.counter.release(d.present.Load())
	if !d.readersGone() {
		return false
	}
	purge(d.writer)
	return d.writeConnector.live.Load() == 0
}

// readersGone says whether no connection is left but the writer's. The pools' own statistics count requests that
// wait for a connection, too.
func (d *DB) readersGone() bool { return d.readConnector.live.Load()+d.readings.Load() == 0 }

// connection returns the writer's connection, unless others need it for longer than a moment.
func (d *DB) connection(ctx context.Context) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, statEvery)
	defer cancel()
	return d.writer.pool.Conn(ctx)
}

// outlast waits until all readers of a file that was closed are gone. It is for who holds the writer's connection, which
// would be closed before them otherwise.
func (d *DB) outlast(ctx context.Context) {
	for ; !d.readersGone() && ctx.Err() == nil; d.closeIdle() {
		time.Sleep(drainEvery)
	}
}

const drainEvery = 20 * time.Millisecond

// drained waits until no connection is left that belongs to a file that was closed.
func (d *DB) drained(ctx context.Context) bool {
	for range 100 {
		if d.closeIdle() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(drainEvery):
		}
	}
	return false
}

// closeWait is how long Close waits for those in use.
const closeWait = 2 * time.Second

// Close ends all connections for good, after those in use are done, for which it waits a moment. SQLite
// moves the -wal into the file when the last connection to it ends, if that may write: so the writer's is the last.
func (d *DB) Close() error {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	last, err := d.connection(ctx)
	d.close(unavailable(Closed, nil, "data-api is shutting down"))
	if err == nil {
		d.outlast(ctx)
		last.Close()
	}
	d.drained(ctx)
	err = errors.Join(d.reader.pool.Close(), d.writer.pool.Close())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held.Release()
	d.held = nil
	return err
}
