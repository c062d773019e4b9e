package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"dataapi/db"
)

const (
	smallDevices  = 1_000
	smallEntities = 10_000
	largeDevices  = 100_000
	bulkEntities  = 10_000
)

// reads compares reads over HTTP with empty handlers that answer as many bytes.
func (b *bench) reads(ctx context.Context) (err error) {
	d, err := b.fill(ctx, "small.db", smallDevices, smallEntities)
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	empty, err := b.empty(ctx)
	if err != nil {
		return err
	}
	defer empty.Process.Kill()
	for _, cache := range []struct{ name, setting string }{{"uncached", "off"}, {"cached", "on"}} {
		data, err := b.data(ctx, "small.db", "RESPONSE_CACHE="+cache.setting)
		if err != nil {
			return err
		}
		if err := errors.Join(b.readsOf(cache.name, data, empty), data.stop()); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) readsOf(how string, data, empty *process) error {
	for _, c := range []struct {
		name    string
		clients int
		path    func(*rand.Rand) string
	}{
		{" point read, 16 clients", 16, func(r *rand.Rand) string { return "/api/v1/devices/" + deviceID(r.IntN(smallDevices)) }},
		{" point read, 64 clients", 64, func(r *rand.Rand) string { return "/api/v1/devices/" + deviceID(r.IntN(smallDevices)) }},
		{" list of 100, 16 clients", 16, func(*rand.Rand) string { return "/api/v1/devices?limit=100" }},
	} {
		if err := b.against(how+c.name, data, empty, c.clients, c.path); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) against(name string, data, empty *process, clients int, path func(*rand.Rand) string) error {
	length, err := bodyLength("http://" + data.address + path(rand.New(rand.NewPCG(1, 1))))
	if err != nil {
		return err
	}
	request := func(r *rand.Rand) []byte {
		return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Length: %d\r\n\r\n", path(r), length)
	}
	var rate, cpu []float64
	var ours, theirs load
	for range b.rounds {
		if theirs, err = b.round(empty, clients, request); err != nil {
			return err
		}
		if ours, err = b.round(data, clients, request); err != nil {
			return err
		}
		rate = append(rate, ours.perSecond/theirs.perSecond)
		cpu = append(cpu, float64(theirs.cpu)/float64(ours.cpu))
	}
	row(name, "%.2f of the empty handler's rate, %.2f of its CPU efficiency (%d bytes; last round %.0f/s, %v CPU)",
		median(rate), median(cpu), length, ours.perSecond, ours.cpu)
	return nil
}

func bodyLength(url string) (int64, error) {
	response, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return n, err
}

// bulk measures calls of 10,000 entities, all changed and all as they were.
func (b *bench) bulk(ctx context.Context) (err error) {
	d, err := b.fill(ctx, "bulk.db", smallDevices, bulkEntities)
	if err != nil {
		return err
	}
	if err := d.Close(); err != nil {
		return err
	}
	data, err := b.data(ctx, "bulk.db")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, data.stop()) }()
	url := "http://" + data.address + "/internal/entities/bulk_upsert"
	var changed, unchanged []time.Duration
	for i := range b.rounds {
		body := entitiesJSON(smallDevices, bulkEntities, fmt.Sprint(" ", i))
		for _, times := range []*[]time.Duration{&changed, &unchanged} {
			cpu := data.cpu()
			if err := post(ctx, url, bytes.NewReader(body)); err != nil {
				return err
			}
			*times = append(*times, data.cpu()-cpu)
		}
	}
	row("10,000 changed entities in one call", "%v of CPU", median(changed))
	row("10,000 unchanged entities in one call", "%v of CPU, %.2f of changed", median(unchanged), float64(median(unchanged))/float64(median(changed)))
	return nil
}

// statements compares a prepared point read with the same one prepared for each call.
func (b *bench) statements(ctx context.Context) error {
	d := db.Prepare(db.DefaultConfig(b.folder+"/small.db"), quiet)
	if err := d.Open(ctx); err != nil {
		return err
	}
	defer d.Close()
	plain, err := sql.Open("sqlite", "file:"+b.folder+"/small.db?mode=ro")
	if err != nil {
		return err
	}
	defer plain.Close()
	plain.SetMaxOpenConns(1)
	unprepared := db.New(plain)
	ratio, err := b.compare(
		func(i int) error { _, err := d.GetDevice(ctx, deviceID(i%smallDevices)); return err },
		func(i int) error { _, err := unprepared.GetDevice(ctx, deviceID(i%smallDevices)); return err })
	row("prepared point read, in process", "%.2f of the time of an unprepared one", ratio)
	return err
}

// depth compares a page in the middle of 100,000 devices with the first page.
func (b *bench) depth(ctx context.Context) error {
	d, err := b.fill(ctx, "large.db", largeDevices, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	page := func(after string) func(int) error {
		return func(int) error {
			_, err := d.ListDevices(ctx, db.ListDevicesParams{After: after, Lim: 100})
			return err
		}
	}
	ratio, err := b.compare(page(deviceID(0)[:16]+"8"), page(""))
	row("page at depth, 100,000 devices", "%.2f of the time of the first page", ratio)
	return err
}

// compare runs a and b in turns and returns the median ratio of their times.
func (b *bench) compare(one, other func(int) error) (float64, error) {
	var ratios []float64
	for round := range 2 * b.rounds {
		var took [2]time.Duration
		for j, call := range []func(int) error{one, other} {
			begin := time.Now()
			for i := range b.calls {
				if err := call(round*b.calls + i); err != nil {
					return 0, err
				}
			}
			took[j] = time.Since(begin)
		}
		ratios = append(ratios, float64(took[0])/float64(took[1]))
	}
	return median(ratios), nil
}

// start measures from the start of the process to its first answer from the database, and its memory
// when it idles.
func (b *bench) start(ctx context.Context) error {
	var took []time.Duration
	var rss int64
	for range b.rounds {
		begin := time.Now()
		p, err := b.data(ctx, "small.db")
		if err != nil {
			return err
		}
		took = append(took, time.Since(begin))
		time.Sleep(2 * time.Second) // in which all pages are checked, as at each start
		rss = p.rss()
		if err := p.stop(); err != nil {
			return err
		}
	}
	row("start to first answer", "%v", median(took).Round(100*time.Microsecond))
	row("resident when idle", "%.1f MiB", float64(rss)/(1<<20))
	return nil
}
