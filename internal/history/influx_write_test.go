package history

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// server2 answers /write as InfluxDB 2.7 does: a line that cannot be parsed loses the whole batch, and one
// whose field has another type is left out of it.
type server2 struct {
	mu       sync.Mutex
	requests int
	lines    map[string]int
}

func (s *server2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	lines := strings.Split(strings.TrimSpace(string(body)), "\n")
	for _, line := range lines {
		if strings.Contains(line, "unparsable") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"code":"invalid","message":"unable to parse '%s': bad timestamp"}`, "...")
			return
		}
	}
	conflicts := 0
	for _, line := range lines {
		if strings.Contains(line, "conflict") {
			conflicts++
		} else {
			s.lines[line]++
		}
	}
	if conflicts > 0 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"state\" on measurement \"state_changes\" is type string, already exists as type float dropped=%d"}`, conflicts)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func numbered(n int) []Point {
	points := make([]Point, n)
	for k := range points {
		points[k] = Point{EntityID: "sensor.a", Time: Micros(k), State: fmt.Sprint(k), Context: "c"}
	}
	return points
}

// Of a batch that is refused as a whole, or in part, exactly the bad points are lost, and why is known.
func TestInfluxHalvesABatch(t *testing.T) {
	s := &server2{lines: map[string]int{}}
	i := client(t, s.ServeHTTP)
	points := numbered(1000)
	bad := map[int]string{0: "conflict", 333: "unparsable", 334: "unparsable", 700: "conflict", 999: "unparsable"}
	for n, state := range bad {
		points[n].State = state
	}
	refusals, err := i.write(t.Context(), ours, points)
	if err != nil || len(refusals) != len(bad) || len(s.lines) != len(points)-len(bad) {
		t.Fatalf("%v, %v; %d lines", refusals, err, len(s.lines))
	}
	for _, r := range refusals {
		want := map[string]string{"unparsable": "answered 400 Bad Request: unable to parse", "conflict": "answered 422 Unprocessable Entity: failure writing"}
		if kind, ok := bad[r.index]; !ok || !strings.HasPrefix(r.reason, want[kind]) {
			t.Errorf("%d: %s", r.index, r.reason)
		}
	}
	if s.requests > 100 {
		t.Errorf("%d requests", s.requests)
	}
}

// Where the server says that it dropped all, nobody looks for the bad ones among them.
func TestInfluxDropsAll(t *testing.T) {
	s := &server2{lines: map[string]int{}}
	i := client(t, s.ServeHTTP)
	points := numbered(64)
	for n := range points {
		points[n].State = "conflict"
	}
	if refusals, err := i.write(t.Context(), ours, points); err != nil || len(refusals) != 64 || refusals[63].index != 63 || s.requests != 1 {
		t.Errorf("%d refusals, %v, %d requests", len(refusals), err, s.requests)
	}
}

// What was found to be bad is known, also where the server is gone before the rest was written.
func TestInfluxKeepsRefusals(t *testing.T) {
	s := &server2{lines: map[string]int{}}
	i := client(t, func(w http.ResponseWriter, r *http.Request) {
		if s.requests == 5 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		s.ServeHTTP(w, r)
	})
	points := numbered(8)
	points[0].State, points[7].State = "unparsable", "unparsable"
	points[1].EntityID = "no id"
	refusals, err := i.write(t.Context(), ours, points)
	if faultOf(err) != down || len(refusals) != 2 || refusals[0].index != 0 || refusals[1].index != 1 {
		t.Errorf("%v, %v", refusals, err)
	}
}

// A batch that is refused for other reasons than its points is not taken apart.
func TestInfluxKeepsABatch(t *testing.T) {
	for _, c := range []struct {
		status int
		fault  fault
	}{{401, denied}, {403, denied}, {404, denied}, {405, denied}, {301, denied}, {429, down}, {500, down}, {503, down}} {
		requests := 0
		i := client(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Retry-After", "17")
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
		})
		_, err := i.write(t.Context(), ours, numbered(10))
		if faultOf(err) != c.fault || err == nil || requests != 1 {
			t.Errorf("%d: %v, %d requests", c.status, err, requests)
		}
		if e := err.(*influxError); (e.retry == 17*time.Second) != (c.fault == down) {
			t.Errorf("%d: again after %v", c.status, e.retry)
		}
	}
}

func TestInfluxLines(t *testing.T) {
	points := []Point{
		{EntityID: "sensor.a", Time: 1_700_000_000_123_456, State: "21.50", Context: "c"},
		{EntityID: "light.b", Time: -1, State: "it's \"on\" \\ \xff,\n="},
	}
	for n, want := range []string{
		`state_changes,domain=sensor,entity_id=sensor.a context_id="c",state="21.50",value=21.5 1700000000123456000
state_changes,domain=light,entity_id=light.b context_id="",state="it's \"on\" \\ ?,` + "\n" + `=" -1000
`,
		`home_assistant_events,domain=sensor,entity_id=sensor.a context_id="c",state="21.50" 1700000000123456000
home_assistant_events,domain=light,entity_id=light.b context_id="",state="it's \"on\" \\ ?,` + "\n" + `=" -1000
`,
		`sensor.a,domain=sensor,entity_id=a value=21.5 1700000000123456000
light.b,domain=light,entity_id=b state="it's \"on\" \\ ?,` + "\n" + `=" -1000
`,
	} {
		if got, refusals := layouts[n].lines(points); got != want || len(refusals) > 0 {
			t.Errorf("%s:\n%s\nwant\n%s\n%v", layouts[n].name, got, want, refusals)
		}
	}
	if got, refusals := ours.lines([]Point{{EntityID: "sensor.\n", State: "1"}, points[0]}); len(refusals) != 1 || refusals[0].index != 0 || strings.Count(got, "\n") != 1 {
		t.Errorf("%q, %v", got, refusals)
	}
}
