package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is clients that write at the same time, each its own kind of thing, and remember what was acknowledged. It goes
// on where it was when the service comes back.
type load struct {
	writers []writer
	acks    []atomic.Int64    // how many writes of each were acknowledged
	allowed func(answer) bool // beside what is acknowledged
}

// writer writes one thing after the other.
type writer interface {
	// write sends the next one, and notes it if it is acknowledged.
	write(p *process, r *rand.Rand) answer
	// check holds the service to have all that was acknowledged.
	check(t *testing.T, p *process)
}

func newLoad() *load {
	since := time.Now().Add(-time.Hour).Truncate(time.Second)
	l := &load{
		writers: []writer{&batches{}, &versions{}, &preferences{}, &registrations{},
			&points{entity: "sensor.json", since: since, send: asEvents}, &points{entity: "sensor.lines", since: since, send: asLines}},
		allowed: func(answer) bool { return false },
	}
	l.acks = make([]atomic.Int64, len(l.writers))
	return l
}

// run writes until stop is closed, or the service is gone.
func (l *load) run(t *testing.T, p *process, part string, stop <-chan struct{}) *sync.WaitGroup {
	var all sync.WaitGroup
	for i, w := range l.writers {
		all.Go(func() {
			r := chance(t, fmt.Sprint(part, "/", i))
			for {
				a := w.write(p, r)
				switch {
				case a.err != nil:
					return
				case a.status/100 == 2:
					l.acks[i].Add(1)
				case !l.allowed(a):
					t.Errorf("round %s: %T: %v\n%s", part, w, a, p.output.String())
					return
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	return &all
}

// acknowledged is how many writes of each kind were.
func (l *load) acknowledged() (all []int64) {
	for i := range l.acks {
		all = append(all, l.acks[i].Load())
	}
	return all
}

func (l *load) check(t *testing.T, p *process) {
	t.Helper()
	for _, w := range l.writers {
		w.check(t, p)
	}
}

// batches upserts new devices, five at a time.
type batches struct{ acked, sent int }

const batchSize = 5

func (b *batches) write(p *process, _ *rand.Rand) answer {
	var list []string
	for i := range batchSize {
		list = append(list, fmt.Sprintf(`{"id":"b%d-%d","name":"Device %[1]d"}`, b.sent, i))
	}
	b.sent++
	a := p.ask("POST", "/internal/devices/bulk_upsert", "["+strings.Join(list, ",")+"]")
	if a.status == 200 {
		b.acked++
	} else if a.err == nil {
		b.sent-- // it was refused, so it is sent again
	}
	return a
}

// check also wants a batch whose answer was cut off to be whole or absent.
func (b *batches) check(t *testing.T, p *process) {
	t.Helper()
	found := map[string]int{}
	for id := range p.devices(t) {
		if batch, _, ok := strings.Cut(id, "-"); ok {
			found[batch]++
		}
	}
	if len(found) < b.acked || len(found) > b.sent {
		t.Errorf("%d batches of devices are stored, %d were acknowledged of %d", len(found), b.acked, b.sent)
	}
	for batch, n := range found {
		if n != batchSize {
			t.Errorf("there are %d of %d devices of batch %s", n, batchSize, batch)
		}
	}
}

// devices lists the ids of all devices, page by page.
func (p *process) devices(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Devices []struct {
				ID string `json:"device_id"`
			}
			Next string `json:"next_cursor"`
		}
		p.get(t, "/api/v1/devices?fields=device_id&limit=1000"+cursor, &page)
		for _, d := range page.Devices {
			ids[d.ID] = true
		}
		if page.Next == "" {
			return ids
		}
		cursor = "&cursor=" + page.Next
	}
}

// versions renames the same entities again and again.
type versions struct{ acked, sent int }

func (v *versions) write(p *process, _ *rand.Rand) answer {
	v.sent++
	var list []string
	for i := range 20 {
		list = append(list, fmt.Sprintf(`{"entity_id":"light.v%d","name":"%d","device_id":"b0-0"}`, i, v.sent))
	}
	a := p.ask("POST", "/internal/entities/bulk_upsert", "["+strings.Join(list, ",")+"]")
	if a.status == 200 {
		v.acked = v.sent
	}
	return a
}

// check wants all of them to have the same version: a batch is whole or absent.
func (v *versions) check(t *testing.T, p *process) {
	t.Helper()
	var page struct{ Entities []struct{ Name string } }
	p.get(t, "/api/v1/entities?domain=light&limit=1000", &page)
	for _, e := range page.Entities {
		if between(e.Name, v.acked, v.sent) && e.Name == page.Entities[0].Name {
			continue
		}
		t.Errorf("an entity has version %s and the first %s, %d was acknowledged of %d", e.Name, page.Entities[0].Name, v.acked, v.sent)
	}
	if v.acked > 0 && len(page.Entities) != 20 {
		t.Errorf("%d of 20 entities", len(page.Entities))
	}
}

func between(text string, least, most int) bool {
	var n int
	_, err := fmt.Sscan(text, &n)
	return err == nil && least <= n && n <= most
}

// preferences counts in what users prefer, so that writes share commits.
type preferences struct{ acked, sent [5]int }

func (w *preferences) write(p *process, _ *rand.Rand) answer {
	var all sync.WaitGroup
	answers := make([]answer, len(w.sent))
	for u := range w.sent {
		all.Go(func() {
			w.sent[u]++
			method := []string{"PUT", "PATCH"}[w.sent[u]%2]
			answers[u] = p.ask(method, fmt.Sprintf("/api/v1/users/u%d/preferences", u), fmt.Sprintf(`{"n":%d}`, w.sent[u]))
			if answers[u].status == 200 {
				w.acked[u] = w.sent[u]
			}
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.status != 200 {
			return a
		}
	}
	return answers[0]
}

func (w *preferences) check(t *testing.T, p *process) {
	t.Helper()
	for u := range w.sent {
		var stored struct{ N int }
		p.get(t, fmt.Sprintf("/api/v1/users/u%d/preferences", u), &stored)
		if stored.N < w.acked[u] || stored.N > w.sent[u] {
			t.Errorf("user %d has %d, %d was acknowledged of %d", u, stored.N, w.acked[u], w.sent[u])
		}
	}
}

// registrations registers webhooks and deletes some of them. Nobody is at their addresses.
type registrations struct {
	sent          int
	known, unsure []string // unsure are those that were to be deleted when the service went away
	gone          []string
}

func (w *registrations) write(p *process, r *rand.Rand) answer {
	if len(w.known) > 5 {
		return w.remove(p, r.IntN(len(w.known)))
	}
	w.sent++
	a := p.ask("POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":"http://127.0.0.1:9/%d","events":["floor.created"]}`, w.sent))
	var made struct{ ID string }
	if a.read(&made) == nil {
		w.known = append(w.known, made.ID)
	}
	return a
}

func (w *registrations) remove(p *process, i int) answer {
	id := w.known[i]
	a := p.ask("DELETE", "/api/v1/webhooks/"+id, "")
	switch {
	case a.err != nil:
		w.unsure = append(w.unsure, id)
	case a.status == 200:
		w.gone = append(w.gone, id)
	default:
		return a
	}
	w.known = slices.Delete(w.known, i, i+1)
	return a
}

func (w *registrations) check(t *testing.T, p *process) {
	t.Helper()
	var page struct {
		Webhooks []struct{ ID, URL string }
	}
	p.get(t, "/api/v1/webhooks?limit=1000", &page)
	stored := map[string]bool{}
	for _, h := range page.Webhooks {
		stored[h.ID] = true
	}
	for _, id := range w.known {
		if !stored[id] {
			t.Errorf("webhook %s was acknowledged and is lost", id)
		}
	}
	for _, id := range w.gone {
		if stored[id] {
			t.Errorf("webhook %s was deleted and is there", id)
		}
	}
}
