package embedded

import (
	"log/slog"
	"path/filepath"
	"testing"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
	"dataapi/internal/history/historytest"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s := New(Config{DB: db.DefaultConfig(path)}, slog.New(slog.DiscardHandler))
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// A move that ends after some of the entities changes no answer: not before it goes on, not when more comes
// meanwhile, and not after another process has finished it.
func TestMoveThatStopsHalfway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	points := historytest.Subject{}.Home(6, 60*history.Hour)
	s := open(t, path)
	early, late := points[:len(points)*3/4], points[len(points)*3/4:]
	appendAll(t, s, early)
	newest, err := s.db.NewestID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	moving, err := s.db.ListMoving(t.Context(), historydb.ListMovingParams{Until: newest})
	if err != nil || len(moving) < 4 {
		t.Fatal(moving, err)
	}
	if err := s.moveSome(t.Context(), 0, newest, moving[:3]); err != nil {
		t.Fatal(err)
	}
	agree(t, s, early)
	appendAll(t, s, late)
	agree(t, s, points)
	other := open(t, path)
	agree(t, other, points)
	if err := other.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	agree(t, other, points)
	agree(t, s, points) // which has a tail of before
	if outcomes, err := s.Append(t.Context(), points[:50]); err != nil || outcomes[0].Result != history.Duplicate || outcomes[49].Result != history.Duplicate {
		t.Errorf("moved points again: %v, %v", outcomes, err)
	}
}

func appendAll(t *testing.T, s *Store, points []history.Point) {
	t.Helper()
	if _, err := s.Append(t.Context(), points); err != nil {
		t.Fatal(err)
	}
}

// agree holds a store to the reference, and to the number of points.
func agree(t *testing.T, s *Store, points []history.Point) {
	t.Helper()
	for _, every := range []history.Micros{history.Hour / 4, history.Hour} {
		edges := historytest.Edges(historytest.Now-61*history.Hour, historytest.Now+history.Hour, every)
		historytest.Subject{}.Agrees(t, s, points, history.BucketQuery{Series: historytest.All(), Edges: edges, Parts: history.All, Now: history.Forever})
	}
	rows, events := 0, 0
	for _, err := range s.Range(t.Context(), history.Query{Series: historytest.All(), Start: history.Always, End: history.Forever}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	page, err := s.Events(t.Context(), history.Page{Start: history.Always, End: history.Forever, Limit: 10 * len(points)})
	if events = len(page); err != nil || rows != len(points) || events != len(points) {
		t.Errorf("%d points, %d events, %v; want %d of both", rows, events, err, len(points))
	}
}
