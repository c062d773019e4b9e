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

// arrived are what came after a place, as "state (what was before, and what was known)".
func arrived(t *testing.T, s *embedded.Store, since db.Position, limit int) (texts []string, next db.Position) {
	t.Helper()
	all, err := s.Arrivals(t.Context(), since, limit)
	if err != nil {
		t.Fatal(err)
	}
	text := func(s *string) string {
		if s == nil {
			return "-"
		}
		return *s
	}
	for _, a := range all.List {
		texts = append(texts, fmt.Sprintf("%s (%s, %s)", a.State, text(a.Old), text(a.Known)))
	}
	return texts, all.Next
}

func placeNow(t *testing.T, s *embedded.Store) db.Position {
	t.Helper()
	p, err := s.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Points come in an order of their own, and what was before is told by their times, be it moved or not.
func TestArrivals(t *testing.T) {
	s := opened(t, embedded.Config{})
	begin := placeNow(t, s)
	now := history.At(time.Now())
	point := func(minutes history.Micros, state string) history.Point {
		return history.Point{EntityID: "sensor.a", RegistryID: "r", Time: now - minutes*history.Hour/60, State: state, Context: "c" + state}
	}
	store(t, s, []history.Point{point(30, "1"), point(20, "unavailable"), point(10, "3")})
	tidy(t, s)
	store(t, s, []history.Point{point(15, "late"), point(40, "first"), point(5, "unknown")})
	want := []string{"1 (first, first)", "unavailable (1, 1)", "3 (late, late)", "late (unavailable, 1)", "first (-, -)", "unknown (3, 3)"}
	for limit := range len(want) + 2 {
		if limit == 0 {
			continue
		}
		var got []string
		for at := begin; ; {
			texts, next := arrived(t, s, at, limit)
			got = append(got, texts...)
			if next == at {
				break
			}
			at = next
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("by %d: got %v, want %v", limit, got, want)
		}
	}
	all, err := s.Arrivals(t.Context(), begin, 1)
	if err != nil || all.List[0].Context != "c1" || all.List[0].RegistryID != "r" || all.List[0].Time != now-history.Hour/2 || !all.List[0].Complete {
		t.Errorf("%+v %v", all.List, err)
	}
}

// Whoever comes too late is told what is lost, and goes on with what is kept.
func TestArrivalsThatAreGone(t *testing.T) {
	s := opened(t, embedded.Config{})
	begin := placeNow(t, s)
	points := numbered(20)
	store(t, s, points[:10])
	middle := placeNow(t, s)
	tidy(t, s)
	store(t, s, points[10:])
	gone := func(since db.Position, want db.Reason) {
		t.Helper()
		_, err := s.Arrivals(t.Context(), since, 100)
		var g *db.Gone
		if !errors.As(err, &g) || g.Reason != want || g.Detail == "" {
			t.Errorf("%+v: %v, want %s", since, err, want)
		}
	}
	gone(begin, db.Pruned)
	log, err := s.Locate(t.Context(), begin)
	if !errors.Is(err, db.ErrGone) || log.Oldest.Seq != 9 || log.Newest != placeNow(t, s) {
		t.Errorf("%+v %v", log, err)
	}
	for _, from := range []db.Position{log.Oldest, middle} {
		if texts, _ := arrived(t, s, from, 100); len(texts) != int(20-from.Seq) {
			t.Errorf("after %+v: %v", from, texts)
		}
	}
	beyond := placeNow(t, s)
	beyond.Seq++
	gone(beyond, db.Beyond)
	other := middle
	other.At++ // a copy that was put back, and written to since
	gone(other, db.OtherLog)
	next := opened(t, embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "other.db"))})
	store(t, next, points)
	if _, err := next.Arrivals(t.Context(), middle, 1); !errors.Is(err, db.ErrGone) {
		t.Errorf("another file goes on: %v", err)
	}
}

// Whoever waits is told of what is stored, as soon as it is.
func TestArrived(t *testing.T) {
	s := opened(t, embedded.Config{})
	signal := s.Arrived()
	select {
	case <-signal:
		t.Fatal("nothing has arrived")
	default:
	}
	store(t, s, numbered(1))
	select {
	case <-signal:
	default:
		t.Error("nothing was told")
	}
}
