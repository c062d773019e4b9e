package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/db"
)

// client is a client of the server that answers with h.
func client(t *testing.T, h http.HandlerFunc) *Influx {
	t.Helper()
	i, err := NewInflux(InfluxConfig{URL: serve(t, h), Token: secret, Org: "home", Database: "past", Layout: "data-api"})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// says is a handler that answers every question with text.
func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

// answerOf is what a query comes to, with the values of its rows.
func answerOf(ctx context.Context, i *Influx) (rows []string, err error) {
	for row, e := range i.query(ctx, "SELECT 1", nil) {
		if err = e; err == nil {
			rows = append(rows, fmt.Sprint(row.measurement, " ", row.tags, row.columns, row.values))
		}
	}
	return rows, err
}

const (
	chunk1 = `{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"e":"a"},"columns":["time","v"],"values":[[1,"x"],[9223372036854775806,null]],"partial":true}],"partial":true}]}` + "\n"
	chunk2 = `{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"e":"b"},"columns":["time","v"],"values":[[2,1.5],[3,true]]}]}]}` + "\n"
)

func TestInfluxAnswers(t *testing.T) {
	whole := []string{"m map[e:a] [time v] [1 x]", "m map[e:a] [time v] [9223372036854775806 <nil>]", "m map[e:b] [time v] [2 1.5]", "m map[e:b] [time v] [3 true]"}
	for name, c := range map[string]struct {
		text string
		rows int
		err  string // "" for a whole answer
	}{
		"chunks":                    {chunk1 + chunk2, 4, ""},
		"nothing found":             {`{"results":[{"statement_id":0}]}`, 0, ""},
		"members of tomorrow":       {`{"new":{"a":[1]},"results":[{"more":null,"series":[{"hint":[[]],"name":"m","tags":{"e":"a"},"columns":["time","v"],"values":[[1,"x"]]}]}]}`, 1, ""},
		"no such database":          {`{"results":[{"statement_id":0,"error":"database not found: past"}]}`, 0, "refused the query: database not found: past"},
		"no right (2.7)":            {`{"results":[{"statement_id":0,"error":"insufficient permissions"}]}`, 0, "refused the query: insufficient permissions"},
		"an error after rows":       {chunk1 + `{"results":[{"statement_id":0,"error":"timeout"}]}`, 2, "refused the query: timeout"},
		"an error beside rows":      {strings.Replace(chunk2, "}]}]}", `}],"error":"killed"}]}`, 1), 2, "refused the query: killed"},
		"an error at the top":       {`{"error":"error parsing query: found EOF"}`, 0, "refused the query: error parsing query: found EOF"},
		"a token in the error":      {`{"error":"` + secret + ` may not"}`, 0, "refused the query: *** may not"},
		"cut inside":                {chunk1 + chunk2[:50], 2, "the answer broke off or is not InfluxDB's: unexpected EOF"},
		"cut inside a row":          {chunk2[:len(chunk2)-12], 1, "the answer broke off or is not InfluxDB's: unexpected EOF"},
		"cut between chunks":        {chunk1, 2, "the answer broke off or is not InfluxDB's: unexpected EOF"},
		"empty":                     {"", 0, "the answer broke off or is not InfluxDB's: unexpected EOF"},
		"a page":                    {"<!doctype html><title>Sign in</title>", 0, "the answer broke off or is not InfluxDB's: invalid character"},
		"a list":                    {"[]", 0, "the answer broke off or is not InfluxDB's: not the shape of an answer"},
		"series that are none":      {`{"results":[{"series":{}}]}`, 0, "the answer broke off or is not InfluxDB's: not the shape of an answer"},
		"a row without its columns": {`{"results":[{"series":[{"values":[[1,2]],"columns":["time","v"]}]}]}`, 0, "the answer broke off or is not InfluxDB's: not the shape of an answer"},
		"a row that is too long":    {`{"results":[{"series":[{"columns":["v"],"values":[["` + strings.Repeat("x", 3*maxRow) + `"]]}]}]}`, 0, "the answer broke off or is not InfluxDB's: a row is longer than"},
		"an endless name":           {`{"` + strings.Repeat("x", 3*maxRow), 0, "the answer broke off or is not InfluxDB's: a row is longer than"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := answerOf(t.Context(), client(t, says(200, c.text)))
			if len(rows) != c.rows || c.rows == 4 && fmt.Sprint(rows) != fmt.Sprint(whole) {
				t.Errorf("rows: %v", rows)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err)) {
				t.Errorf("%v, want %q", err, c.err)
			}
		})
	}
}

