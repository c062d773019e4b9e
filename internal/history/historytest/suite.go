// Package historytest is the suite that every history.Store has to pass.
package historytest

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dataapi/internal/history"
)

// Subject is a kind of store under test.
type Subject struct {
	// Open returns an empty store, which ends with the test.
	Open func(t *testing.T) history.Store
	// Settle waits until what was appended can be read; nil where that is at once.
	Settle func(t *testing.T, s history.Store)
	// Grain is the finest step of its times; 0 for a microsecond.
	Grain history.Micros
	// KnownOnly says that "unavailable" and "unknown" are not kept, as by Home Assistant's integration.
	KnownOnly bool
	// NamesOnly says that registry ids are not kept: points are found by the names of a series alone.
	NamesOnly bool
	// Coarse says that the text of a number may be another one of the same number ("21.50", "21.5").
	Coarse bool
}

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	for name, test := range map[string]func(*testing.T, Subject){
		"Append":    testAppend,
		"Range":     testRange,
		"Renamed":   testRenamed,
		"Texts":     testTexts,
		"Buckets":   testBuckets,
		"Calendar":  testCalendar,
		"Asked":     testAsked,
		"Last":      testLast,
		"Events":    testEvents,
		"Count":     testCount,
		"Cancelled": testCancelled,
		"Stopped":   testStopped,
		"Empty":     testEmpty,
	} {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// Now is the end of the home's past: a full hour, so that buckets of hours can end there.
var Now = history.At(time.Now().Add(-2 * time.Minute).Truncate(time.Hour))

// filled returns a store with the points, all of which it must store.
func (s Subject) filled(t *testing.T, points []history.Point) history.Store {
	t.Helper()
	store := s.Open(t)
	s.append(t, store, points)
	return store
}

func (s Subject) append(t *testing.T, store history.Store, points []history.Point) {
	t.Helper()
	for batch := range slices.Chunk(points, 1000) {
		outcomes, err := store.Append(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(outcomes) != len(batch) {
			t.Fatalf("%d outcomes of %d points", len(outcomes), len(batch))
		}
		for i, o := range outcomes {
			if o.Result != history.Stored {
				t.Fatalf("%+v: %+v", batch[i], o)
			}
		}
	}
	s.settle(t, store)
}

func (s Subject) settle(t *testing.T, store history.Store) {
	t.Helper()
	if s.Settle != nil {
		s.Settle(t, store)
	}
}

// Home is a made-up past of some entities of every kind: in random order, of random density.
func (s Subject) Home(seed uint64, span history.Micros) []history.Point {
	random := rand.New(rand.NewPCG(seed, 1))
	var points []history.Point
	for _, e := range entities {
		t := Now - span + history.Micros(random.Int64N(int64(span)/2))
		for i := 0; t < Now; i++ {
			p := history.Point{EntityID: e.id, RegistryID: e.registryID, Time: t - t%max(1, s.Grain), State: e.state(random, i)}
			if history.IsKnown(p.State) || !s.KnownOnly {
				points = append(points, p)
			}
			t += max(s.Grain, 1) + history.Micros(random.ExpFloat64()*float64(e.every))
		}
	}
	random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	return points
}

// entities are what there is in the home.
var entities = []struct {
	id, registryID string
	every          history.Micros
	state          func(*rand.Rand, int) string
}{
	{"sensor.hall_temperature", "r1", history.Hour / 6, func(r *rand.Rand, _ int) string {
		return sometimes(r, "unavailable", fmt.Sprintf("%.1f", 20+3*r.NormFloat64()))
	}},
	{"sensor.energy", "r2", history.Hour / 4, func(r *rand.Rand, i int) string {
		return sometimes(r, "unknown", fmt.Sprintf("%.3f", float64(i%37)*1.25+r.Float64()/10))
	}},
	{"binary_sensor.door", "r3", history.Hour * 2, func(_ *rand.Rand, i int) string { return []string{"on", "off"}[i%2] }},
	{"light.hall", "", history.Hour * 3, func(r *rand.Rand, i int) string {
		return sometimes(r, "unavailable", []string{"on", "off"}[i%2])
	}},
	{"sensor.rare", "r5", history.Hour * 30, func(r *rand.Rand, _ int) string { return fmt.Sprint(r.IntN(1000) - 500) }},
	{"sensor.mode", "r6", history.Hour, func(r *rand.Rand, _ int) string {
		return []string{"eco", "12.5", "Küche 'x' \\ \"y\"", "7"}[r.IntN(4)]
	}},
}

func sometimes(r *rand.Rand, rare, usual string) string {
	if r.IntN(12) == 0 {
		return rare
	}
	return usual
}

// All are the series of the home, and one that has no points.
func All() []history.Series {
	series := []history.Series{history.Named("sensor.nothing")}
	for _, e := range entities {
		s := history.Named(e.id)
		s.RegistryID = e.registryID
		series = append(series, s)
	}
	return series
}

// rowsOf are the points of series as a store should yield them.
func rowsOf(points []history.Point, series []history.Series) []history.Row {
	var rows []history.Row
	for i, s := range series {
		first := len(rows)
		for _, p := range points {
			if slices.ContainsFunc(s.Names, func(n history.Name) bool {
				return n.EntityID == p.EntityID && n.From <= p.Time && p.Time < n.Until
			}) {
				rows = append(rows, history.Row{Series: i, Point: p})
			}
		}
		slices.SortFunc(rows[first:], func(a, b history.Row) int { return int(a.Time - b.Time) })
	}
	return rows
}

func sequence(rows []history.Row) iter.Seq2[history.Row, error] {
	return func(yield func(history.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func collect[T any](t *testing.T, s iter.Seq2[T, error]) []T {
	t.Helper()
	var values []T
	for v, err := range s {
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	return values
}

// cancelled is a context that has ended.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
