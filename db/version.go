package db

import (
	"context"
	"database/sql/driver"
	"sync"
)

// Version is what the database is at one moment. As long as it is equal, whatever was read is what would be
// read again: every commit by whomever and every other file makes another one.
type Version struct {
	by      *conn  // the connection that counts, which belongs to one file
	commits uint32 // of all others
}

// Version tells which version is there now; ok is false where that cannot be told, as in memory. What is read
// afterwards is of that version or of a later one.
func (d *DB) Version() (v Version, ok bool) {
	t := d.present.Load()
	if t == nil || t.path == "" {
		return v, false
	}
	return d.counter.count(t)
}

// counter counts commits by a connection that it holds, and that never writes: SQLite tells a connection of the
// commits of others only. It does without database/sql, and takes the count from the pager, as rows of one column take
// four allocations. Looking for commits takes system calls, so it is only done when the head of the log has changed.
type counter struct {
	from *connector

	mu   sync.Mutex
	held *conn // nil where there is none
	look driver.StmtExecContext
	head *logHead // of held; nil where it has none
	seen logHead  // before last was looked for
	last Version  // by held
}

// count tells what others have committed.
func (c *counter) count(t *target) (v Version, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil || c.held.of != t || !c.unchanged() {
		if err := c.lookAt(t); err != nil {
			c.rest()
		}
	}
	return c.last, c.held != nil
}

// unchanged says that nobody has committed since somebody looked. That it is false says nothing.
func (c *counter) unchanged() bool {
	now, ok := c.head.read()
	return ok && now == c.seen
}

func (c *counter) lookAt(t *target) error {
	if c.held == nil || c.held.of != t {
		c.rest()
		if err := c.hold(t); err != nil {
			return err
		}
	}
	var ok bool
	if c.seen, ok = c.head.read(); !ok {
		c.head = nil
	}
	commits, err := c.ask()
	c.last = Version{c.held, commits}
	return err
}

// ask has the pager look whether others have committed, and returns what it counts.
func (c *counter) ask() (commits uint32, err error) {
	if _, err := c.look.ExecContext(context.Background(), nil); err != nil {
		return 0, err
	}
	return c.held.FileControlDataVersion("main")
}

// hold takes a connection to the target. It waits for nothing: until there is one, nobody knows the version.
func (c *counter) hold(t *target) (err error) {
	if c.held, err = c.from.open(func(t *target) (*conn, error) { return t.connect(t.counter) }); err != nil {
		c.held = nil
		return err
	}
	if c.held.of != t {
		return driver.ErrBadConn
	}
	s, err := c.held.PrepareContext(context.Background(), "PRAGMA data_version")
	if err != nil {
		return err
	}
	c.look = s.(driver.StmtExecContext)
	c.head = c.held.mapLogHead()
	return nil
}

// release gives up the connection, where it belongs to another file than the present one.
func (c *counter) release(present *target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil && c.held.of != present {
		c.rest()
	}
}

func (c *counter) rest() {
	if s, ok := c.look.(driver.Stmt); ok {
		s.Close()
	}
	c.head = nil // the memory of which goes with the connection
	if c.held != nil {
		c.held.Close()
	}
	c.held, c.look = nil, nil
}
