package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/relay"
)

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

var (
	plainJSON  = http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	zippedJSON = http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}
)

// What comes in badly is answered by a problem that the contract has.
func TestContractOfBadBodies(t *testing.T) {
	tests := []struct {
		name, query, body string
		header            http.Header
		want              int
	}{
		{"empty list", "", `[]`, plainJSON, 200},
		{"compressed", "", zipped(`[{}]`), zippedJSON, 200},
		{"no entries", "", `[1, null, "a", [], {}, {"id": 7, "entity_id": 7}, {"id": "", "entity_id": "A.B"}]`, plainJSON, 200},
		{"bad members", "", `[{"id": "a", "entity_id": "a.b", "name": 7, "labels": "x", "created_at": "soon"}]`, plainJSON, 200},
		{"no list", "", `{}`, plainJSON, 400},
		{"nothing", "", ``, plainJSON, 400},
		{"cut off", "", `[{"id": "a"`, plainJSON, 400},
		{"two lists", "", `[] []`, plainJSON, 400},
		{"not compressed", "", `[]`, zippedJSON, 400},
		{"compressed and cut off", "", zipped(`[{}]`)[:12], zippedJSON, 400},
		{"too large", "", strings.Repeat(" ", maxBody+1), plainJSON, 413},
		{"too large inside", "", zipped(strings.Repeat(" ", maxBody+1)), zippedJSON, 413},
		{"no type", "", `[]`, nil, 415},
		{"another type", "", `[]`, http.Header{"Content-Type": {"text/plain"}}, 415},
		{"another coding", "", `[]`, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"br"}}, 415},
		{"a parameter", "?force=true", `[]`, plainJSON, 422},
	}
	c := serve(t, opened(t))
	for _, noun := range []string{"devices", "entities"} {
		for _, test := range tests {
			t.Run(noun+"/"+test.name, func(t *testing.T) {
				target := "/internal/" + noun + "/bulk_upsert" + test.query
				c.with(t).ask(request{http.MethodPost, target, test.body, test.header}, test.want)
			})
		}
	}
}

func TestContractOfBadQueries(t *testing.T) {
	c := serve(t, opened(t))
	queries := []string{"nonsense=1", "nonsense=1&limit=0&fields=key", "%zz", "a;b", "limit=1&limit=2", "cursor=ZGV2aWNlcw", "%ff=1"}
	read(t).each(func(method, path string, op *operation) {
		for _, query := range queries {
			if _, refuses := op.Responses["422"]; refuses {
				c.ask(request{method: method, target: fill(path, nil) + "?" + query}, http.StatusUnprocessableEntity)
			}
		}
	})
}

// example is the request that the contract shows for an operation.
func (op *operation) example(t *testing.T, method, path string) request {
	t.Helper()
	q := request{method: method, target: fill(path, nil) + op.needed("")}
	if op.Body == nil {
		return q
	}
	if lines, ok := op.Body.Content["text/plain"].Example.(string); ok {
		q.body, q.header = lines, http.Header{"Content-Type": {"text/plain"}}
		return q
	}
	body, err := json.Marshal(op.Body.Content["application/json"].Example)
	if err != nil {
		t.Fatal(err)
	}
	q.body, q.header = string(body), plainJSON
	return q
}

// needed is the query of an operation without what it can do without, and without one parameter.
func (op *operation) needed(but string) string {
	query := url.Values{}
	for name, p := range op.parameters("query") {
		if p.Required && name != but {
			query.Set(name, form(p.Example))
		}
	}
	if len(query) == 0 {
		return ""
	}
	return "?" + query.Encode()
}

// success is the status of an operation that succeeds.
func (op *operation) success() int {
	for status, name := range map[int]string{http.StatusCreated: "201", http.StatusNoContent: "204"} {
		if _, has := op.Responses[name]; has {
			return status
		}
	}
	return http.StatusOK
}

// An example in the contract of what can be sent is taken.
func TestContractExamplesAreTaken(t *testing.T) {
	c := serve(t, opened(t))
	read(t).each(func(method, path string, op *operation) {
		if op.Body == nil || strings.Contains(path, "{webhook_id}") { // of which there is none
			return
		}
		a := c.proper(op.example(t, method, path), op.success())
		if len(a.body) == 0 || a.body[0] == '[' {
			return
		}
		if _, bulk := decode[row](t, a.body)["upserted"]; !bulk {
			return
		}
		if got := decode[upserted](t, a.body); got.Upserted != 1 || len(got.Rejected) > 0 {
			t.Errorf("%s: got %s for the example, want one row", path, a.body)
		}
	})
}

// Each operation that has a 503 answers so while the database is not open, and all others answer.
func TestContractWithoutDatabase(t *testing.T) {
	config := configOf(t, unopened(t))
	config.Backups.Folder = filepath.Join(os.DevNull, "backups") // which is not open either
	c := serveConfig(t, config)
	read(t).each(func(method, path string, op *operation) {
		want := op.success()
		if _, needs := op.Responses["503"]; needs {
			want = http.StatusServiceUnavailable
		}
		c.proper(op.example(t, method, path), want)
	})
}

// A bug in the midst of a request is answered by a problem too.
func TestContractOfBugs(t *testing.T) {
	c := serve(t, nil) // what asks the database panics
	read(t).each(func(method, path string, op *operation) {
		if _, needs := op.Responses["503"]; needs {
			c.proper(op.example(t, method, path), http.StatusInternalServerError)
		}
	})
}

