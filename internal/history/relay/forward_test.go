package relay

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/influxdtest"
)

// server2 answers /write as InfluxDB 2.7 does: a bad line loses its whole batch.
type server2 struct {
	mu     sync.Mutex
	fail   func(http.ResponseWriter) bool // answers in place of the server
	stored map[string]int
	bodies int
}

func (s *server2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies++
	if s.fail != nil && s.fail(w) {
		return
	}
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	for _, line := range lines {
		if strings.Contains(line, "bad") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":"invalid","message":"unable to parse"}`)
			return
		}
	}
	for _, line := range lines {
		s.stored[line]++
	}
	w.WriteHeader(http.StatusNoContent)
}

// recorded is a store that forwards to such a server.
func recorded(t *testing.T) (*Store, *server2) {
	t.Helper()
	fake := &server2{stored: map[string]int{}}
	h := httptest.NewServer(fake)
	t.Cleanup(h.Close)
	return opened(t, history.InfluxConfig{URL: h.URL, Database: "home", Layout: "data-api"}, Auto), fake
}

// Of a batch with bad points the good ones are stored, and of the bad ones it is known how many there are, and why.
func TestBadPoints(t *testing.T) {
	s, fake := recorded(t)
	points := numbered(0, 100)
	for i := 0; i < 100; i += 8 {
		points[i].State = "bad"
	}
	store(t, s, points)
	if pause := s.step(t.Context()); pause != batchEvery {
		t.Errorf("again after %v", pause)
	}
	f := s.Forwarding()
	if f.Forwarded != 87 || f.Rejected != 13 || len(f.Rejections) != maxRejections || f.Problem != "" || len(fake.stored) != 87 {
		t.Errorf("%+v, %d lines", f, len(fake.stored))
	}
	if r := f.Rejections[1]; r.EntityID != "sensor.a" || r.Time != points[8].Time.Time() || !strings.Contains(r.Reason, "unable to parse") {
		t.Errorf("%+v", r)
	}
	if p, err := s.Embedded.Progress(t.Context(), s.name); err != nil || p.Unpassed != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// The embedded store is told now and then, and at once after a full batch; what it was not told is given again by
// who comes next, and then there once.
func TestTold(t *testing.T) {
	s, fake := recorded(t)
	s.batch = 10
	unpassed := func() int64 {
		t.Helper()
		p, err := s.Embedded.Progress(t.Context(), s.name)
		if err != nil {
			t.Fatal(err)
		}
		return p.Unpassed
	}
	for n, want := range []int64{0, 3, 6} { // the first one is told at once
		store(t, s, numbered(3*n, 3))
		forwardAll(t, s)
		if got := unpassed(); got != want {
			t.Errorf("batch %d: %d not passed, want %d", n, got, want)
		}
	}
	store(t, s, numbered(9, 11))
	s.step(t.Context())
	if got := unpassed(); got != 1 {
		t.Errorf("after a full batch %d are not passed", got)
	}
	forwardAll(t, s)
	s.toldAt = time.Now().Add(-tellEvery)
	s.step(t.Context())
	if got := unpassed(); got != 0 {
		t.Errorf("after a while %d are not passed", got)
	}
	store(t, s, numbered(20, 3))
	forwardAll(t, s)
	next := New(s.Config)
	forwardAll(t, next)
	if f := next.Forwarding(); f.Forwarded != 3 || len(fake.stored) != 23 {
		t.Errorf("%+v, %d lines", f, len(fake.stored))
	}
}

// Where the file is another one, or the same in an older state, forwarding goes on from what that knows.
func TestAnotherFile(t *testing.T) {
	s, fake := recorded(t)
	store(t, s, numbered(0, 5))
	forwardAll(t, s)
	other, _ := recorded(t)
	s.Embedded = other.Embedded
	store(t, s, numbered(5, 2))
	forwardAll(t, s)
	if f := s.Forwarding(); f.Forwarded != 7 || len(fake.stored) != 7 {
		t.Errorf("%+v, %d lines", f, len(fake.stored))
	}
}

// What somebody has to put right is tried once a minute, an outage sooner, and never sooner than the server asks for;
// meanwhile nothing is lost, and afterwards everything is there.
func TestPauses(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		least, max time.Duration
	}{
		{401, "", longPause, longPause}, {403, "", longPause, longPause}, {404, "", longPause, longPause},
		{503, "", 0, firstPause + time.Millisecond}, {503, "120", 2 * time.Minute, 2 * time.Minute}, {429, "7", 7 * time.Second, 7 * time.Second}, {500, "", 0, firstPause + time.Millisecond},
	} {
		s, fake := recorded(t)
		fake.fail = func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", c.retryAfter)
			w.WriteHeader(c.status)
			return true
		}
		store(t, s, numbered(0, 20))
		if pause := s.step(t.Context()); pause < c.least || pause > c.max || fake.bodies != 1 {
			t.Errorf("%d: again after %v, %d requests", c.status, pause, fake.bodies)
		}
		if f := s.Forwarding(); !strings.Contains(f.Problem, fmt.Sprint(c.status)) || f.Since.IsZero() || f.Forwarded != 0 {
			t.Errorf("%d: %+v", c.status, f)
		}
		fake.fail = nil
		forwardAll(t, s)
		if f := s.Forwarding(); f.Forwarded != 20 || len(fake.stored) != 20 || !f.Since.IsZero() {
			t.Errorf("%d: then %+v, %d lines", c.status, f, len(fake.stored))
		}
	}
}

