package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/libc"
	"modernc.org/sqlite"

	datasql "dataapi/sql"
)

// target is an opened database file. Connections belong to one and end with it.
type target struct {
	kind     datasql.Kind
	path     string                   // of the file; "" in memory
	writer   string                   // a DSN, as those below; "" where the file can only be read
	reader   string                   // which changes nothing
	counter  string                   // which only counts commits
	seen     atomic.Pointer[identity] // the file, as it was last seen
	readOnly bool
	open     atomic.Int64         // connections
	opening  sync.RWMutex         // held by who opens one, for writing by who is to be alone with the file
	spare    atomic.Pointer[conn] // a reader that was opened to see whether the file can be read, until somebody needs one
}

// reading returns the spare reader, or another.
func (t *target) reading() (*conn, error) {
	c := t.spare.Swap(nil)
	switch {
	case c == nil:
		return t.connect(t.reader)
	case t.displaced() || t.lostLog():
		c.Close()
		return nil, errReopening
	}
	return c, nil
}

// dropSpare ends the spare reader, if it is still there.
func (t *target) dropSpare() {
	if c := t.spare.Swap(nil); c != nil {
		c.Close()
	}
}

// displaced says whether another file, or none, is now where the target was.
func (t *target) displaced() bool {
	return t.path != "" && !t.seen.Load().sameFile(glance(t.path))
}

// lostLog says whether the log was removed or replaced. The connections that were open still have it. Those that
// would be opened now would have another, and yet take from the old ones what is in it.
func (t *target) lostLog() bool {
	if t.path == "" || t.readOnly {
		return false
	}
	seen := t.seen.Load()
	wal, err := os.Stat(seen.path + "-wal")
	if err != nil {
		wal = nil
	}
	return seen.lostLog(identity{wal: wal})
}

// connect opens a connection to the file and the log of the target, and to no others that are there meanwhile.
func (t *target) connect(dsn string) (*conn, error) {
	t.opening.RLock()
	c, err := t.connectUnless(t.lostLog, dsn)
	t.opening.RUnlock()
	if err == errReopening && t.lostLog() {
		return t.connectAlone(dsn)
	}
	return c, err
}

// connectAlone opens a connection where there is no other, so that no other has a log that was lost: the last one took
// it along when it was closed, as SQLite has it. This one makes the next.
func (t *target) connectAlone(dsn string) (*conn, error) {
	t.opening.Lock()
	defer t.opening.Unlock()
	if t.open.Load() > 0 {
		return nil, errReopening // as soon as the watch has seen it
	}
	c, err := t.connectUnless(func() bool { return false }, dsn)
	if err != nil {
		return nil, err
	}
	now, err := identify(t.path)
	if err != nil || now.wal == nil {
		c.Close()
		return nil, errReopening
	}
	now.file = t.seen.Load().file
	t.seen.Store(&now)
	return c, nil
}

func (t *target) connectUnless(lost func() bool, dsn string) (*conn, error) {
	if t.displaced() || lost() {
		return nil, errReopening
	}
	opened, err := openAndRead(dsn)
	if t.displaced() || lost() {
		err = errReopening // and if something else is wrong as well, it is because of that
	}
	if err != nil {
		if opened != nil {
			opened.Close()
		}
		return nil, Classify(err)
	}
	t.open.Add(1)
	return newConn(opened, t), nil
}

// openAndRead opens a connection and the log, which is opened by reading. The connection may be there with an error.
func openAndRead(dsn string) (full, error) {
	opened, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, err
	}
	c := opened.(full)
	_, err = c.ExecContext(context.Background(), "PRAGMA user_version", nil)
	return c, err
}

// pool returns a pool of one connection to the target that only reads, for those who hold it for long. They are to
// use it by whileOpen.
func (t *target) pool() *sql.DB { return newPool(targetConnector{t}, 1) }

// targetConnector connects to a target, whether it is the present one or not yet.
type targetConnector struct{ *target }

// Connect returns a connection that only reads.
func (c targetConnector) Connect(context.Context) (driver.Conn, error) {
	return c.connect(c.reader)
}

// Driver returns the driver below.
func (c targetConnector) Driver() driver.Driver { return &sqlite.Driver{} }

