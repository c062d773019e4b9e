package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync"
	"time"
)

// Version is what the database is at one moment. As long as it is equal, whatever was read is what would be
// read again: every commit by whomever and every other file makes another one.
type Version struct {
	of      *target
	commits int64 // as one connection counts those of all others
}

// Version tells which version is there now; ok is false where that cannot be told, as in memory. What is read
// afterwards is of that version or of a later one.
func (d *DB) Version() (v Version, ok bool) {
	t := d.present.Load()
	if t == nil || t.path == "" {
		return v, false
	}
	commits, err := d.counter.count(t)
	return Version{of: t, commits: commits}, err == nil
}

// counter counts commits by a connection that it holds, and that never writes: SQLite tells a connection
// of the commits of others only. The statement is run without database/sql, at a third of the time.
type counter struct {
	pool *sql.DB // of one connection

	mu    sync.Mutex
	of    *target // which the connection belongs to; nil where there is none
	held  *sql.Conn
	query driver.StmtQueryContext
	value [1]driver.Value
}

func newCounter(c *connector) *counter {
	pool := newPool(c, 1)
	pool.SetMaxIdleConns(-1)
	return &counter{pool: pool}
}

// counterWait is how long a connection may take to open; until then nobody knows the version.
const counterWait = 100 * time.Millisecond

func (c *counter) count(t *target) (commits int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of != t {
		c.rest()
		err = c.hold(t)
	}
	if err == nil {
		commits, err = c.ask()
	}
	if err != nil {
		c.rest()
	}
	return commits, err
}

func (c *counter) ask() (int64, error) {
	rows, err := c.query.QueryContext(context.Background(), nil)
	if err != nil {
		return 0, err
	}
	err = rows.Next(c.value[:])
	if closing := rows.Close(); err == nil {
		err = closing
	}
	commits, _ := c.value[0].(int64)
	return commits, err
}

// hold takes a connection to the target.
func (c *counter) hold(t *target) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), counterWait)
	defer cancel()
	if c.held, err = c.pool.Conn(ctx); err != nil {
		c.held = nil
		return err
	}
	return c.held.Raw(func(raw any) error {
		own := raw.(*conn)
		if own.of != t {
			return driver.ErrBadConn
		}
		s, err := own.PrepareContext(ctx, "PRAGMA data_version")
		if err != nil {
			return err
		}
		c.query, c.of = s.(driver.StmtQueryContext), t
		return nil
	})
}

// release gives up the connection, where it belongs to another file than the present one.
func (c *counter) release(present *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of != present {
		c.rest()
	}
}

func (c *counter) rest() {
	if s, ok := c.query.(driver.Stmt); ok {
		s.Close()
	}
	if c.held != nil {
		c.held.Close()
	}
	c.of, c.held, c.query = nil, nil, nil
}
