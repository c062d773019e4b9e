package auth

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// How wrong keys are slowed down. A client may be wrong a few times at once, and then once in a while; what would have
// to wait too long is turned away. Right keys are never slowed down: who has one is not to suffer from who has none.
// That lets who tries many at a time hear of each that it is wrong, but of 256 random bits there are too many to try.
const (
	freeTries   = 10
	tryPace     = time.Second
	longestWait = 5 * time.Second
	mostWaiting = 256  // requests at a time
	mostClients = 4096 // that are remembered
	warnEvery   = time.Minute
)

// TooMany is a wrong key of a client that has sent too many.
type TooMany struct{ After time.Duration }

func (e TooMany) Error() string {
	return fmt.Sprintf("too many wrong keys came from this address: try again in %d seconds", e.Seconds())
}

// Seconds is After, rounded up.
func (e TooMany) Seconds() int { return int((e.After + time.Second - 1) / time.Second) }

// brake remembers who sent wrong keys: when the client will have none held against it any more.
type brake struct {
	mu      sync.Mutex
	until   map[netip.Addr]time.Time
	waiting int
	wrong   int64
	warned  time.Time
}

// client is what counts as one: of IPv6 a /64, as who has one address of it has all.
func client(from netip.Addr) netip.Addr {
	if from.Is6() {
		if p, err := from.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return from
}

// try counts a wrong key, and says how long it is to wait for its answer, or that it is not to wait at all.
func (b *brake) try(from netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wrong++
	from = b.room(client(from), now)
	until := b.until[from]
	if until.Before(now) {
		until = now
	}
	wait = until.Add(tryPace).Sub(now) - freeTries*tryPace
	if wait > longestWait || wait > 0 && b.waiting >= mostWaiting {
		return wait, false
	}
	b.until[from] = until.Add(tryPace)
	if wait <= 0 {
		return 0, true
	}
	b.waiting++
	return wait, true
}

// room is the client, or, where too many are remembered, one that stands for all the rest.
func (b *brake) room(from netip.Addr, now time.Time) netip.Addr {
	if b.until == nil {
		b.until = map[netip.Addr]time.Time{}
	}
	if _, known := b.until[from]; known || len(b.until) < mostClients {
		return from
	}
	for other, until := range b.until {
		if until.Before(now) {
			delete(b.until, other)
		}
	}
	if len(b.until) < mostClients {
		return from
	}
	return netip.Addr{}
}

func (b *brake) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting--
}

// warn says whether it is time to say that keys are tried, and how many have been.
func (b *brake) warn(now time.Time) (wrong int64, due bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.warned) < warnEvery {
		return 0, false
	}
	b.warned = now
	return b.wrong, true
}

// Wrong counts the wrong keys that were refused since the start.
func (g *Guard) Wrong() int64 {
	if g == nil {
		return 0
	}
	g.brake.mu.Lock()
	defer g.brake.mu.Unlock()
	return g.brake.wrong
}

// Slow counts a wrong key and waits before it may be answered, or until ctx or hurry is done. The error is a TooMany.
func (g *Guard) Slow(ctx context.Context, from netip.Addr, hurry <-chan struct{}) error {
	now := time.Now()
	wait, ok := g.brake.try(from, now)
	if wait <= 0 {
		return nil
	}
	if wrong, due := g.brake.warn(now); due {
		g.Log.Warn("wrong keys are being sent, and slowed down", "from", from.String(), "since_start", wrong)
	}
	if !ok {
		return TooMany{After: max(wait, tryPace)}
	}
	defer g.brake.done()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-hurry:
	}
	return nil
}
