package main

import (
	"io"
	"sync"
	"time"
)

// gatherer passes lines on at once where they are rare, and those that follow soon after one another together: a
// service that answers thousands of requests a second would spend a sixth of its time waking whoever reads its log.
// A process that is killed while it is busy loses the lines of the last moment. It is safe for concurrent use.
type gatherer struct {
	to    io.Writer
	pause time.Duration // between two writes, where there is more than one
	most  int           // bytes that are kept

	mu      sync.Mutex
	kept    []byte
	waiting *time.Timer // nil where the last write was long enough ago
}

// gather gathers lines for a tenth of a second at most.
func gather(to io.Writer) *gatherer {
	return &gatherer{to: to, pause: 100 * time.Millisecond, most: 64 << 10}
}

// Write takes whole lines. It gives the error of the lines that it passes on, if it passes on any.
func (g *gatherer) Write(lines []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.waiting == nil {
		g.waiting = time.AfterFunc(g.pause, g.rest)
		return g.to.Write(lines)
	}
	g.kept = append(g.kept, lines...)
	if len(g.kept) < g.most {
		return len(lines), nil
	}
	return len(lines), g.pass()
}

// rest ends a pause.
func (g *gatherer) rest() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.kept) == 0 {
		g.waiting = nil
		return
	}
	g.pass() // there is nowhere to say that it failed
	g.waiting.Reset(g.pause)
}

// Flush passes on what is kept.
func (g *gatherer) Flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pass()
}

func (g *gatherer) pass() error {
	if len(g.kept) == 0 {
		return nil
	}
	_, err := g.to.Write(g.kept)
	g.kept = g.kept[:0]
	return err
}
