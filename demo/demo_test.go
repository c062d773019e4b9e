package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/auth"
	"dataapi/internal/backup"
	"dataapi/internal/dispatch"
	"dataapi/internal/hass"
	"dataapi/internal/history/embedded"
	"dataapi/server"
	datasql "dataapi/sql"
)

const demoHome = "../testdata/demo-home"

// served serves the demo home beside an empty history.
func served(t *testing.T) feeder {
	t.Helper()
	log, ctx := slog.New(slog.DiscardHandler), context.Background()
	metadata := db.Prepare(db.DefaultConfig(db.Memory), log)
	t.Cleanup(func() { metadata.Close() })
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, log)
	t.Cleanup(func() { past.Close() })
	files, err := hass.ReadStorage(demoHome)
	if err != nil {
		t.Fatal(err)
	}
	sent := deliveries.Prepare(db.DefaultConfig(db.Memory), log)
	t.Cleanup(func() { sent.Close() })
	for _, open := range []func(context.Context) error{metadata.Open, past.Open, sent.Open} {
		if err := open(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := hass.Import(ctx, metadata, files, hass.How{}); err != nil {
		t.Fatal(err)
	}
	webhooks := dispatch.New(dispatch.Config{Metadata: metadata, Past: past, Deliveries: sent, Log: log}) // calls nobody until it runs
	backups := backup.New(backup.Config{
		Folder: t.TempDir(), Keep: 1, Room: func() int64 { return 0 }, Log: log,
		Sources: []backup.Source{{Kind: datasql.OfMetadata, Copy: metadata.CopyTo}},
	})
	h := httptest.NewServer(server.New(server.Config{DB: metadata, History: past, Webhooks: webhooks, Backups: backups, Guard: auth.Open(), Log: log}))
	t.Cleanup(h.Close)
	return feeder{url: h.URL}
}

// What is fed is taken, answers what a demo is to show, and says of itself that it is simulated. A second run that is
// about the same time adds nothing.
func TestFeed(t *testing.T) {
	t.Parallel()
	f, ctx := served(t), t.Context()
	if err := f.open(ctx, filepath.Join(demoHome, "states.json")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	past := f.past(now.Add(-2*time.Hour), now)
	for range 2 {
		if n, err := f.send(ctx, past); err != nil || n != len(past) {
			t.Fatalf("%d of %d: %v", n, len(past), err)
		}
	}
	var stats struct {
		Total    int `json:"total_events"`
		Entities int
	}
	f.get(t, "/api/v1/events/stats?period=1d", &stats)
	if stats.Total != len(past) || stats.Entities < 100 {
		t.Errorf("%d states of %d were sent: %+v", len(past), len(f.courses)+len(f.last), stats)
	}
	var events []struct {
		Attributes map[string]any
		Context    string `json:"context_id"`
	}
	f.get(t, "/api/v1/events?limit=5", &events)
	for _, e := range events {
		if e.Context != simulated || e.Attributes != nil && e.Attributes[simulated] != true {
			t.Errorf("%+v", e)
		}
	}
	var means struct {
		Series []struct {
			Name   *string
			Unit   string `json:"unit_of_measurement"`
			Points []any
		}
	}
	f.get(t, "/api/v1/history?domain=sensor&device_class=temperature&group_by=area&every=1h&start=-2h", &means)
	for _, s := range means.Series {
		if s.Unit == "" || len(s.Points) == 0 {
			t.Errorf("%+v", s)
		}
	}
	if len(means.Series) < 5 {
		t.Errorf("%d rooms", len(means.Series))
	}
}

func (f *feeder) get(t *testing.T, path string, into any) {
	t.Helper()
	text, err := f.ask(t.Context(), http.MethodGet, path, nil)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The present goes on where the past ends, whenever it is looked at, and meters only grow.
func TestCourses(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	class := "energy"
	for kind := range courses {
		domain, deviceClass, _ := strings.Cut(kind, " ")
		e := entity{EntityID: domain + ".a", Domain: domain, DeviceClass: &deviceClass}
		if deviceClass == "" {
			e.DeviceClass = nil
		}
		c, ok := courseOf(e)
		if !ok {
			t.Fatal(kind)
		}
		whole := c.changes(start, start.Add(24*time.Hour))
		var parts []state
		for n := range 24 * 60 {
			from := start.Add(time.Duration(n) * time.Minute)
			parts = append(parts, c.changes(from, from.Add(time.Minute))...)
		}
		if len(whole) != len(parts) || kind != "sensor battery" && len(whole) < 2 {
			t.Errorf("%s: %d changes, %d by the minute", kind, len(whole), len(parts))
		}
		last := 0.0
		for _, s := range whole {
			var value float64
			if json.Unmarshal([]byte(s.State), &value); deviceClass == class && value < last {
				t.Errorf("a meter goes from %f to %f", last, value)
			}
			last = value
		}
	}
	if _, ok := courseOf(entity{EntityID: "light.a", Domain: "light", DeviceClass: &class}); ok {
		t.Error("a light that is a meter")
	}
}

// Nobody is fed before the service says where it listens.
func TestRelay(t *testing.T) {
	var urls []string
	relay(strings.NewReader("level=INFO msg=other url=http://127.0.0.1:1\nlevel=INFO msg=listening url=http://127.0.0.1:8006 version=dev\nmsg=listening url=http://127.0.0.1:2\n"),
		func(url string) { urls = append(urls, url) })
	if strings.Join(urls, " ") != "http://127.0.0.1:8006" {
		t.Errorf("%q", urls)
	}
	if err := run(t.Context(), filepath.Join(t.TempDir(), "nothing"), ""); err == nil {
		t.Error("started nothing")
	}
}
