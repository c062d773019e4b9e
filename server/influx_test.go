package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/relay"
)

// beside returns a caller of a server that watches the InfluxDB at url.
func beside(t *testing.T, url string) *caller {
	t.Helper()
	influx, err := history.NewInflux(history.InfluxConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return watching(t, influx)
}

// watching returns a caller of a server that has this client, which runs.
func watching(t *testing.T, influx *history.Influx) *caller {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- influx.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return furnish(serveDB(t, prepared(t, db.Memory), func(config *Config) {
		config.Relay = relay.New(relay.Config{Embedded: config.History.(*embedded.Store), Influx: influx, Log: config.Log})
	}))
}

// influxdb is what /health says of it, after at most a second, and of the whole.
func (c *caller) influxdb() (part map[string]any, whole string) {
	c.Helper()
	start := time.Now()
	h := c.row("/health")
	if took := time.Since(start); took > time.Second {
		c.Errorf("/health took %v", took)
	}
	return h["dependencies"].(map[string]any)["influxdb"].(map[string]any), h["status"].(string)
}

func TestInfluxStates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer        http.HandlerFunc
		status, whole string
		version       any
	}{
		"version 2": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Influxdb-Version", "v2.7.1")
			w.WriteHeader(204)
		}, "healthy", "healthy", "v2.7.1"},
		"version 3": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"version":"3.0"}`)) }, "healthy", "healthy", nil},
		"sick":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "unhealthy", "degraded", nil},
		"foreign":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "unhealthy", "degraded", nil},
		"rude":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "unhealthy", "degraded", nil},
	} {
		server := httptest.NewServer(test.answer)
		t.Cleanup(server.Close)
		c := beside(t, server.URL)
		eventually(t, name, func() bool { part, _ := c.influxdb(); return part["status"] != "unknown" })
		part, whole := c.influxdb()
		if part["status"] != test.status || whole != test.whole || part["version"] != test.version || part["url"] != server.URL || part["query_count"] != 1.0 {
			t.Errorf("%s: %s %v", name, whole, part)
		}
		since, err := time.Parse(time.RFC3339, fmt.Sprint(part["since"]))
		if ago := time.Since(since); err != nil || ago < 0 || ago > time.Minute {
			t.Errorf("%s: since %v", name, part["since"])
		}
		if rate := part["success_rate"]; (rate == 100.0) != (test.status == "healthy") {
			t.Errorf("%s: success rate %v", name, rate)
		}
	}
	if part, whole := inMemory(t).influxdb(); part["status"] != "not_configured" || whole != "healthy" || part["url"] != nil {
		t.Errorf("%s %v", whole, part)
	}
}

func TestInfluxDown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	c := beside(t, "http://reader:canary-7f3a@"+address)
	eventually(t, "unhealthy", func() bool { part, whole := c.influxdb(); return part["status"] == "unhealthy" && whole == "degraded" })
	c.get("/readyz").want(200)
	if a := c.get("/health"); strings.Contains(string(a.body), canary) {
		t.Errorf("the password is in %s", a.body)
	}
	c.wantMembers("/api/v1/devices/lamp", `{"name":"Lamp"}`)
	c.db.Close()
	if _, whole := c.influxdb(); whole != "unhealthy" {
		t.Errorf("without SQLite: %s", whole)
	}
}

// TestInfluxSlow has an InfluxDB that takes five seconds for everything, and more questions to it than may
// run: nobody else waits.
func TestInfluxSlow(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		io.Copy(io.Discard, r.Body) // or it is not seen here when the client goes away
		select {
		case <-time.After(5 * time.Second):
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(slow.Close)
	influx, err := history.NewInflux(history.InfluxConfig{URL: slow.URL, Layout: "data-api"})
	if err != nil {
		t.Fatal(err)
	}
	c := watching(t, influx)
	ctx, cancel := context.WithCancel(t.Context())
	var questions sync.WaitGroup
	for range 10 {
		questions.Go(func() {
			if _, err := influx.Last(ctx, []history.Series{history.Named("light.a")}, history.Forever); err == nil {
				t.Error("an answer to a question that was given up")
			}
		})
	}
	eventually(t, "that it is asked", func() bool { return asked.Load() >= 5 }) // four questions, and how it is
	quickest := map[string]time.Duration{"/health": time.Hour, "/api/v1/devices/lamp": time.Hour}
	for range 20 {
		for path, took := range quickest {
			start := time.Now()
			c.get(path).want(200)
			quickest[path] = min(took, time.Since(start))
		}
	}
	for path, took := range quickest {
		if took > 50*time.Millisecond {
			t.Errorf("%s takes %v", path, took)
		}
	}
	cancel()
	start := time.Now()
	questions.Wait()
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("questions that were given up went on for %v", took)
	}
}

// TestInfluxHangs has an InfluxDB that takes a request and never answers: nothing waits for it.
func TestInfluxHangs(t *testing.T) {
	t.Parallel()
	asked, end := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(end) })
	c := beside(t, server.URL)
	<-asked
	start := time.Now()
	for range 20 {
		if part, whole := c.influxdb(); part["status"] != "unknown" || whole != "healthy" {
			t.Fatalf("%s %v", whole, part)
		}
		c.row("/api/v1/devices")
		c.pushOnly("devices", `[{"id":"lamp"}]`)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("60 requests took %v beside an InfluxDB that hangs", took)
	}
	eventually(t, "that it is seen", func() bool { part, whole := c.influxdb(); return part["status"] == "unhealthy" && whole == "degraded" })
}
