package history

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const secret = "s3cret"

// watch is a watch over the server at address, with a password in its URL.
func watch(t *testing.T, address string) *Influx {
	t.Helper()
	i, err := NewInflux(InfluxConfig{URL: strings.Replace(address, "://", "://me:"+secret+"@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// serve answers like InfluxDB, or not.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// speak answers every connection with text that need not be HTTP, and closes it.
func speak(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 4096))
			io.WriteString(c, text)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); done.Wait() })
	return "http://" + l.Addr().String()
}

// hang accepts connections and never answers.
func hang(t *testing.T) string {
	t.Helper()
	gone := make(chan struct{})
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-gone:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(gone) })
	return address
}

func TestInfluxUp(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		version string
	}{
		"1.x": {http.StatusNoContent, "1.8.10"}, "2.x": {http.StatusNoContent, "v2.7.4"}, "3.x": {http.StatusOK, "3.1.0"}, "behind a proxy": {http.StatusOK, ""},
	} {
		t.Run(name, func(t *testing.T) {
			i := watch(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				if user, password, _ := r.BasicAuth(); r.URL.Path != "/ping" || user != "me" || password != secret {
					t.Errorf("asked %s as %s", r.URL, user)
				}
				if c.version != "" {
					w.Header().Set("X-Influxdb-Version", c.version)
				}
				w.WriteHeader(c.status)
			}))
			if st := i.Health(t.Context()); st.Status == Healthy || st.Queries != 0 || st.Detail != "" {
				t.Errorf("before it was asked: %+v", st)
			}
			i.ping(t.Context())
			if st := i.Health(t.Context()); st.Status != Healthy || st.Version != c.version || st.Detail != "" || st.Queries != 1 || st.Failures != 0 || st.Time <= 0 {
				t.Errorf("got %+v", st)
			}
		})
	}
}

func TestInfluxDown(t *testing.T) {
	for name, c := range map[string]struct{ address, problem string }{
		"refuses":           {refusing(t), "no answer: dial tcp"},
		"an error":          {status(t, http.StatusInternalServerError), "answered 500 Internal Server Error"},
		"not ready":         {status(t, http.StatusServiceUnavailable), "answered 503 Service Unavailable"},
		"a wrong password":  {status(t, http.StatusUnauthorized), "answered 401 Unauthorized"},
		"another service":   {status(t, http.StatusNotFound), "answered 404 Not Found"},
		"not modified":      {status(t, http.StatusNotModified), "answered 304 Not Modified"},
		"goes in circles":   {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }), "no answer: stopped after 10 redirects"},
		"garbage":           {speak(t, "SSH-2.0-OpenSSH_9.2\r\n"), "no answer: "},
		"closes":            {speak(t, ""), "no answer: "},
		"half an answer":    {speak(t, "HTTP/1.1 204 No"), "no answer: "},
		"endless headers":   {speak(t, "HTTP/1.1 204 No Content\r\nX: "+strings.Repeat("x", 2<<20)), "no answer: "},
		"no such host":      {"http://nothing.invalid:8086", "no answer: "},
		"another protocol":  {strings.Replace(status(t, http.StatusNoContent), "http:", "https:", 1), "no answer: "},
		"an unknown status": {speak(t, "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "answered 999 Odd"},
	} {
		t.Run(name, func(t *testing.T) {
			i := watch(t, c.address)
			i.ping(t.Context())
			st := i.Health(t.Context())
			if st.Status == Healthy || !strings.HasPrefix(st.Detail, c.problem) || st.Queries != 1 || st.Failures != 1 {
				t.Errorf("got %+v, want %q", st, c.problem)
			}
			if shown := fmt.Sprintf("%+v", st); strings.Contains(shown, secret) {
				t.Errorf("the password is shown: %s", shown)
			}
		})
	}
}

func status(t *testing.T, code int) string {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	s.Close()
	return s.URL
}

