package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"dataapi/db"
)

// TestRequestLog wants one line for each request, and what was answered in it.
func TestRequestLog(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	tag := c.get("/api/v1/entities").header.Get("Etag")
	for i, test := range []struct {
		method, path, body, header string
		status                     int
	}{
		{"GET", "/api/v1/entities", "", "Accept-Encoding: gzip", 200},
		{"GET", "/api/v1/entities", "", "", 200},
		{"GET", "/api/v1/entities", "", "If-None-Match: " + tag, 304},
		{"HEAD", "/api/v1/entities", "", "", 200},
		{"HEAD", "/nothing", "", "", 404},
		{"GET", "/api/v1/devices/a%2Fb%0Ac", "", "", 404},
		{"GET", "/api/v1/devices?nope=1", "", "", 422},
		{"POST", "/api/v1/devices", "[]", "", 405},
		{"POST", "/internal/devices/bulk_upsert", "[]", "", 415},
		{"POST", "/internal/devices/bulk_upsert", "[]", "Content-Type: application/json", 200},
		{"DELETE", "/internal/devices/clear", "", "", 200},
		{"GET", "/livez", "", "", 200},
	} {
		id := fmt.Sprint("line-", i)
		a := c.do(test.method, test.path, test.body, test.header, "X-Request-ID: "+id).want(test.status)
		line := c.logged(a, 1)[0]
		path, _, _ := strings.Cut(test.path, "?")
		want := map[string]any{"level": "INFO", "msg": "request", "method": test.method, "status": float64(test.status), "bytes": float64(len(a.body)),
			"path": strings.NewReplacer("%2F", "/", "%0A", "\n").Replace(path)}
		for name, value := range want {
			if line[name] != value {
				t.Errorf("%s %s: %s is not %v in %v", test.method, test.path, name, value, line)
			}
		}
		if duration, ok := line["duration"].(float64); !ok || duration <= 0 {
			t.Errorf("%s %s: %v", test.method, test.path, line)
		}
	}
}

// TestPanic lets a handler panic at different moments: the client gets a 500 that tells nothing, the log
// all of it, and the next request is served.
func TestPanic(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	moments := map[string]http.HandlerFunc{
		"/before": func(http.ResponseWriter, *http.Request) { panic("secret of the server") },
		"/error":  func(http.ResponseWriter, *http.Request) { panic(errors.New("secret of the server")) },
		"/range":  func(_ http.ResponseWriter, r *http.Request) { _ = r.Header["None"][0] },
		"/headers": func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range []string{"Content-Encoding", "ETag", "Link", "Content-Length", "Content-Type", "Cache-Control"} {
				w.Header().Set(name, "7")
			}
			panic("secret of the server")
		},
		"/write": func(_ http.ResponseWriter, r *http.Request) {
			c.db.Write(r.Context(), func(*db.Queries) error { panic("secret of the server") })
		},
	}
	h := httptest.NewServer(c.server.observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { moments[r.URL.Path](w, r) })))
	t.Cleanup(h.Close)
	p := &caller{TB: t, db: c.db, server: c.server, url: h.URL, log: c.log}
	for path := range moments {
		a := p.get(path)
		if a.problem(500)["detail"] != nil || strings.Contains(string(a.body), "secret") || a.header.Get("Etag")+a.header.Get("Link")+a.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %v %s", path, a.header, a.body)
		}
		lines := c.logged(a, 3) // the panic, the failure, the request
		if lines[0]["msg"] != "panic" || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "log_test.go") || lines[2]["status"] != 500.0 {
			t.Errorf("%s: log %v", path, lines)
		}
	}
	c.pushOnly("devices", `[{"id":"after"}]`)
	c.wantMembers("/api/v1/devices/after", `{"name":"after"}`)
}

// TestPanicInTheMiddle panics after the first bytes: the client must see that the answer is broken.
func TestPanicInTheMiddle(t *testing.T) {
	t.Parallel()
	log := &lines{}
	s := New(Config{DB: prepared(t, db.Memory), Log: slog.New(slog.NewJSONHandler(log, nil))})
	h := httptest.NewServer(s.observed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.Write([]byte("half"))
		w.(interface{ Unwrap() http.ResponseWriter }).Unwrap().(http.Flusher).Flush()
		panic("late")
	})))
	t.Cleanup(h.Close)
	w, err := plainHTTP.Get(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if body, err := io.ReadAll(w.Body); err == nil {
		t.Errorf("%q looks whole", body)
	}
	eventually(t, "the panic in the log", func() bool { return len(log.with("msg", "panic")) == 1 })
}

// TestUnencodable answers with what is no JSON: a 500 before any byte, not half an answer.
func TestUnencodable(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	h := httptest.NewServer(c.server.observed(c.server.answer(func(*http.Request) (any, error) { return map[string]any{"a": 1, "b": func() {}}, nil })))
	t.Cleanup(h.Close)
	c.url = h.URL
	if p := c.get("/x").problem(500); p["detail"] != nil {
		t.Errorf("%v", p)
	}
}

// lines is a log of JSON lines.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// logged waits for the n lines that the log has of a request; the last is written after the answer is sent.
func (c *caller) logged(a response, n int) (found []map[string]any) {
	c.Helper()
	id := a.header.Get("X-Request-Id")
	eventually(c, "the lines of "+id, func() bool { found = c.log.with("request_id", id); return len(found) >= n })
	if len(found) > n {
		c.Errorf("more than %d lines: %v", n, found)
	}
	return found
}

// with returns the lines of which a member has a value.
func (l *lines) with(member string, value any) []map[string]any {
	var found []map[string]any
	for line := range strings.Lines(l.String()) {
		var v map[string]any
		if json.Unmarshal([]byte(line), &v) == nil && v[member] == value {
			found = append(found, v)
		}
	}
	return found
}
