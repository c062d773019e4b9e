package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dataapi/internal/webhook/webhooktest"
)

// What is registered, and what is sent while everything is killed again and again.
const (
	registrations = 1000
	registrars    = 64 // clients
	faultHooks    = 100
	stateHooks    = 10 // beside them, for states
	faultChanges  = 1000
	faultKills    = 5 // of data-api, and as many of the receiver
	idleChanges   = 200
)

// webhooks measures how fast webhooks are registered, that all of them get everything in order whatever is killed,
// and how long a change and a state take to one that has nothing else to do.
func (b *bench) webhooks(ctx context.Context) error {
	receiver, err := webhooktest.Start()
	if err != nil {
		return err
	}
	defer func() { receiver.Kill() }()
	if err := b.registrations(ctx); err != nil {
		return err
	}
	if err := b.faults(ctx, receiver); err != nil {
		return err
	}
	return b.receipts(ctx, receiver)
}

// hooked starts data-api with a file of webhooks of its own.
func (b *bench) hooked(ctx context.Context, name string) (*process, error) {
	return b.data(ctx, name+".db", "WEBHOOK_ALLOW_CIDRS=127.0.0.1",
		"WEBHOOKS_DATABASE_URL=sqlite:"+b.folder+"/"+name+"-webhooks.db", "HISTORY_DATABASE_URL=sqlite:"+b.folder+"/"+name+"-history.db")
}

// registrations has clients register webhooks at once, and counts those that are stored.
func (b *bench) registrations(ctx context.Context) (err error) {
	p, err := b.hooked(ctx, "registered")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	var clients sync.WaitGroup
	var next atomic.Int64
	failures := make([]error, registrars)
	begin := time.Now()
	for i := range registrars {
		clients.Go(func() {
			for n := next.Add(1); n <= registrations && failures[i] == nil; n = next.Add(1) {
				failures[i] = p.register(fmt.Sprintf("http://192.0.2.1/%d", n), "device.created")
			}
		})
	}
	clients.Wait()
	took := time.Since(begin)
	stored, failure := p.registered()
	if err := errors.Join(append(failures, failure)...); err != nil {
		return err
	}
	row("webhooks registered by 64 clients", "%.0f a second, %d of %d stored", registrations/took.Seconds(), stored, registrations)
	return nil
}

// faults sends changes to webhooks while data-api is killed -9 and the receiver is killed, by turns.
func (b *bench) faults(ctx context.Context, receiver *webhooktest.Receiver) (err error) {
	p, err := b.hooked(ctx, "faults")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	hooks := map[string]string{} // by name, the event
	for n := range faultHooks {
		hooks[fmt.Sprintf("fault-%d", n)] = "device.created"
	}
	for n := range stateHooks {
		hooks[fmt.Sprintf("state-%d", n)] = "state.changed"
	}
	for name, event := range hooks {
		if err := p.register(receiver.URL(name), event); err != nil {
			return err
		}
	}
	begin := time.Now()
	for n := range faultChanges {
		if err := errors.Join(p.change(n), p.takeAgain(ctx, n)); err != nil {
			return err
		}
		if p, err = b.disturb(ctx, n, p, receiver); err != nil {
			return err
		}
	}
	for name := range hooks {
		if err := receiver.Await(ctx, name, faultChanges); err != nil {
			return err
		}
	}
	row("100 webhooks, 1,000 changes, all being killed", "all in order, none lost, nor 1,000 states to 10 others, in %.0f s", time.Since(begin).Seconds())
	return nil
}

// disturb kills the receiver, then data-api, has both come back, and lets them get to work, once in a number of changes.
// It returns the process that runs from then on.
func (b *bench) disturb(ctx context.Context, change int, p *process, receiver *webhooktest.Receiver) (*process, error) {
	const every = faultChanges / faultKills
	switch change % every {
	case every / 4:
		receiver.Kill()
	case every / 2:
		p.Process.Kill()
		p.Wait() // its error is that it was killed
		next, err := b.hooked(ctx, "faults")
		if err != nil {
			return p, err
		}
		return next, nil
	case every * 3 / 4:
		return p, receiver.Revive()
	case every - 1:
		return p, receiver.Await(ctx, "fault-0", change*3/4)
	}
	return p, nil
}

// receipts measures how long a change, and a state, takes from its request until the webhook was called, and how much
// of that passes after the request was answered.
func (b *bench) receipts(ctx context.Context, receiver *webhooktest.Receiver) (err error) {
	p, err := b.hooked(ctx, "receipt")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.receipt(ctx, receiver, "device.created", "from the request to change to the webhook's call", p.change); err != nil {
		return err
	}
	return p.receipt(ctx, receiver, "state.changed", "from the request to store a state to its call", p.take)
}

// receipt does one thing after the other, each when the one before has arrived.
func (p *process) receipt(ctx context.Context, receiver *webhooktest.Receiver, event, name string, do func(int) error) error {
	if err := p.register(receiver.URL(event), event); err != nil {
		return err
	}
	var received, after []time.Duration
	for n := range idleChanges {
		time.Sleep(10 * time.Millisecond)
		begin := time.Now()
		if err := do(n); err != nil {
			return err
		}
		answered := time.Since(begin)
		if err := receiver.Await(ctx, event, n+1); err != nil {
			return err
		}
		received = append(received, time.Since(begin))
		after = append(after, time.Since(begin)-answered)
	}
	slices.Sort(received)
	slices.Sort(after)
	row(name, "%.1f ms (p50), %.1f ms (p99); after the answer %.1f, %.1f", milliseconds(received, 50), milliseconds(received, 99),
		milliseconds(after, 50), milliseconds(after, 99))
	return nil
}

// milliseconds is a percentile of sorted times.
func milliseconds(times []time.Duration, percent int) float64 {
	return times[len(times)*percent/100].Seconds() * 1000
}

// registered counts the webhooks that are stored.
func (p *process) registered() (total int, err error) {
	response, err := http.Get("http://" + p.address + "/api/v1/webhooks?limit=1&total=true")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var page struct{ Total int }
	err = json.NewDecoder(response.Body).Decode(&page)
	return page.Total, err
}

// register registers a webhook for an event.
func (p *process) register(url, event string) error {
	body, err := json.Marshal(map[string]any{"url": url, "events": []string{event}, "secret": webhooktest.Secret})
	if err != nil {
		return err
	}
	return p.post("/api/v1/webhooks", body, http.StatusCreated)
}

// change makes the device dN.
func (p *process) change(n int) error {
	return p.post("/internal/devices/bulk_upsert", fmt.Appendf(nil, `[{"id":"d%d","name":"Device"}]`, n), http.StatusOK)
}

// take has an entity take the state dN.
func (p *process) take(n int) error {
	body := fmt.Appendf(nil, `[{"entity_id":"sensor.receipt","state":"d%d","time":%q}]`, n, time.Now().Format(time.RFC3339Nano))
	return p.post("/api/v1/events", body, http.StatusOK)
}

// takeAgain is take, again and again while the history is not open yet.
func (p *process) takeAgain(ctx context.Context, n int) (err error) {
	for err = p.take(n); err != nil && ctx.Err() == nil && strings.Contains(err.Error(), "status 503"); err = p.take(n) {
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

// posts keeps as many connections as there are clients.
var posts = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: registrars}}

func (p *process) post(path string, body []byte, want int) error {
	response, err := posts.Post("http://"+p.address+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != want {
		err = fmt.Errorf("%s: status %d: %s", path, response.StatusCode, strings.TrimSpace(string(answer)))
	}
	return err
}