// A body is not part of the answer, however long.
func TestInfluxLongBody(t *testing.T) {
	var sent atomic.Int64
	i := watch(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for r.Context().Err() == nil {
			n, err := w.Write(chunk)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	start := time.Now()
	i.ping(t.Context())
	if st := i.Health(t.Context()); st.Status != Healthy || time.Since(start) > pingTimeout {
		t.Errorf("after %v and %d bytes: %+v", time.Since(start), sent.Load(), st)
	}
}

// A server that hangs is down after a while, and whoever asks for the state meanwhile does not wait.
func TestInfluxHangs(t *testing.T) {
	t.Parallel()
	i := watch(t, hang(t))
	done := make(chan struct{})
	go func() { i.ping(t.Context()); close(done) }()
	start := time.Now()
	for asked := 0; ; asked++ {
		before := time.Now()
		st := i.Health(t.Context())
		if waited := time.Since(before); waited > time.Second {
			t.Fatalf("State took %v", waited)
		}
		select {
		case <-done:
			if st := i.Health(t.Context()); st.Status == Healthy || st.Failures != 1 || !strings.HasPrefix(st.Detail, "no answer: ") || asked < 10 {
				t.Errorf("asked %d times, then %+v", asked, st)
			}
			if waited := time.Since(start); waited < pingTimeout/2 || waited > 3*pingTimeout {
				t.Errorf("down after %v, want %v", waited, pingTimeout)
			}
			return
		case <-time.After(10 * time.Millisecond):
			if st.Queries != 0 && i.Health(t.Context()).Status == Healthy {
				t.Fatalf("up without an answer: %+v", st)
			}
		}
	}
}

// What was down and is up again is up, and what was said about it before is forgotten.
func TestInfluxRecovers(t *testing.T) {
	var broken atomic.Bool
	i := watch(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("X-Influxdb-Version", "v2.7.4")
		w.WriteHeader(http.StatusNoContent)
	}))
	for n, want := range []bool{true, false, false, true} {
		broken.Store(!want)
		i.ping(t.Context())
		if st := i.Health(t.Context()); (st.Status == Healthy) != want || (st.Detail == "") != want || st.Queries != int64(n+1) || st.Version != "v2.7.4" {
			t.Errorf("ping %d: %+v, want up: %v", n, st, want)
		}
	}
	if st := i.Health(t.Context()); st.Failures != 2 {
		t.Errorf("%d failures, want 2", st.Failures)
	}
}

// Run asks at once, and ends with its context, even while the server hangs; that is no failure.
func TestInfluxRun(t *testing.T) {
	for name, address := range map[string]string{"up": status(t, http.StatusNoContent), "hangs": hang(t), "down": refusing(t)} {
		t.Run(name, func(t *testing.T) {
			i := watch(t, address)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- i.Run(ctx) }()
			if name == "hangs" {
				time.Sleep(100 * time.Millisecond)
			} else {
				waitFor(t, func() bool { return i.Health(t.Context()).Queries == 1 })
			}
			before := i.Health(t.Context())
			cancel()
			select {
			case err := <-ended:
				if after := i.Health(t.Context()); err != nil || after != before || (after.Status == Healthy) != (name == "up") {
					t.Errorf("%v, %+v, was %+v", err, after, before)
				}
			case <-time.After(pingTimeout / 2):
				t.Fatal("it does not end")
			}
		})
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen in 10 s")
		}
	}
}

func TestInfluxAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"http://localhost:8086":                      "http://localhost:8086",
		"http://localhost:8086/":                     "http://localhost:8086",
		"https://db.example.com/influx/":             "https://db.example.com/influx",
		"http://me:s3cret@localhost:8086":            "http://localhost:8086",
		"http://s3cret@localhost:8086":               "http://localhost:8086",
		"http://[::1]:8086":                          "http://[::1]:8086",
		"http://localhost:8086?u=me&p=s3cret#s3cret": "http://localhost:8086",
	} {
		i, err := NewInflux(InfluxConfig{URL: address})
		if err != nil || i.URL() != want {
			t.Errorf("%s: %v, want %s", address, err, want)
			continue
		}
		if shown := fmt.Sprintf("%+v %s", i.Health(t.Context()), i.URL()); strings.Contains(shown, secret) {
			t.Errorf("%s: a secret is shown: %s", address, shown)
		}
	}
	for _, address := range []string{
		"", "localhost", "localhost:8086", "/ping", "ftp://me:s3cret@localhost", "me:s3cret@localhost:8086", "http://", "http://:s3cret@",
		"http://me:s3cret@local host:8086", "http://me:s3%cret@localhost", "//localhost:8086", "http:///ping", "influxdb://localhost", "http://localhost:s3cret",
	} {
		if i, err := NewInflux(InfluxConfig{URL: address}); err == nil || i != nil {
			t.Errorf("%q is accepted", address)
		} else if strings.Contains(err.Error(), "s3") {
			t.Errorf("%q: the error shows a secret: %v", address, err)
		}
	}
}

// Behind a path, the path stays in front, and a query, such as that of 1.x for a password, is sent.
func TestInfluxBehindAPath(t *testing.T) {
	var asked atomic.Value
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) { asked.Store(r.URL.String()) })
	i, err := NewInflux(InfluxConfig{URL: address + "/influx/?u=me&p=s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	i.ping(t.Context())
	if got := asked.Load(); got != "/influx/ping?u=me&p=s3cret" || i.Health(t.Context()).Status != Healthy {
		t.Errorf("asked %v: %+v", got, i.Health(t.Context()))
	}
}

// State may be read while Run writes: this is for the race detector.
func TestInfluxConcurrently(t *testing.T) {
	i := watch(t, status(t, http.StatusNoContent))
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for range 50 {
				i.ping(t.Context())
				if st := i.Health(t.Context()); st.Status != Healthy {
					t.Errorf("got %+v", st)
				}
			}
		})
	}
	g.Wait()
	if st := i.Health(t.Context()); st.Queries != 200 || st.Failures != 0 {
		t.Errorf("got %+v", st)
	}
}