// changed says whether the file is displaced or was written to, but not by us, since it was last seen. It
// is only to be asked while holding the writer's connection, which is also used to move the log.
func (t *target) changed() bool {
	return t.path != "" && !t.seen.Load().sameContent(glance(t.path))
}

// reopenWait is how long a request waits while one file follows another, which takes a second and more where
// the processor is busy or the disk is slow.
const reopenWait = 4 * time.Second

// connector connects to the present target. It stands under a sql.DB that lives as long as the
// process, so that statements prepared on one file move to the next by themselves.
type connector struct {
	present *atomic.Pointer[target]
	cause   func() error // why there is no target
	write   bool
	live    atomic.Int64 // connections, those about to be opened included
}

// Connect returns a connection to the present target, or an error that is ErrUnavailable. While one file follows
// another, readers wait here. Writers wait where they begin, as the one place of their pool is needed meanwhile.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	for end := time.Now().Add(reopenWait); ; time.Sleep(time.Millisecond) {
		opened, err := c.open(c.to)
		if err == nil {
			return opened, nil
		}
		if err != errReopening || c.write || ctx.Err() != nil || time.Now().After(end) {
			return nil, err
		}
	}
}

// to connects to a target as the pool needs it.
func (c *connector) to(t *target) (*conn, error) {
	if c.write {
		return t.connect(t.writer)
	}
	return t.reading()
}

// open counts before it looks which file is the present one, so that who takes that away and then
// finds no connection can be sure that none will come.
func (c *connector) open(to func(*target) (*conn, error)) (_ *conn, err error) {
	c.live.Add(1)
	defer func() {
		if err != nil {
			c.live.Add(-1)
		}
	}()
	t := c.present.Load()
	switch {
	case t == nil:
		return nil, c.cause()
	case c.write && t.readOnly:
		return nil, unavailable(ReadOnly, nil, "the database is on a read-only file system")
	}
	inner, err := to(t)
	if err != nil {
		return nil, err
	}
	inner.from = c
	return inner, nil
}

// Driver returns the driver below.
func (c *connector) Driver() driver.Driver { return &sqlite.Driver{} }

// full is what database/sql makes use of in a connection of the driver.
type full interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	sqlite.FileControl
	NewBackup(destination string) (*sqlite.Backup, error)
}

// conn is a connection that knows the target it belongs to.
type conn struct {
	full
	of     *target
	from   *connector // nil where it is used as long as it is held, whatever is the present target
	handle uintptr    // a sqlite3*; 0 where the driver does not have it
	thread *libc.TLS  // for calls of SQLite
	closed sync.Once
}

func newConn(opened full, of *target) *conn {
	c := &conn{full: opened, of: of, handle: member(opened, "db"), thread: libc.NewTLS()}
	c.dropMutex()
	return c
}

// Close ends the connection.
func (c *conn) Close() error {
	defer c.closed.Do(func() {
		c.of.open.Add(-1)
		if c.from != nil {
			c.from.live.Add(-1)
		}
		c.thread.Close()
	})
	return c.full.Close()
}

func (c *conn) isPresent() bool { return c.from == nil || c.from.present.Load() == c.of }

// ResetSession refuses a connection to a file that is no longer the present one, before its next use.
func (c *conn) ResetSession(ctx context.Context) error {
	if !c.isPresent() {
		return driver.ErrBadConn
	}
	if inner, ok := c.full.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

// IsValid refuses it after use, so that it is closed and not kept.
func (c *conn) IsValid() bool {
	if !c.isPresent() {
		return false
	}
	inner, ok := c.full.(driver.Validator)
	return !ok || inner.IsValid()
}

var (
	_ driver.SessionResetter = (*conn)(nil)
	_ driver.Validator       = (*conn)(nil)
)

// rawConnector connects to one DSN, for the work around opening.
type rawConnector string

// Connect returns a connection of the driver.
func (dsn rawConnector) Connect(context.Context) (driver.Conn, error) {
	return (&sqlite.Driver{}).Open(string(dsn))
}

// Driver returns the driver below.
func (dsn rawConnector) Driver() driver.Driver { return &sqlite.Driver{} }

// newPool returns a pool of size connections, all of which stay open.
func newPool(c driver.Connector, size int) *sql.DB {
	pool := sql.OpenDB(c)
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool
}
