package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// What a ticket is good for: once, and soon. It may be in a URL, where no key may be, as it is worth nothing to who
// reads it later.
const (
	ticketLasts = time.Minute
	mostTickets = 1024
)

// ErrBadTicket says that a ticket was used already, is too old, or is none.
var ErrBadTicket = errors.New("the ticket was used already, is older than a minute, or is none: get a new one")

// tickets are those that were not used yet.
type tickets struct {
	mu   sync.Mutex
	open map[hash]ticket
}

type ticket struct {
	holder Caller
	until  time.Time
}

// Ticket returns a text by which who has it may once, before a time, hear what a caller may hear.
func (g *Guard) Ticket(c Caller) (text string, until time.Time) {
	text, until = rand.Text(), time.Now().Add(ticketLasts)
	c.Rights &= Anyone | Read | Preferences
	g.tickets.add(hashOf(text), ticket{c, until})
	return text, until
}

// add keeps a ticket. Where there are too many, the oldest goes.
func (t *tickets) add(h hash, made ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = map[hash]ticket{}
	}
	if len(t.open) >= mostTickets {
		var oldest hash
		for other, o := range t.open {
			if first, there := t.open[oldest]; !there || o.until.Before(first.until) {
				oldest = other
			}
		}
		delete(t.open, oldest)
	}
	t.open[h] = made
}

// Redeem says what who has a ticket may do, and uses it up. A key that was revoked meanwhile has no tickets.
func (g *Guard) Redeem(ctx context.Context, text string, now time.Time) Caller {
	h := hashOf(text)
	g.tickets.mu.Lock()
	found, there := g.tickets.open[h]
	delete(g.tickets.open, h)
	g.tickets.mu.Unlock()
	if !there || now.After(found.until) {
		return Caller{Rights: Anyone, Problem: ErrBadTicket}
	}
	if err := g.Still(ctx, found.holder); err != nil {
		return Caller{Rights: Anyone, Problem: err}
	}
	return found.holder
}
