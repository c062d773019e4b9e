package embedded_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// numbered are points of one entity, a second apart, the last one two days ago.
func numbered(n int) []history.Point {
	points := make([]history.Point, n)
	for i := range points {
		at := history.At(time.Now().Add(-2*day)) + history.Micros(i-n)*history.Hour/3600
		points[i] = history.Point{EntityID: "sensor.a", RegistryID: "r", Time: at, State: fmt.Sprint(i)}
	}
	return points
}

func unpassed(t *testing.T, s *embedded.Store, want string) []embedded.Entry {
	t.Helper()
	entries, err := s.Unpassed(t.Context(), "f", 1000)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(len(entries))
	if len(entries) > 0 {
		got += " from " + entries[0].State
	}
	if got != want {
		t.Fatalf("not passed: %s, want %s", got, want)
	}
	return entries
}

// What a follower has not passed stays, however old it is and whether it is at its place or not.
func TestFollower(t *testing.T) {
	s := opened(t, embedded.Config{})
	points := numbered(30)
	store(t, s, points[:10])
	for range 2 { // the second time changes nothing
		if err := s.Follow(t.Context(), "f", true); err != nil {
			t.Fatal(err)
		}
	}
	store(t, s, points[10:])
	tidy(t, s)
	entries := unpassed(t, s, "20 from 10")
	for _, id := range []int64{entries[4].ID, entries[2].ID} { // it does not go back
		if err := s.Pass(t.Context(), "f", id); err != nil {
			t.Fatal(err)
		}
	}
	tidy(t, s)
	entries = unpassed(t, s, "15 from 15")
	if err := s.Pass(t.Context(), "f", entries[14].ID); err != nil {
		t.Fatal(err)
	}
	tidy(t, s)
	unpassed(t, s, "0")
	store(t, s, []history.Point{{EntityID: "sensor.a", RegistryID: "r", Time: history.At(time.Now()), State: "new"}})
	unpassed(t, s, "1 from new") // whose id was not given before
}

// Beyond the limit the oldest is given up, counted, and still in the past.
func TestSpill(t *testing.T) {
	s := opened(t, embedded.Config{Spill: 12})
	if err := s.Follow(t.Context(), "f", false); err != nil {
		t.Fatal(err)
	}
	store(t, s, numbered(40))
	tidy(t, s)
	unpassed(t, s, "12 from 28")
	rows, err := until(s.Range(t.Context(), history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: history.Always, End: history.Forever}))
	if err != nil || len(rows) != 40 {
		t.Errorf("%d points, %v; want all 40", len(rows), err)
	}
	waitFor(t, s, func(h history.Health) bool { return h.Dropped == 28 && h.Buffered == 12 && h.Lag > day })
}

// waitFor runs the store until its health is as wanted.
func waitFor(t *testing.T, s *embedded.Store, wanted func(history.Health) bool) {
	t.Helper()
	defer running(t, s)()
	for deadline := time.Now().Add(time.Minute); !wanted(s.Health(t.Context())); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%+v", s.Health(t.Context()))
		}
	}
}

// A store that runs opens its file by itself and puts what is there to its place.
func TestRun(t *testing.T) {
	config := embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}
	s := embedded.New(config, quiet)
	t.Cleanup(func() { s.Close() })
	if h := s.Health(t.Context()); h.Status != history.Unknown {
		t.Errorf("before: %+v", h)
	}
	waitFor(t, s, func(h history.Health) bool {
		return h.Status == history.Healthy && h.Version != "" && !h.Since.IsZero()
	})
}

// A store that is not open says so everywhere, and shows nothing as empty.
func TestNotOpen(t *testing.T) {
	s := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, quiet)
	defer s.Close()
	ctx, series := t.Context(), []history.Series{history.Named("sensor.a")}
	edges := []history.Micros{0, history.Hour}
	failures := map[string]error{}
	_, failures["append"] = s.Append(ctx, numbered(1))
	_, failures["range"] = until(s.Range(ctx, history.Query{Series: series, End: history.Forever}))
	_, failures["buckets"] = until(s.Buckets(ctx, history.BucketQuery{Series: series, Edges: edges, Parts: history.All, Now: history.Hour}))
	_, failures["last"] = s.Last(ctx, series, history.Forever)
	_, failures["events"] = s.Events(ctx, history.Page{End: history.Forever, Limit: 10})
	_, failures["count"] = s.Count(ctx, nil, edges)
	_, failures["seen"] = s.Seen(ctx, history.Always, history.Forever)
	_, failures["unpassed"] = s.Unpassed(ctx, "f", 10)
	failures["tidy"] = s.Tidy(ctx)
	for what, err := range failures {
		if !errors.Is(db.Classify(err), db.ErrUnavailable) || !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
