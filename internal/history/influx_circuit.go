package history

import (
	"sync"
	"time"
)

// circuit keeps requests away from a server that fails, so that nobody waits for it in vain: after five
// failures in a row nothing is asked for ten seconds, and then one request at a time until one is answered.
// The zero value is closed.
type circuit struct {
	mu       sync.Mutex
	failures int
	until    time.Time // it is open where this is set
	probing  bool
}

const (
	circuitFailures = 5
	circuitPause    = 10 * time.Second
)

// enter says whether a request may be sent, and if not, for how long not. Whoever may calls leave.
func (c *circuit) enter(now time.Time) (wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.until.IsZero():
		return 0, true
	case now.Before(c.until):
		return c.until.Sub(now), false
	case c.probing:
		return time.Second, false
	}
	c.probing = true
	return 0, true
}

// answered says that the server has begun to answer, so that others need not wait for the end.
func (c *circuit) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until, c.probing = time.Time{}, false
}

// The ways in which a request can end.
type ending int

const (
	succeeded ending = iota
	failed
	abandoned // by the client, which says nothing about the server
)

func (c *circuit) leave(now time.Time, e ending) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
	switch e {
	case succeeded:
		c.failures, c.until = 0, time.Time{}
	case failed:
		if c.failures++; c.failures >= circuitFailures {
			c.until = now.Add(circuitPause)
		}
	}
}
