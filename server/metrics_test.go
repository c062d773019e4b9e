package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"dataapi/db"
)

// scrape returns the metrics as Prometheus reads them: "name{label="value"}" -> value. Of a histogram it is the count.
func (c *caller) scrape() map[string]float64 {
	c.Helper()
	a := c.get("/metrics").want(200)
	if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		c.Errorf("Content-Type %q", got)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(a.body))
	if err != nil {
		c.Fatalf("%v: %s", err, a.body)
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, m := range family.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			key := name + "{" + strings.Join(labels, ",") + "}"
			values[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

func (c *caller) wantMetrics(values map[string]float64, want map[string]float64) {
	c.Helper()
	for name, value := range want {
		if got, ok := values[name]; !ok || got != value {
			c.Errorf("%s is %v (there: %v), want %v", name, got, ok, value)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := caching(t, 1<<20)
	c.pushOnly("devices", `[{"id":"a"},{"id":"b"}]`)
	for range 3 {
		c.get("/api/v1/devices/a").want(200)
	}
	c.do("HEAD", "/api/v1/devices/a", "").want(200)
	c.get("/api/v1/devices/a", "If-None-Match: *").want(304)
	c.get("/api/v1/devices/nobody").want(404)
	c.get("/api/v1/devices?nonsense=1").want(422)
	c.do("BREW", "/api/v1/devices", "").want(405)
	c.wantMetrics(c.scrape(), map[string]float64{
		`dataapi_http_requests_total{method="POST",route="/internal/devices/bulk_upsert",status="200"}`: 1,
		`dataapi_http_requests_total{method="GET",route="/api/v1/devices/{device_id}",status="200"}`:    3,
		`dataapi_http_requests_total{method="HEAD",route="/api/v1/devices/{device_id}",status="200"}`:   1,
		`dataapi_http_requests_total{method="GET",route="/api/v1/devices/{device_id}",status="304"}`:    1,
		`dataapi_http_requests_total{method="GET",route="/api/v1/devices/{device_id}",status="404"}`:    1,
		`dataapi_http_requests_total{method="GET",route="/api/v1/devices",status="422"}`:                1,
		`dataapi_http_requests_total{method="other",route="/api/v1/devices",status="405"}`:              1,
		`dataapi_http_request_duration_seconds{method="GET",route="/api/v1/devices/{device_id}"}`:       5,
		`dataapi_http_requests_in_flight{}`:                                    1,
		`dataapi_http_streams{}`:                                               0,
		`dataapi_cache_hits_total{}`:                                           4,
		`dataapi_cache_misses_total{}`:                                         1,
		`dataapi_cache_answers{}`:                                              1,
		`dataapi_database_up{database="metadata"}`:                             1,
		`dataapi_database_writable{database="metadata"}`:                       1,
		`dataapi_database_up{database="webhooks"}`:                             1,
		`dataapi_database_up{database="history"}`:                              0,
		`dataapi_changes_kept{}`:                                               2,
		`dataapi_changes_newest_seq{}`:                                         2,
		`dataapi_webhooks{state="active"}`:                                     0,
		`dataapi_webhook_messages{state="retrying"}`:                           0,
		`dataapi_history_up{}`:                                                 0,
		`dataapi_database_connections_limit{database="metadata",pool="write"}`: 1,
	})
}

// Counters only ever rise, also those of what SQLite and the runtime did.
func TestMetricsCountWhatTheDatabaseDoes(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	before := c.scrape()
	c.pushOnly("devices", `[{"id":"a"}]`)
	after := c.scrape()
	for _, pool := range []string{"read", "write"} {
		for _, name := range []string{"statements_total", "statement_seconds_total"} {
			key := fmt.Sprintf(`dataapi_database_%s{database="metadata",pool=%q}`, name, pool)
			if after[key] <= before[key] {
				t.Errorf("%s: %v, then %v", key, before[key], after[key])
			}
		}
	}
	for _, name := range []string{"dataapi_database_size_bytes{database=\"metadata\"}", "go_goroutines{}", "dataapi_start_time_seconds{}"} {
		if after[name] <= 0 {
			t.Errorf("%s is %v", name, after[name])
		}
	}
	info := false
	for name := range after {
		info = info || strings.HasPrefix(name, "dataapi_build_info{") && strings.Contains(name, `version="test"`)
	}
	if !info {
		t.Error("no dataapi_build_info")
	}
}

// Whatever is asked for, there are no more counters than routes, methods and statuses.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	ask := func(n int) {
		for i := range n {
			c.get(fmt.Sprintf("/api/v1/devices/%d", i)).want(404)
			c.get(fmt.Sprintf("/nothing/%d", i)).want(404)
			c.do(fmt.Sprintf("X%d", i), "/api/v1/devices/a", "").want(405)
		}
	}
	ask(1)
	c.scrape()
	few := len(c.scrape())
	ask(50)
	values := c.scrape()
	if len(values) != few {
		t.Errorf("%d metrics, then %d", few, len(values))
	}
	c.wantMetrics(values, map[string]float64{
		`dataapi_http_requests_total{method="GET",route="",status="404"}`:                              51,
		`dataapi_http_requests_total{method="other",route="/api/v1/devices/{device_id}",status="405"}`: 51,
	})
}

func TestMetricsHaveGoodNames(t *testing.T) {
	t.Parallel()
	c := caching(t, 1<<20)
	c.get("/api/v1/devices").want(200)
	families, err := c.server.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// A database that lets nobody read delays a scrape by no more than scrapeTimeout, and what it would have told is
// missing, not zero.
func TestMetricsOfABusyDatabase(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	var readers sync.WaitGroup
	release := make(chan struct{})
	limit := c.db.Status(t.Context()).Reads.Pool.MaxOpenConnections
	held := make(chan struct{}, limit)
	for range limit {
		readers.Go(func() {
			c.db.Read(context.Background(), func(*db.Queries) error { held <- struct{}{}; <-release; return nil })
		})
	}
	for range limit {
		<-held
	}
	start := time.Now()
	values := c.scrape()
	if took := time.Since(start); took > scrapeTimeout+10*time.Second {
		t.Errorf("it took %v", took)
	}
	c.wantMetrics(values, map[string]float64{
		`dataapi_database_up{database="metadata"}`:                                     0,
		`dataapi_database_up{database="webhooks"}`:                                     1,
		`dataapi_database_connections{database="metadata",pool="read",state="in_use"}`: float64(limit),
	})
	if _, there := values["dataapi_changes_newest_seq{}"]; there {
		t.Error("it tells of a change log that it cannot read")
	}
	close(release)
	readers.Wait()
	c.wantMetrics(c.scrape(), map[string]float64{`dataapi_database_up{database="metadata"}`: 1, `dataapi_changes_newest_seq{}`: 0})
}

func TestMetricsOfADatabaseThatIsNotOpen(t *testing.T) {
	t.Parallel()
	d := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "none", "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	values := serveDB(t, d).scrape()
	if values[`dataapi_database_up{database="metadata"}`] != 0 || values["go_goroutines{}"] == 0 {
		t.Errorf("%v", values)
	}
	for name := range values {
		if strings.HasPrefix(name, "dataapi_changes") || strings.HasPrefix(name, "dataapi_webhooks{") || strings.HasPrefix(name, "dataapi_database_size_bytes{database=\"metadata") {
			t.Errorf("%s is there", name)
		}
	}
}

// Many count at a time, and nothing gets lost.
func TestMetricsOfManyAtATime(t *testing.T) {
	t.Parallel()
	c := caching(t, 1<<20)
	c.pushOnly("devices", `[{"id":"a"}]`)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				path := []string{"/api/v1/devices/a", "/api/v1/devices/b", "/metrics"}[i%3]
				r, err := plainHTTP.Get(c.url + path)
				if err != nil {
					t.Error(err)
					return
				}
				r.Body.Close()
			}
		})
	}
	all.Wait()
	eventually(t, "all are counted", func() bool {
		values := c.scrape()
		return values[`dataapi_http_requests_total{method="GET",route="/api/v1/devices/{device_id}",status="200"}`] == 8*17 &&
			values[`dataapi_http_requests_total{method="GET",route="/api/v1/devices/{device_id}",status="404"}`] == 8*17 &&
			values["dataapi_http_requests_in_flight{}"] == 1
	})
}

// Streams, and answers that wait, are counted, but their length is not.
func TestMetricsOfStreams(t *testing.T) {
	t.Parallel()
	c := followed(t)
	client := c.stream("")
	c.wantMetrics(c.scrape(), map[string]float64{"dataapi_http_streams{}": 1, "dataapi_http_requests_in_flight{}": 2})
	client.response.Body.Close()
	const counted = `dataapi_http_requests_total{method="GET",route="/api/v1/changes",status="200"}`
	eventually(t, "the stream has ended", func() bool { return c.scrape()[counted] == 1 })
	values := c.scrape()
	if n := values[`dataapi_http_request_duration_seconds{method="GET",route="/api/v1/changes"}`]; n != 0 || values["dataapi_http_streams{}"] != 0 {
		t.Errorf("%v durations, %v streams", n, values["dataapi_http_streams{}"])
	}
}
