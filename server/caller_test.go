package server

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/hass"
	"dataapi/internal/history/embedded"
)

// caller talks HTTP to a server over a real database, and reads the server's log.
type caller struct {
	testing.TB
	db     *db.DB
	server *Server
	url    string
	log    *lines
}

// exampleOf is the body that the contract shows for an operation, "" where it takes none.
func exampleOf(t testing.TB, method, path string) string {
	var c struct {
		Paths map[string]map[string]struct {
			Body struct {
				Content map[string]struct{ Example any }
			} `yaml:"requestBody"`
		}
	}
	if err := yaml.Unmarshal(contract, &c); err != nil {
		t.Fatal(err)
	}
	content := c.Paths[path][strings.ToLower(method)].Body.Content
	if lines, ok := content["text/plain"].Example.(string); ok {
		return lines
	}
	example := content["application/json"].Example
	if example == nil {
		return ""
	}
	text, err := json.Marshal(example)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inMemory returns a caller of a server over an empty database in memory.
func inMemory(t testing.TB) *caller { return serveDB(t, prepared(t, db.Memory)) }

// inFile returns a caller of a server over an empty database in a file of its own.
func inFile(t testing.TB) *caller {
	return serveDB(t, prepared(t, filepath.Join(t.TempDir(), "metadata.db")))
}

// prepared opens the database at path.
func prepared(t testing.TB, path string) *db.DB {
	d := db.Prepare(db.DefaultConfig(path), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	if err := d.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return d
}

// serveDB serves a database beside a history that is not open.
func serveDB(t testing.TB, d *db.DB, changes ...func(*Config)) *caller {
	log := &lines{}
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(db.Memory)}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	config := Config{DB: d, History: past, Webhooks: Dispatcher(t, d), Backups: Backups(t, d), Guard: auth.Open(), Log: slog.New(slog.NewJSONHandler(log, nil)), Version: "test", Compress: true}
	for _, change := range changes {
		change(&config)
	}
	s := New(config)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &caller{TB: t, db: d, server: s, url: h.URL, log: log}
}

// plainHTTP neither asks for compression nor undoes it, and follows no redirect.
var plainHTTP = &http.Client{
	Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

// response is what came back.
type response struct {
	testing.TB
	status int
	header http.Header
	body   []byte
}

// do sends a request; headers are written as "Name: value".
func (c *caller) do(method, path, body string, headers ...string) response {
	c.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for _, h := range headers {
		if name, value, ok := strings.Cut(h, ": "); ok {
			r.Header.Add(name, value)
		}
	}
	return c.send(r)
}

func (c *caller) send(r *http.Request) response {
	c.Helper()
	w, err := plainHTTP.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		c.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return response{c.TB, w.StatusCode, w.Header, body}
}

func (c *caller) get(path string, headers ...string) response {
	c.Helper()
	return c.do("GET", path, "", headers...)
}

// row is the JSON object at path, which must be there.
func (c *caller) row(path string) map[string]any {
	c.Helper()
	return c.get(path).want(200).json()
}

// idsIn are the values of member in the items of a list.
func idsIn(list map[string]any, noun, member string) []string {
	ids := []string{}
	for _, item := range list[noun].([]any) {
		ids = append(ids, item.(map[string]any)[member].(string))
	}
	return ids
}

// pushed is the answer to a bulk upsert.
type pushed struct {
	Success                               bool
	Upserted, Created, Updated, Unchanged int
	Rejected                              []hass.Rejection
	Timestamp                             time.Time
}

// post sends a batch of devices or entities.
func (c *caller) post(noun, batch string, headers ...string) response {
	c.Helper()
	return c.do("POST", "/internal/"+noun+"/bulk_upsert", batch, append(headers, "Content-Type: application/json")...)
}

// push sends a batch that must be taken.
func (c *caller) push(noun, batch string) pushed {
	c.Helper()
	var p pushed
	a := c.post(noun, batch).want(200)
	if err := json.Unmarshal(a.body, &p); err != nil {
		c.Fatalf("%v: %s", err, a.body)
	}
	return p
}

// pushOnly sends a batch of which every entry must be taken.
func (c *caller) pushOnly(noun, batch string) pushed {
	c.Helper()
	p := c.push(noun, batch)
	if len(p.Rejected) > 0 {
		c.Fatalf("rejected: %+v", p.Rejected)
	}
	return p
}

// apply takes a batch of a registry that HTTP cannot push.
func (c *caller) apply(kind hass.Kind, batch string) {
	c.Helper()
	list, err := hass.ReadBatch([]byte(batch))
	if err != nil {
		c.Fatal(err)
	}
	err = c.db.Write(context.Background(), func(q *db.Queries) error {
		result, err := hass.Apply(context.Background(), q, kind, list, nil)
		if len(result.Rejected) > 0 {
			c.Errorf("rejected: %+v", result.Rejected)
		}
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
}

func (a response) want(status int) response {
	a.Helper()
	if a.status != status {
		a.Fatalf("got %d, want %d: %.600s", a.status, status, a.body)
	}
	return a
}

func (a response) json() map[string]any {
	a.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.Fatalf("%v: %.600s", err, a.body)
	}
	return v
}

// problem checks that the answer is an RFC 9457 problem that gives away nothing, and returns it.
func (a response) problem(status int) map[string]any {
	a.Helper()
	p := a.want(status).json()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.Errorf("Content-Type %q", got)
	}
	if p["type"] != "about:blank" || p["title"] != http.StatusText(status) || p["status"] != float64(status) {
		a.Errorf("type, title, status: %s", a.body)
	}
	if instance, ok := p["instance"].(string); !ok || !strings.HasPrefix(instance, "/") {
		a.Errorf("instance: %s", a.body)
	}
	if id := a.header.Get("X-Request-Id"); id == "" || p["request_id"] != id {
		a.Errorf("request_id %v, X-Request-ID %q", p["request_id"], id)
	}
	for _, internal := range []string{"SELECT", "INSERT", "sqlite", "no such", "constraint failed", "malformed", "goroutine", ".go:"} {
		if bytes.Contains(a.body, []byte(internal)) {
			a.Errorf("the problem gives away %q: %s", internal, a.body)
		}
	}
	return p
}

// badFields are the fields that a 422 names, in order.
func (a response) badFields() []string {
	a.Helper()
	var fields []string
	for _, e := range a.problem(422)["errors"].([]any) {
		fields = append(fields, e.(map[string]any)["field"].(string))
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 15 s: %s", what)
}

// shell is a connection to the database's file as another process has it.
func (c *caller) shell() *sql.DB {
	c.Helper()
	d, err := sql.Open("sqlite", "file:"+c.db.Status(context.Background()).Path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		c.Fatal(err)
	}
	d.SetMaxOpenConns(1)
	c.Cleanup(func() { d.Close() })
	return d
}

// dataVersion returns a look at the file that tells whether anybody has written to it since.
func (c *caller) dataVersion() func() int {
	shell := c.shell()
	return func() (version int) {
		c.Helper()
		if err := shell.QueryRow("PRAGMA data_version").Scan(&version); err != nil {
			c.Fatal(err)
		}
		return version
	}
}