// HEAD answers as GET does, without a body, and what the client has is not sent again.
func TestContractOfHeadAndNotModified(t *testing.T) {
	c := serve(t, furnished(t, "../testdata/demo-home"))
	ids := map[string]string{"floor_id": "ground", "entity_id": "light.kuche_theke", "domain": "hue"}
	read(t).each(func(method, path string, op *operation) {
		if method != http.MethodGet {
			return
		}
		target := fill(path, ids)
		get := c.sameHead(target)
		tag := get.header.Get("ETag")
		if _, caches := op.Responses["304"]; get.status == http.StatusOK && caches != (tag != "") {
			t.Errorf("GET %s: ETag is %q, the contract has 304: %v", target, tag, caches)
		}
		if tag != "" {
			held := request{method: method, target: target, header: http.Header{"If-None-Match": {tag}}}
			c.proper(held, http.StatusNotModified)
		}
	})
}

// sameHead asks for HEAD and GET, and returns what GET answered.
func (c client) sameHead(target string) answer {
	c.Helper()
	header := http.Header{"Accept-Encoding": {"gzip"}}
	get := c.send(request{method: http.MethodGet, target: target, header: header})
	head := c.send(request{method: http.MethodHead, target: target, header: header})
	if head.status != get.status || len(head.body) > 0 {
		c.Errorf("HEAD %s: got %d and %d bytes, want %d and none", target, head.status, len(head.body), get.status)
	}
	for _, name := range []string{"ETag", "Link", "Content-Type", "Content-Encoding", "Cache-Control", "Vary"} {
		if got, want := head.header.Get(name), get.header.Get(name); got != want {
			c.Errorf("HEAD %s: got %s %q, want %q as for GET", target, name, got, want)
		}
	}
	return get
}

// Ids are any text, in the database and in a path.
func TestContractOfOddIDs(t *testing.T) {
	c := serve(t, opened(t))
	for _, id := range []string{"a/b", "a b", "50%", "ä,ö", "..", "?#&"} {
		c.upsert("devices", []row{{"id": id, "area_id": id, "labels": []string{id}, "config_entry_id": id}})
		escaped := ""
		for _, b := range []byte(id) {
			escaped += fmt.Sprintf("%%%02X", b)
		}
		for _, path := range []string{"/api/v1/devices/", "/api/devices/", "/api/v1/areas/", "/api/v1/labels/"} {
			c.get(path+escaped, http.StatusOK)
		}
	}
}

// status asks for the health of the service, of SQLite and of InfluxDB.
func (c client) status() string {
	c.Helper()
	h := decode[struct {
		Status       string
		Dependencies struct {
			SQLite struct {
				Status string
				Check  *struct{ OK bool } `json:"integrity_check"`
			}
			InfluxDB struct{ Status string }
		}
	}](c.T, c.find("/health", http.StatusOK).body)
	d := h.Dependencies
	status := h.Status + ", sqlite " + d.SQLite.Status
	if d.SQLite.Check != nil {
		status += fmt.Sprintf(", whole %v", d.SQLite.Check.OK)
	}
	return status + ", influxdb " + d.InfluxDB.Status
}

// until waits for a status.
func (c client) until(want string) {
	c.Helper()
	got := ""
	for range 200 {
		if got = c.status(); got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	c.Errorf("got %q, want %q", got, want)
}

func TestContractOfHealth(t *testing.T) {
	t.Run("not open", func(t *testing.T) {
		serve(t, unopened(t)).until("unhealthy, sqlite unhealthy, influxdb not_configured")
	})
	t.Run("no database", func(t *testing.T) {
		path := t.TempDir() + "/metadata.db"
		if err := os.WriteFile(path, bytes.Repeat([]byte("no database"), 1000), 0o600); err != nil {
			t.Fatal(err)
		}
		d := preparedAt(t, path)
		if err := d.Open(t.Context()); err == nil {
			t.Fatal("opened what is no database")
		}
		serve(t, d).until("unhealthy, sqlite unhealthy, influxdb not_configured")
	})
	t.Run("open", func(t *testing.T) {
		serve(t, opened(t)).until("healthy, sqlite healthy, influxdb not_configured")
	})
	t.Run("checked", func(t *testing.T) {
		d := opened(t)
		whileRunning(t, d.Run)
		serve(t, d).until("healthy, sqlite healthy, whole true, influxdb not_configured")
	})
}

func TestContractOfHealthWithInfluxDB(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", "2.7.1")
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(up.Close)
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	config := configOf(t, opened(t))
	for url, want := range map[string]string{
		up.URL:   "healthy, sqlite healthy, influxdb healthy",
		down.URL: "degraded, sqlite healthy, influxdb unhealthy",
	} {
		influx, err := history.NewInflux(history.InfluxConfig{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		config.Relay = relay.New(relay.Config{Embedded: config.History.(*embedded.Store), Influx: influx, Log: config.Log})
		c := serveConfig(t, config)
		c.until("healthy, sqlite healthy, influxdb unknown")
		whileRunning(t, influx.Run)
		c.until(want)
	}
}

// whileRunning runs something until the test ends.
func whileRunning(t *testing.T, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}
