// Package dispatch tells webhooks of changes and of states: it follows the change log and the history for each of
// them and calls it.
//
// Nothing is fanned out when one is written: a webhook is a place in each of both (endpoint.go) and has a line
// of its own, so that a dead one delays no other. What comes of a call is noted in the file of deliveries
// before the next one is made (deliver.go): each message arrives at least once, in its order, and under one and
// the same id, whenever the process ends.
package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/history/embedded"
	"dataapi/internal/webhook"
)

// How often the dispatcher looks who is registered: for what other processes write, and at most.
const (
	lookEvery  = 5 * time.Second
	lookAgain  = 200 * time.Millisecond // where it could not be seen, as at the start
	lookRarely = 50 * time.Millisecond
)

// Config is what a Dispatcher is made of.
type Config struct {
	Metadata   *db.DB // who is to be told, and of what
	Past       *embedded.Store
	Deliveries *deliveries.DB // what they were sent
	Targets    webhook.Targets
	Log        *slog.Logger
	Version    string
}

// Dispatcher calls the webhooks that are registered. It is safe for concurrent use.
type Dispatcher struct {
	Config
	caller *webhook.Caller
	now    func() time.Time // time.Now, but in tests
	looks  chan struct{}    // of one: there is reason to look who is registered

	arrived, failed, givenUp atomic.Int64

	mu      sync.Mutex
	running map[string]*endpoint

	pages statePages
}

// Counts are what came of calls since the start of the process.
type Counts struct {
	Arrived, Failed int64 // calls
	GivenUp         int64 // messages
}

// Counts tells of now, without waiting.
func (d *Dispatcher) Counts() Counts {
	return Counts{Arrived: d.arrived.Load(), Failed: d.failed.Load(), GivenUp: d.givenUp.Load()}
}

// New returns a dispatcher that follows nothing until Run.
func New(config Config) *Dispatcher {
	return &Dispatcher{
		Config: config, caller: webhook.NewCaller(config.Targets, config.Version), now: time.Now,
		looks: make(chan struct{}, 1), running: map[string]*endpoint{},
	}
}

// Run calls the webhooks until ctx ends, and returns nil when no call is under way any more. The metadata and
// the deliveries need not be open, nor stay so: nothing is lost meanwhile.
func (d *Dispatcher) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return d.keep(ctx) })
	g.Go(func() error { return d.watch(ctx) })
	for ctx.Err() == nil {
		again := lookEvery
		if !d.look(ctx, &g) {
			again = lookAgain
		}
		pause(ctx, lookRarely)
		select {
		case <-ctx.Done():
		case <-d.looks:
		case <-time.After(again):
		}
	}
	return g.Wait()
}

// Registered tells that webhooks were registered, changed or deleted.
func (d *Dispatcher) Registered() {
	select {
	case d.looks <- struct{}{}:
	default:
	}
}

// look starts an endpoint for each webhook that is new, and stops those that are gone or were changed, which
// are started anew when they have ended. While it cannot be known who is registered, those that run go on, and it
// says so.
func (d *Dispatcher) look(ctx context.Context, g *errgroup.Group) (known bool) {
	targets, err := d.Metadata.ListWebhookTargets(ctx)
	if err != nil {
		return false
	}
	wanted := make(map[string]db.WebhookTarget, len(targets))
	for _, t := range targets {
		wanted[t.WebhookID] = t
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, e := range d.running {
		if wanted[id] != e.WebhookTarget {
			e.stop()
		}
		if e.hasEnded() {
			delete(d.running, id)
		}
	}
	for id, t := range wanted {
		if d.running[id] == nil {
			ctx, stop := context.WithCancel(ctx)
			e := newEndpoint(d, t, stop)
			d.running[id] = e
			g.Go(func() error { return e.run(ctx) })
		}
	}
	return true
}

// hasten has a webhook look at once for what it is to be sent.
func (d *Dispatcher) hasten(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.running[id]; e != nil {
		e.hasten()
	}
}

// Replay has a message sent to a webhook once more, whatever became of it, and soon. The error is
// db.ErrNotFound where there is no such delivery.
func (d *Dispatcher) Replay(ctx context.Context, id, message string) (replayed deliveries.Delivery, err error) {
	err = d.Deliveries.Write(ctx, func(q *deliveries.Queries) error {
		n, err := q.ReplayDelivery(ctx, deliveries.ReplayDeliveryParams{Now: timeText(d.now()), WebhookID: id, MessageID: message})
		if err == nil && n == 0 {
			err = db.ErrNotFound
		}
		if err == nil {
			replayed, err = q.GetDelivery(ctx, deliveries.GetDeliveryParams{WebhookID: id, ID: message})
		}
		return err
	})
	if err == nil {
		d.hasten(id)
	}
	return replayed, err
}

// Forget forgets what a webhook was sent that is registered no more.
func (d *Dispatcher) Forget(ctx context.Context, id string) error {
	d.Registered()
	return d.Deliveries.Write(ctx, func(q *deliveries.Queries) error {
		if err := q.ForgetDeliveries(ctx, id); err != nil {
			return err
		}
		return q.ForgetLine(ctx, id)
	})
}

// Failing counts the webhooks whose last call failed, and says since when the first of them does nothing but fail.
func (d *Dispatcher) Failing(ctx context.Context) (n int64, since time.Time, err error) {
	ids, err := d.Metadata.GetWebhookIDs(ctx)
	if err != nil {
		return 0, since, err
	}
	row, err := d.Deliveries.CountFailing(ctx, ids)
	return row.Failing, timeOf(row.Since), err
}

func pause(ctx context.Context, length time.Duration) {
	t := time.NewTimer(length)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// timeText is a time as it is stored: RFC 3339 in UTC with six decimals, so that text order is time order.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// timeOf reads what timeText wrote; what is no time was long ago.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
