package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/hass"
	"dataapi/internal/history/embedded"
	"dataapi/server"
)

// unopened returns a database in a file that is not open yet.
func unopened(t *testing.T) *db.DB {
	t.Helper()
	return preparedAt(t, t.TempDir()+"/metadata.db")
}

func preparedAt(t *testing.T, path string) *db.DB {
	t.Helper()
	d := db.Prepare(db.DefaultConfig(path), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	return d
}

// opened returns a database in a new file.
func opened(t *testing.T) *db.DB {
	t.Helper()
	d := unopened(t)
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// furnished returns a database that holds the home in a .storage folder.
func furnished(t *testing.T, folder string) *db.DB {
	t.Helper()
	d := opened(t)
	files, err := hass.ReadStorage(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hass.Import(t.Context(), d, files, hass.How{}); err != nil {
		t.Fatal(err)
	}
	return d
}

// maxBody is MAX_BODY_BYTES in these tests.
const maxBody = 4 << 20

// configOf serves a database beside a history in memory, which is open if the database is.
func configOf(t *testing.T, d *db.DB) server.Config {
	t.Helper()
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(db.Memory)}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if d != nil && d.Status(t.Context()).Readable {
		if err := past.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return server.Config{DB: d, History: past, Webhooks: server.Dispatcher(t, d), Backups: server.Backups(t, d), Guard: auth.Open(), Log: slog.New(slog.DiscardHandler), Version: "test", MaxBody: maxBody, Compress: true, CacheBytes: 1 << 20}
}

// client asks a server, and holds each answer to the contract.
type client struct {
	*testing.T
	base string
}

// serve serves a database until the test ends.
func serve(t *testing.T, d *db.DB) client { t.Helper(); return serveConfig(t, configOf(t, d)) }

func serveConfig(t *testing.T, config server.Config) client {
	t.Helper()
	s := httptest.NewServer(server.New(config))
	t.Cleanup(s.Close)
	return client{t, s.URL}
}

// with is the same client in a subtest.
func (c client) with(t *testing.T) client { return client{t, c.base} }

// request is what a client asks.
type request struct {
	method, target string
	body           string
	header         http.Header
}

func (q request) on(base string) (*http.Request, error) {
	r, err := http.NewRequest(q.method, base+q.target, strings.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	for name, values := range q.header {
		r.Header[name] = values
	}
	return r, nil
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send asks, whatever the contract says.
func (c client) send(q request) answer {
	c.Helper()
	r, err := q.on(c.base)
	if err != nil {
		c.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer{reply.StatusCode, reply.Header, body}
}

// ask asks, and fails the test where the answer is not the wanted one of those in the contract.
func (c client) ask(q request, want int) answer {
	c.Helper()
	a := c.send(q)
	if a.status != want {
		c.Errorf("%s %s: got %d %.300s, want %d", q.method, q.target, a.status, a.body, want)
	}
	r, err := q.on(c.base)
	if err != nil {
		c.Fatal(err)
	}
	reply := &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body))}
	_, errs := judgeOf(c.T).ValidateHttpResponse(r, reply)
	if err := first(errs); err != nil {
		c.Errorf("%s %s: the answer breaks the contract: %.800v\n%.200s", q.method, q.target, err, a.body)
	}
	return a
}

// get is ask for a GET.
func (c client) get(target string, want int) answer {
	c.Helper()
	return c.ask(request{method: http.MethodGet, target: target}, want)
}

// proper asks what the contract allows: a request that it does not allow fails the test too.
func (c client) proper(q request, want int) answer {
	c.Helper()
	r, err := q.on(c.base)
	if err != nil {
		c.Fatal(err)
	}
	_, errs := judgeOf(c.T).ValidateHttpRequestSync(r)
	if err := first(errs); err != nil {
		c.Errorf("%s %s: the request breaks the contract: %.800v", q.method, q.target, err)
	}
	return c.ask(q, want)
}

// find is proper for a GET.
func (c client) find(target string, want int) answer {
	c.Helper()
	return c.proper(request{method: http.MethodGet, target: target}, want)
}

// problem checks an answer that belongs to no operation of the contract.
func (c client) problem(q request, want int) answer {
	c.Helper()
	a := c.send(q)
	if a.status != want || a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("X-Request-ID") == "" {
		c.Errorf("%s %s: got %d with %v, want problem %d", q.method, q.target, a.status, a.header, want)
	}
	if q.method != http.MethodHead {
		if err := judgeOf(c.T).value("Problem", a.body); err != nil {
			c.Errorf("%s %s: %v\n%.300s", q.method, q.target, err, a.body)
		}
	}
	return a
}
