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
	faultChanges  = 1000
	faultKills    = 5 // of data-api, and as many of the receiver
	idleChanges   = 200
)

// webhooks measures how fast webhooks are registered, that all of them get everything in order whatever is killed,
// and how long a change takes to one that has nothing else to do.
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
	return b.receipt(ctx, receiver)
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
				failures[i] = p.register(fmt.Sprintf("http://192.0.2.1/%d", n))
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
	for n := range faultHooks {
		if err := p.register(receiver.URL(fmt.Sprintf("fault-%d", n))); err != nil {
			return err
		}
	}
	begin := time.Now()
	for n := range faultChanges {
		if err := p.change(n); err != nil {
			return err
		}
		if p, err = b.disturb(ctx, n, p, receiver); err != nil {
			return err
		}
	}
	for n := range faultHooks {
		if err := receiver.Await(ctx, fmt.Sprintf("fault-%d", n), faultChanges); err != nil {
			return err
		}
	}
	row("100 webhooks, 1,000 changes, all being killed", "all in order, none lost, in %.0f s", time.Since(begin).Seconds())
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

// receipt makes one change after the other, each when the one before has arrived.
func (b *bench) receipt(ctx context.Context, receiver *webhooktest.Receiver) (err error) {
	p, err := b.hooked(ctx, "receipt")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.register(receiver.URL("idle")); err != nil {
		return err
	}
	var times []time.Duration
	for n := range idleChanges {
		time.Sleep(10 * time.Millisecond)
		begin := time.Now()
		if err := p.change(n); err != nil {
			return err
		}
		if err := receiver.Await(ctx, "idle", n+1); err != nil {
			return err
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	row("from the request to change to the webhook's call", "%.1f ms (p50), %.1f ms (p99)",
		times[len(times)/2].Seconds()*1000, times[len(times)*99/100].Seconds()*1000)
	return nil
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

// register registers a webhook for new devices.
func (p *process) register(url string) error {
	body, err := json.Marshal(map[string]any{"url": url, "events": []string{"device.created"}, "secret": webhooktest.Secret})
	if err != nil {
		return err
	}
	return p.post("/api/v1/webhooks", body, http.StatusCreated)
}

// change makes the device dN.
func (p *process) change(n int) error {
	return p.post("/internal/devices/bulk_upsert", fmt.Appendf(nil, `[{"id":"d%d","name":"Device"}]`, n), http.StatusOK)
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
