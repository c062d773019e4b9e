package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// ledger remembers what was acknowledged, by batch.
type ledger struct {
	mu      sync.Mutex
	batches map[string][]string
}

func (l *ledger) note(batch string, ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches[batch] = ids
}

// write posts batch after batch until the service is gone, and notes what was acknowledged.
func (l *ledger) write(t *testing.T, p *process, name string) {
	for n := 0; ; n++ {
		batch := fmt.Sprintf("%s-%d", name, n)
		var ids []string
		for i := range batchSize {
			ids = append(ids, fmt.Sprintf("%s-%d", batch, i))
		}
		status, err := p.upsert(t.Context(), strings.NewReader(deviceList(ids...)))
		if err != nil {
			return
		}
		if status != http.StatusOK {
			t.Errorf("batch %s: status %d", batch, status)
			return
		}
		l.note(batch, ids)
	}
}

const batchSize = 5

// An acknowledged write survives kill -9 of the process, and one that was cut off is whole or absent.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	folder, l, r := t.TempDir(), &ledger{batches: map[string][]string{}}, rand.New(rand.NewPCG(9, 9))
	for round := range 6 {
		p := startReady(t, folder)
		var writers sync.WaitGroup
		for w := range 3 {
			writers.Go(func() { l.write(t, p, fmt.Sprintf("%d-%d", round, w)) })
		}
		time.Sleep(time.Duration(50+r.IntN(400)) * time.Millisecond)
		p.Process.Kill()
		writers.Wait()
		<-p.ended
	}
	if len(l.batches) < 20 {
		t.Errorf("only %d batches were acknowledged", len(l.batches))
	}
	p := startReady(t, folder)
	stored := p.devices(t)
	for batch, ids := range l.batches {
		for _, id := range ids {
			if !stored[id] {
				t.Errorf("%s of batch %s was acknowledged and is lost", id, batch)
			}
		}
	}
	if len(stored)%batchSize != 0 {
		t.Errorf("%d devices: there is part of a batch", len(stored))
	}
	p.stop(t)
}

// devices lists the ids of all devices, page by page.
func (p *process) devices(t *testing.T) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for cursor := ""; ; {
		status, body := p.get(t, "/api/v1/devices?fields=device_id&limit=1000"+cursor)
		var page struct {
			Devices []struct {
				ID string `json:"device_id"`
			} `json:"devices"`
			Next *string `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(body), &page); status != http.StatusOK || err != nil {
			t.Fatalf("%d, %v: %s", status, err, body)
		}
		for _, d := range page.Devices {
			ids[d.ID] = true
		}
		if page.Next == nil {
			return ids
		}
		cursor = "&cursor=" + *page.Next
	}
}

// An import that is killed leaves all of the home or nothing, and can be run again.
func TestKilledImport(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		folder := t.TempDir()
		if code, output := finish(t, folder, nil, "migrate"); code != 0 {
			t.Fatalf("exit code %d: %s", code, output)
		}
		importer := start(t, folder, nil, "import", demo)
		time.Sleep(time.Duration(20+30*n) * time.Millisecond)
		importer.Process.Kill()
		<-importer.ended
		p := startReady(t, folder)
		if entities, devices := p.total(t, "entities"), p.total(t, "devices"); entities != 0 && entities != 490 || (entities == 0) != (devices == 0) {
			t.Errorf("killed after %d ms: %d entities, %d devices", 20+30*n, entities, devices)
		}
		p.stop(t)
		if code, output := finish(t, folder, nil, "import", demo); code != 0 || !strings.Contains(output, "490 ") {
			t.Errorf("again: exit code %d: %s", code, output)
		}
	}
}

// The secrets of config entries reach no file, whether they come in by a file or over HTTP, and no log.
func TestSecretsReachNoFile(t *testing.T) {
	t.Parallel()
	folder, home := t.TempDir(), t.TempDir()
	text, err := os.ReadFile(filepath.Join(demo, "core.config_entries"))
	if err != nil {
		t.Fatal(err)
	}
	planted := strings.ReplaceAll(string(text), `"data": {}`, `"data": {"password": "canary"}, "canary": "canary"`)
	planted = strings.ReplaceAll(planted, `"options": {}`, `"options": {"token": "canary"}`)
	if strings.Count(planted, "canary") < 48 {
		t.Fatal("the canaries have no place in the demo home")
	}
	writeFile(t, filepath.Join(home, "core.config_entries"), planted)
	p := startReady(t, folder, "LOG_LEVEL=debug", "INFLUXDB_URL=http://canary:canary@127.0.0.1:1/?p=canary", "INFLUXDB_TOKEN=canary\t", "INFLUXDB_PASSWORD=canary")
	code, output := finish(t, folder, []string{"LOG_LEVEL=debug"}, "import", home)
	if code != 0 || !strings.Contains(output, "16 created") {
		t.Fatalf("exit code %d: %s", code, output)
	}
	_, health := p.get(t, "/health")
	_, list := p.get(t, "/api/integrations")
	files, _ := filepath.Glob(filepath.Join(folder, "data", "*"))
	if len(files) < 3 {
		t.Errorf("only %q to search", files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 || !strings.HasSuffix(file, "-wal") && !strings.HasSuffix(file, ".lock") { // a log may be empty, a lock is
			noCanary(t, file, string(text))
		}
	}
	p.stop(t)
	for place, text := range map[string]string{"/health": health, "/api/integrations": list, "the import's output": output, "the log": p.output.String()} {
		noCanary(t, place, text)
	}
}

func noCanary(t *testing.T, place, text string) {
	t.Helper()
	if i := strings.Index(text, "canary"); i >= 0 || text == "" {
		t.Errorf("%s holds %q", place, text[max(0, i-50):min(len(text), max(0, i)+50)])
	}
}
