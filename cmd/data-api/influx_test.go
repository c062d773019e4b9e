package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/influxdtest"
)

// influxdb is what /health says of it.
type influxdb struct {
	Status    string
	Detail    string
	Since     *time.Time
	Layout    *string
	Writing   bool
	Forwarded int64
	Buffered  int64
	Dropped   int64
	Rejected  int64
	Lag       float64 `json:"lag_seconds"`
}

func (p *process) influxdb(t *testing.T) influxdb {
	t.Helper()
	var h struct {
		Dependencies struct{ InfluxDB influxdb }
	}
	if status, body := p.get(t, "/health"); status != http.StatusOK || json.Unmarshal([]byte(body), &h) != nil {
		t.Errorf("/health: %d %s", status, body)
	}
	return h.Dependencies.InfluxDB
}

// sender posts states of sensor.a, a microsecond apart, each batch until it is acknowledged: the n-th has the state n.
type sender struct {
	begin        time.Time
	acknowledged int
}

const sent = 7 // in a batch

func (s *sender) body() string {
	var items []string
	for n := range sent {
		n += s.acknowledged
		at := s.begin.Add(time.Duration(n) * time.Microsecond)
		items = append(items, fmt.Sprintf(`{"entity_id":"sensor.a","state":"%d","time":%q}`, n, at.Format(time.RFC3339Nano)))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// run posts until ctx ends, to whatever process there is.
func (s *sender) run(ctx context.Context, t *testing.T, url func() string) {
	for ctx.Err() == nil {
		response, err := client.Post(url()+"/api/v1/events", "application/json", strings.NewReader(s.body()))
		if err != nil {
			continue // it was killed
		}
		response.Body.Close()
		switch response.StatusCode {
		case http.StatusOK:
			s.acknowledged += sent
		case http.StatusServiceUnavailable: // it has just begun
		default:
			t.Errorf("status %d", response.StatusCode)
			return
		}
	}
}

// Whatever is killed in the middle of writing, every state that was acknowledged is in InfluxDB afterwards, once.
func TestKilledWhileForwarding(t *testing.T) {
	t.Parallel()
	influxd := influxdtest.Start(t)
	server := influxdtest.Server{URL: influxd.URL()}
	database := server.Database(t)
	folder, settings := t.TempDir(), []string{"INFLUXDB_URL=" + influxd.URL(), "INFLUXDB_DATABASE=" + database}
	p := startReady(t, folder, settings...)
	var mu sync.Mutex
	url := func() string { mu.Lock(); defer mu.Unlock(); return p.url }
	s := sender{begin: time.Now().Add(-time.Hour).Truncate(time.Second)}
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	sending.Go(func() { s.run(ctx, t, url) })
	for range 3 {
		time.Sleep(time.Duration(500+rand.IntN(800)) * time.Millisecond)
		influxd.Kill()
		time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
		p.Process.Kill()
		<-p.ended
		influxd.Restart()
		next := startReady(t, folder, settings...)
		mu.Lock()
		p = next
		mu.Unlock()
	}
	stop()
	sending.Wait()
	s.post(t, p) // so that this process has something to forward
	waitFor(t, p, "all forwarded", func() bool { h := p.influxdb(t); return h.Forwarded > 0 && h.Buffered == 0 })
	wantForwarded(t, history.InfluxConfig{URL: server.URL, Database: database}, s)
	p.stop(t)
}

// wantForwarded wants all that was acknowledged, and what was sent beside it at most, each once.
func wantForwarded(t *testing.T, config history.InfluxConfig, s sender) {
	t.Helper()
	influx, err := history.NewInflux(config)
	if err != nil {
		t.Fatal(err)
	}
	begin, next := history.At(s.begin), 0
	for row, err := range influx.Range(t.Context(), history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: begin, End: history.Forever}) {
		if err != nil {
			t.Fatal(err)
		}
		if row.State != fmt.Sprint(next) || row.Time != begin+history.Micros(next) {
			t.Fatalf("%+v, want the state %d", row, next)
		}
		next++
	}
	if s.acknowledged == 0 || next < s.acknowledged || next > s.acknowledged+sent {
		t.Errorf("%d states, want %d", next, s.acknowledged)
	}
}

// While InfluxDB is down, states are taken, the metadata does not notice, and /health says since when; when it is
// back, nothing is lost.
func TestOutageOfInfluxDB(t *testing.T) {
	t.Parallel()
	influxd := influxdtest.Start(t)
	server := influxdtest.Server{URL: influxd.URL()}
	database := server.Database(t)
	p := startReady(t, t.TempDir(), "INFLUXDB_URL="+influxd.URL(), "INFLUXDB_DATABASE="+database)
	s := sender{begin: time.Now().Add(-time.Hour).Truncate(time.Second)}
	s.post(t, p)
	waitFor(t, p, "forwarded", func() bool { return p.influxdb(t).Forwarded == sent })
	influxd.Kill()
	s.post(t, p)
	waitFor(t, p, "unhealthy", func() bool { h := p.influxdb(t); return h.Status == "unhealthy" && h.Buffered == sent && h.Lag > 3000 })
	if h := p.influxdb(t); h.Since == nil || h.Detail == "" || !h.Writing || h.Dropped != 0 || h.Layout == nil || *h.Layout != "data-api" {
		t.Errorf("%+v", h)
	}
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusOK {
		t.Errorf("upsert: %d, %v", status, err)
	}
	influxd.Restart()
	waitFor(t, p, "all forwarded", func() bool { h := p.influxdb(t); return h.Buffered == 0 && h.Status == "healthy" && h.Lag == 0 })
	wantForwarded(t, history.InfluxConfig{URL: server.URL, Database: database}, s)
	p.stop(t)
}

// An InfluxDB that has stopped to answer delays nobody: states are acknowledged, and devices and /health answered.
func TestInfluxDBHangs(t *testing.T) {
	t.Parallel()
	influxd := influxdtest.Start(t)
	server := influxdtest.Server{URL: influxd.URL()}
	database := server.Database(t)
	p := startReady(t, t.TempDir(), "INFLUXDB_URL="+influxd.URL(), "INFLUXDB_DATABASE="+database)
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusOK {
		t.Fatalf("upsert: %d, %v", status, err)
	}
	s := sender{begin: time.Now().Add(-time.Hour).Truncate(time.Second)}
	s.post(t, p)
	waitFor(t, p, "forwarded", func() bool { return p.influxdb(t).Forwarded == sent })
	influxd.Pause()
	begun := time.Now()
	for range 3 {
		s.post(t, p)
		if status := p.status(t, "/api/v1/devices/a"); status != http.StatusOK {
			t.Errorf("a device: %d", status)
		}
		p.influxdb(t)
	}
	if took := time.Since(begun); took > 8*time.Second { // it is given up after ten
		t.Errorf("9 requests took %v", took)
	}
	waitFor(t, p, "buffered", func() bool { h := p.influxdb(t); return h.Buffered == 3*sent && h.Lag > 3000 })
	influxd.Resume()
	waitFor(t, p, "all forwarded", func() bool { return p.influxdb(t).Buffered == 0 })
	wantForwarded(t, history.InfluxConfig{URL: server.URL, Database: database}, s)
	p.stop(t)
}

// post posts a batch, which must be acknowledged.
func (s *sender) post(t *testing.T, p *process) {
	t.Helper()
	waitFor(t, p, "states are taken", func() bool { // the history may be open later than the metadata
		response, err := client.Post(p.url+"/api/v1/events", "application/json", strings.NewReader(s.body()))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	s.acknowledged += sent
}

// A database that is not there is said to be missing, and what is to go there is kept.
func TestMissingDatabase(t *testing.T) {
	t.Parallel()
	influxd := influxdtest.Start(t)
	p := startReady(t, t.TempDir(), "INFLUXDB_URL="+influxd.URL(), "INFLUXDB_DATABASE=nowhere", "INFLUXDB_TOKEN=canary")
	s := sender{begin: time.Now().Add(-time.Hour).Truncate(time.Second)}
	s.post(t, p)
	waitFor(t, p, "degraded", func() bool { return p.influxdb(t).Status == "degraded" })
	if h := p.influxdb(t); !strings.Contains(h.Detail, "nowhere") || h.Since == nil {
		t.Errorf("%+v", h)
	}
	if states := p.states(t); states.Status != "degraded" || states.Dependencies.History.Status != "healthy" {
		t.Errorf("%+v", states)
	}
	noCanary(t, "the log", p.output.String())
	p.stop(t)
}