// A row is held at a time, however many there are.
func TestInfluxManyRows(t *testing.T) {
	const n = 50_000
	i := client(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"results":[{"series":[{"name":"m","columns":["time","v"],"values":[[0,"`+strings.Repeat("x", 100)+`"]`)
		for k := range n {
			fmt.Fprintf(w, `,[%d,"%s"]`, k, strings.Repeat("y", 100))
		}
		io.WriteString(w, `]}]}]}`)
	})
	if rows, err := answerOf(t.Context(), i); len(rows) != n+1 || err != nil {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

// What is asked is a form, in the words that every version knows.
func TestInfluxQuestion(t *testing.T) {
	i := client(t, func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		want := map[string]string{
			"db": "past", "org": "home", "epoch": "ns", "chunked": "true", "chunk_size": "5000", "params": `{"entity_id":"light.a"}`,
			"q": `SELECT "state"::string FROM "state_changes" WHERE time >= -1000 AND time < 9223372036854775000 AND "entity_id" = $entity_id GROUP BY "entity_id"`,
		}
		for name, value := range want {
			if got := r.PostForm.Get(name); got != value {
				t.Errorf("%s is %q, want %q", name, got, value)
			}
		}
		if got := r.Header.Get("Authorization"); got != "Token "+secret || r.URL.RawQuery != "" || r.URL.Path != "/query" {
			t.Errorf("%s as %s", r.URL, got)
		}
		io.WriteString(w, chunk2)
	})
	for range i.Range(t.Context(), Query{Series: []Series{Named("light.a")}, Start: -1, End: Forever}) {
	}
	if h := i.Health(t.Context()); h.Queries != 1 {
		t.Errorf("%+v", h)
	}
}

// What InfluxDB 1.x and 2.x say of requests that they do not take.
func TestInfluxRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		text   string
		fault  fault
		err    string
		reason db.Reason
	}{
		"Bearer, or a bad token (2.7)": {401, `{"code":"unauthorized","message":"unauthorized access"}`, denied, "answered 401 Unauthorized: unauthorized access", InfluxDenied},
		"a bad password (1.x)":         {401, `{"error":"authorization failed"}`, denied, "answered 401 Unauthorized: authorization failed", InfluxDenied},
		"a user without rights (1.x)":  {403, `{"error":"error authorizing query: me not authorized to execute statement"}`, denied, "answered 403 Forbidden: error authorizing query", InfluxDenied},
		"no bucket (2.7)":              {404, `{"code":"not found","message":"bucket \"past\" not found"}`, denied, `answered 404 Not Found: bucket "past" not found`, InfluxDenied},
		"a proxy sends us away":        {302, "", denied, "answered 302 Found", InfluxDenied},
		"a bad query":                  {400, `{"error":"error parsing query"}`, refused, "answered 400 Bad Request: error parsing query", InfluxDenied},
		"sick":                         {500, `{"error":"engine is closed"}`, down, "answered 500 Internal Server Error: engine is closed", InfluxDown},
		"busy (2.7)":                   {429, `{"code":"too many requests","message":"queue full"}`, down, "answered 429 Too Many Requests: queue full", InfluxDown},
		"a proxy in front of nothing":  {502, "<html>" + strings.Repeat("x", 1<<20), down, "answered 502 Bad Gateway", InfluxDown},
		"a secret":                     {503, `{"error":"not for ` + secret + `"}`, down, "answered 503 Service Unavailable: not for ***", InfluxDown},
	} {
		t.Run(name, func(t *testing.T) {
			i := client(t, says(c.status, c.text))
			_, err := answerOf(t.Context(), i)
			if err == nil || !strings.HasPrefix(err.Error(), c.err) || faultOf(err) != c.fault || strings.Contains(err.Error(), secret) {
				t.Errorf("%v (%d), want %q (%d)", err, faultOf(err), c.err, c.fault)
			}
			_, err = i.Last(t.Context(), []Series{Named("light.a")}, Forever)
			var u *db.Unavailable
			if !errors.As(err, &u) || u.Reason != c.reason || !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%v, want unavailable: %s", err, c.reason)
			}
		})
	}
}

// silent answers nothing until the test ends, or the client is gone.
func silent(t *testing.T, before string) (handler http.HandlerFunc, gone chan struct{}) {
	end := make(chan struct{})
	gone = make(chan struct{}, 100)
	t.Cleanup(func() { close(end) })
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // or the server does not see that the client is gone
		io.WriteString(w, before)
		if before != "" {
			w.(http.Flusher).Flush()
		}
		select {
		case <-r.Context().Done():
			gone <- struct{}{}
		case <-end:
		}
	}, gone
}

// A server that is silent, from the start or in the middle, is given up, and sees that.
func TestInfluxSilent(t *testing.T) {
	for name, before := range map[string]string{"from the start": "", "in the middle": chunk1[:100]} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, gone := silent(t, before)
			i := client(t, h)
			i.timeout = 300 * time.Millisecond
			start := time.Now()
			_, err := answerOf(t.Context(), i)
			if !errors.Is(err, errSlow) || time.Since(start) < i.timeout || faultOf(err) != down {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			wait(t, gone)
			if h := i.Health(t.Context()); h.Status != Unhealthy || h.Failures != 1 || h.Since.IsZero() {
				t.Errorf("%+v", h)
			}
		})
	}
}

func wait(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal("it did not happen in 20 s")
	}
}

// Whoever goes away, or has read enough, ends the query on the server; that says nothing against the server.
func TestInfluxClientGoesAway(t *testing.T) {
	h, gone := silent(t, chunk1)
	i := client(t, h)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var err error
	for row, e := range i.query(ctx, "SELECT 1", nil) {
		if err = e; row.measurement == "m" {
			cancel()
		}
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wait(t, gone)
	for range i.query(t.Context(), "SELECT 1", nil) {
		break
	}
	wait(t, gone)
	if h := i.Health(t.Context()); h.Failures != 0 || len(i.slots) != 0 {
		t.Errorf("%+v, %d slots held", h, len(i.slots))
	}
}

func TestInfluxFewQueriesAtOnce(t *testing.T) {
	var running, most atomic.Int64
	release := make(chan struct{})
	i := client(t, func(w http.ResponseWriter, _ *http.Request) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-release
		running.Add(-1)
		io.WriteString(w, chunk2)
	})
	var g sync.WaitGroup
	for range 5 * maxQueries {
		g.Go(func() {
			if rows, err := answerOf(t.Context(), i); len(rows) != 2 || err != nil {
				t.Errorf("%v, %v", rows, err)
			}
		})
	}
	waitFor(t, func() bool { return running.Load() == maxQueries })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := answerOf(ctx, i); !errors.Is(err, context.Canceled) {
		t.Errorf("who is gone waits: %v", err)
	}
	close(release)
	g.Wait()
	if most.Load() != maxQueries {
		t.Errorf("%d at once, want %d", most.Load(), maxQueries)
	}
}

// A query that finds no free place in time fails, and is not held against the server.
func TestInfluxBusy(t *testing.T) {
	h, _ := silent(t, "")
	i := client(t, h)
	for range maxQueries {
		i.slots <- struct{}{}
	}
	i.timeout = 10 * time.Millisecond
	for range 2 * circuitFailures {
		if _, err := answerOf(t.Context(), i); !errors.Is(err, errBusy) {
			t.Errorf("got %v", err)
		}
	}
}

// After five failures the server is left alone.
func TestInfluxCircuit(t *testing.T) {
	var asked atomic.Int64
	i := client(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); w.WriteHeader(500) })
	for range 3 * circuitFailures {
		if _, err := answerOf(t.Context(), i); err == nil {
			t.Error("no error")
		}
	}
	if n := asked.Load(); n != circuitFailures {
		t.Errorf("asked %d times, want %d", n, circuitFailures)
	}
}

func TestCircuit(t *testing.T) {
	var c circuit
	now := time.Now()
	enters := func(want bool) {
		t.Helper()
		if _, ok := c.enter(now); ok != want {
			t.Errorf("enters: %v, want %v", ok, want)
		}
	}
	for range circuitFailures - 1 {
		enters(true)
		c.leave(now, failed)
	}
	c.leave(now, succeeded) // which forgets the failures
	for range circuitFailures {
		enters(true)
		c.leave(now, failed)
	}
	enters(false)
	now = now.Add(circuitPause)
	enters(true)
	enters(false) // one at a time
	c.leave(now, abandoned)
	enters(true) // who gave up has told nothing
	c.leave(now, failed)
	enters(false)
	now = now.Add(circuitPause)
	enters(true)
	c.answered()
	enters(true)         // while the first reads on
	c.leave(now, failed) // its answer broke off
	enters(false)
	now = now.Add(circuitPause)
	enters(true)
	c.leave(now, succeeded)
	enters(true)
	enters(true)
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999": maxRetryAfter, "99999999999999999999": 0,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0, "Fri, 02 Jan 2032 03:04:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}
