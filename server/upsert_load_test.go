package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// together calls f 64 times at once.
func together(f func(i int)) {
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func TestSameBatchAtOnce(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	devices := numbered(0, 20, `{"id":"d%[1]d","name":"Device %[1]d","area_id":"a%[1]d","labels":["l"]}`)
	entities := numbered(0, 20, `{"entity_id":"light.e%[1]d","id":"r%[1]d","device_id":"d%[1]d"}`)
	var created, updated, unchanged atomic.Int64
	together(func(int) {
		for noun, batch := range map[string]string{"devices": devices, "entities": entities} {
			p := c.pushOnly(noun, batch)
			created.Add(int64(p.Created))
			updated.Add(int64(p.Updated))
			unchanged.Add(int64(p.Unchanged))
		}
	})
	if created.Load() != 40 || updated.Load() != 0 || unchanged.Load() != 63*40 {
		t.Errorf("created %d, updated %d, unchanged %d", created.Load(), updated.Load(), unchanged.Load())
	}
	filtered{"label_id=l&area_id=a3", "d3"}.check(c, "devices", "device_id")
	filtered{"area_id=a3", "light.e3"}.check(c, "entities", "entity_id")
}

func TestDifferentBatchesAtOnce(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	var created atomic.Int64
	together(func(i int) {
		own := numbered(0, 5, `{"id":"d`+fmt.Sprint(i)+`-%d","labels":["shared"]}`)
		p := c.pushOnly("devices", strings.TrimSuffix(own, "]")+fmt.Sprintf(`,{"id":"shared","name":"by %d","area_id":"room%d"}]`, i, i%4))
		created.Add(int64(p.Created))
		if got := c.row(fmt.Sprintf("/api/v1/devices/d%d-4", i))["device_id"]; got != fmt.Sprintf("d%d-4", i) {
			t.Errorf("a read after the write sees %v", got)
		}
	})
	if total := c.row("/api/v1/devices?total=true")["total"]; total != 64*5+1.0 || created.Load() != 64*5+1 {
		t.Errorf("total %v, created %d", total, created.Load())
	}
	c.wantMembers("/api/v1/labels/shared", `{"device_count":320}`)
}

// TestReadersSeeWholeBatches reads while batches rename all devices at once: a list has one name only.
func TestReadersSeeWholeBatches(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	rename := func(n int) {
		c.pushOnly("devices", strings.ReplaceAll(numbered(0, 50, `{"id":"d%02d","name":"N"}`), `"N"`, fmt.Sprintf(`"%d"`, n)))
	}
	rename(0)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for last := ""; ; {
				names := idsIn(c.row("/api/v1/devices?fields=name"), "devices", "name")
				for _, name := range names {
					if len(names) != 50 || name != names[0] || len(name) < len(last) || len(name) == len(last) && name < last {
						t.Errorf("%d rows, %s beside %s, after %s", len(names), name, names[0], last)
						return
					}
				}
				last = names[0]
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for n := range 40 {
		rename(n + 1)
	}
	close(done)
	readers.Wait()
}

// TestClientGoesAway ends a connection in the middle of a batch: nothing of it stays, and the service is well.
func TestClientGoesAway(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"before"}]`)
	written := func() int64 { return c.db.Status(context.Background()).Writes.Queries }
	ctx, cancel := context.WithCancel(context.Background())
	batch := numbered(0, 20_000, `{"entity_id":"sensor.s%d","device_id":"before"}`)
	r, _ := http.NewRequestWithContext(ctx, "POST", c.url+"/internal/entities/bulk_upsert", strings.NewReader(batch))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-ID", "gone")
	gone := make(chan error)
	start := written()
	go func() { _, err := plainHTTP.Do(r); gone <- err }()
	eventually(t, "the middle of the batch", func() bool { return written() > start+2000 })
	cancel()
	if err := <-gone; err == nil {
		t.Fatal("it was answered before the client went away")
	}
	eventually(t, "the line in the log", func() bool { return len(c.log.with("request_id", "gone")) > 0 })
	if line := c.log.with("request_id", "gone")[0]; line["msg"] != "request" || line["status"] == 0.0 || line["status"] == 200.0 {
		t.Errorf("log: %v", line)
	}
	if total := c.row("/api/v1/entities?total=true")["total"]; total != 0.0 {
		t.Errorf("%v entities stayed", total)
	}
	c.wantMembers("/health", `{"status":"healthy"}`)
	c.pushOnly("entities", `[{"entity_id":"sensor.after"}]`)
}
