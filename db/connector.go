package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
)

// target is an opened database file. Connections belong to one and end with it.
type target struct {
	writer, reader string // DSNs; writer is "" where the file can only be read
	identity       identity
	readOnly       bool
}

// reopenWait is how long a request waits while one file follows another.
const reopenWait = time.Second

// connector connects to the present target. It stands under a sql.DB that lives as long as the
// process, so that statements prepared on one file move to the next by themselves.
type connector struct {
	present *atomic.Pointer[target]
	cause   func() error // why there is no target
	write   bool
}

// Connect returns a connection to the present target, or an error that is ErrUnavailable.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	t := c.present.Load()
	for end := time.Now().Add(reopenWait); t == nil && c.cause() == errReopening && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(time.Millisecond)
		t = c.present.Load()
	}
	switch {
	case t == nil:
		return nil, c.cause()
	case c.write && t.readOnly:
		return nil, unavailable(ReadOnly, nil, "the database is on a read-only file system")
	}
	dsn := t.reader
	if c.write {
		dsn = t.writer
	}
	inner, err := (&sqlite.Driver{}).Open(dsn)
	if err != nil {
		return nil, Classify(err)
	}
	return &conn{full: inner.(full), of: t, present: c.present}, nil
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
	NewBackup(destination string) (*sqlite.Backup, error)
}

// conn is a connection that knows the target it belongs to.
type conn struct {
	full
	of      *target
	present *atomic.Pointer[target]
}

// ResetSession refuses a connection to a file that is no longer the present one, before its next use.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.present.Load() != c.of {
		return driver.ErrBadConn
	}
	if inner, ok := c.full.(driver.SessionResetter); ok {
		return inner.ResetSession(ctx)
	}
	return nil
}

// IsValid refuses it after use, so that it is closed and not kept.
func (c *conn) IsValid() bool {
	if c.present.Load() != c.of {
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