func TestPauseAfter(t *testing.T) {
	for tries, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		for range 100 {
			if pause := pauseAfter(tries); pause <= 0 || pause > most+time.Millisecond {
				t.Errorf("after %d tries: %v", tries, pause)
			}
		}
	}
}

// More than fits is given up, the oldest first, which is counted; it is still in the embedded store, and answered.
func TestSpill(t *testing.T) {
	server := influxdtest.Open(t)
	s := opened(t, database(t, server), Auto)
	small := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "small.db")), Spill: 10}, quiet)
	if err := small.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { small.Close() })
	s.Embedded = small
	if _, err := s.follow(t.Context()); err != nil {
		t.Fatal(err)
	}
	store(t, s, numbered(0, 30))
	tidy(t, s)
	forwardAll(t, s)
	s.look(t.Context())
	if f := s.Forwarding(); f.Forwarded != 10 || f.Dropped != 20 {
		t.Errorf("%+v", f)
	}
	wantAnswers(t, "after the spill", s, 40, 30, true)
}

// What others write is left alone, and read.
func TestDataOfOthers(t *testing.T) {
	server := influxdtest.Open(t)
	config := database(t, server)
	server.Write(t, config.Database, fmt.Sprintf("°C,domain=sensor,entity_id=a value=0 %d\n", int64(moment(0))*1000))
	s := opened(t, config, Auto)
	store(t, s, numbered(1, 1))
	if pause := s.step(t.Context()); pause != restPause || s.Forwarding().Writing || s.Influx.Layout() != "home-assistant" {
		t.Errorf("again after %v: %+v", pause, s.Forwarding())
	}
	wantAnswers(t, "both", s, 10, 2, true)
	if names, err := s.Embedded.Followers(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("followers %v, %v", names, err)
	}
}

// Another database was given nothing of what the one before was given; and where there is none, nothing is kept for it.
func TestAnotherDatabase(t *testing.T) {
	server := influxdtest.Open(t)
	s := opened(t, database(t, server), Auto)
	store(t, s, numbered(0, 5))
	forwardAll(t, s)
	influx, err := history.NewInflux(database(t, server))
	if err != nil {
		t.Fatal(err)
	}
	other := New(Config{Embedded: s.Embedded, Influx: influx, Rename: renamed, Log: quiet})
	wantAnswers(t, "before it is forwarded", other, 10, 5, true)
	forwardAll(t, other)
	if f := other.Forwarding(); f.Forwarded != 5 {
		t.Errorf("%+v", f)
	}
	wantAnswers(t, "afterwards", other, 10, 5, true)
	if names, err := s.Embedded.Followers(t.Context()); err != nil || !slices.Equal(names, []string{other.name}) {
		t.Errorf("followers %v, %v", names, err)
	}
	if err := Leave(t.Context(), s.Embedded); err != nil {
		t.Fatal(err)
	}
	if names, err := s.Embedded.Followers(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("followers %v, %v", names, err)
	}
}
