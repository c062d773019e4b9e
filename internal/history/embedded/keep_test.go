package embedded_test

import (
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/historytest"
)

const day = 24 * time.Hour

// aged returns a store on a file that kept everything at first, and then, opened anew with config, only that.
func aged(t *testing.T, points []history.Point, config embedded.Config) *embedded.Store {
	t.Helper()
	config.DB = db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))
	young := opened(t, embedded.Config{DB: config.DB})
	store(t, young, points)
	tidy(t, young)
	if err := young.Close(); err != nil {
		t.Fatal(err)
	}
	old := opened(t, config)
	tidy(t, old)
	return old
}

func store(t *testing.T, s *embedded.Store, points []history.Point) {
	t.Helper()
	outcomes, err := s.Append(t.Context(), points)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if o.Result != history.Stored {
			t.Fatalf("%+v: %+v", points[i], o)
		}
	}
}

func tidy(t *testing.T, s *embedded.Store) {
	t.Helper()
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// until takes what a sequence yields before its error.
func until[T any](s iter.Seq2[T, error]) (values []T, failure error) {
	for v, err := range s {
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
	return values, nil
}

func wantPartial(t *testing.T, what string, err error) {
	t.Helper()
	var p *history.Partial
	if !errors.As(err, &p) || !errors.Is(err, history.ErrTooFine) || p.From >= p.Until {
		t.Errorf("%s: %v, want a *Partial of ErrTooFine", what, err)
	}
}

// Whole hours and days are summed up as they were when the points are gone; finer buckets are refused.
func TestHoursOutliveTheirPoints(t *testing.T) {
	points := historytest.Subject{}.Home(3, history.At(time.UnixMicro(0).Add(10*day)))
	s := aged(t, points, embedded.Config{Retention: 2 * day})
	start := historytest.Now - 11*24*history.Hour
	for _, every := range []history.Micros{history.Hour, 24 * history.Hour} {
		q := history.BucketQuery{Series: historytest.All(), Edges: historytest.Edges(start, historytest.Now, every), Parts: history.All, Now: historytest.Now}
		historytest.Subject{}.Agrees(t, s, points, q)
		q.Edges = q.Edges[len(q.Edges)/2:] // what holds at the first edge is known by hours only
		historytest.Subject{}.Agrees(t, s, points, q)
	}
	fine := history.BucketQuery{Series: historytest.All(), Edges: historytest.Edges(start, historytest.Now, history.Hour/12), Parts: history.Means, Now: historytest.Now}
	if got, err := until(s.Buckets(t.Context(), fine)); !errors.Is(err, history.ErrTooFine) || len(got) > 0 {
		t.Errorf("buckets of 5 minutes: %d, %v; want ErrTooFine", len(got), err)
	}
	fine.Edges = historytest.Edges(historytest.Now-40*history.Hour, historytest.Now, history.Hour/12)
	historytest.Subject{}.Agrees(t, s, points, fine)
}

func TestPointsAreKeptForTheirTime(t *testing.T) {
	points := historytest.Subject{}.Home(4, history.At(time.UnixMicro(0).Add(10*day)))
	s := aged(t, points, embedded.Config{Retention: 2 * day})
	left, err := until(s.Range(t.Context(), history.Query{Series: historytest.All(), Start: history.Always, End: history.Forever}))
	wantPartial(t, "range", err)
	border, rows := history.At(time.Now().Add(-2*day-2*time.Hour)), 0
	for _, p := range points {
		if p.Time >= history.At(time.Now().Add(-2*day)) {
			rows++
		}
	}
	old := slices.DeleteFunc(slices.Clone(left), func(r history.Row) bool { return r.Time >= border })
	if len(left) < rows || len(left) > rows*2 || len(old) > len(historytest.All()) {
		t.Errorf("%d points are left, %d of them old; want those %d of two days and no more than one old one of each entity", len(left), len(old), rows)
	}
	last, err := s.Last(t.Context(), historytest.All(), history.Forever)
	if err != nil || len(last) != len(historytest.All())-1 {
		t.Errorf("last: %d, %v; want that of every entity that has any", len(last), err)
	}
	counts, err := s.Count(t.Context(), nil, historytest.Edges(historytest.Now-11*24*history.Hour, historytest.Now+history.Hour, history.Hour))
	sum := int64(0)
	for _, n := range counts {
		sum += n
	}
	if err != nil || sum != int64(len(points)) {
		t.Errorf("%d counted, %v; want all %d by their hours", sum, err, len(points))
	}
	outcomes, err := s.Append(t.Context(), []history.Point{{EntityID: "sensor.late", Time: historytest.Now - 72*history.Hour, State: "1"}})
	if err != nil || outcomes[0].Result != history.Rejected {
		t.Errorf("a point of three days ago: %+v, %v", outcomes, err)
	}
}

// Hours that are too old are missing by name, not by silence.
func TestHoursAreKeptForTheirTime(t *testing.T) {
	points := historytest.Subject{}.Home(5, history.At(time.UnixMicro(0).Add(10*day)))
	s := aged(t, points, embedded.Config{Retention: 2 * day, Hours: 4 * day})
	edges := historytest.Edges(historytest.Now-11*24*history.Hour, historytest.Now, history.Hour)
	buckets, err := until(s.Buckets(t.Context(), history.BucketQuery{Series: historytest.All(), Edges: edges, Parts: history.Counts, Now: historytest.Now}))
	wantPartial(t, "buckets", err)
	for _, b := range buckets {
		if b.Count > 0 && edges[b.Index] < historytest.Now-(4*24+2)*history.Hour {
			t.Fatalf("there still is %+v of %s", b, edges[b.Index])
		}
	}
	if len(buckets) == 0 {
		t.Error("nothing is left of the hours of four days")
	}
	_, err = s.Count(t.Context(), nil, edges)
	wantPartial(t, "count", err)
}
