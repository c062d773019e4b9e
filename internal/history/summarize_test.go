package history

import (
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// minute is what the tables below count in.
const minute = Hour / 60

type step struct {
	at    Micros // minutes
	state string
}

func steps(all ...step) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, s := range all {
			if !yield(Row{Point: Point{Time: s.at * minute, State: s.state}}, nil) {
				return
			}
		}
	}
}

func summaries(t *testing.T, q BucketQuery, rows iter.Seq2[Row, error]) []Bucket {
	t.Helper()
	var all []Bucket
	for b, err := range Summarize(q, rows) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// The numbers of Home Assistant's statistics: a mean weighted by time, from the value before the start,
// with nothing counted while there is no number, and none beyond now.
func TestSummary(t *testing.T) {
	for name, c := range map[string]struct {
		points []step
		now    Micros
		want   Summary
	}{
		"held from before": {[]step{{-90, "10"}}, 60, Summary{Covered: 60 * time.Minute, Weighted: 600 * float64(time.Minute), Min: 10, Max: 10, Ranged: true}},
		"weighted": {[]step{{-1, "10"}, {45, "20"}}, 60, Summary{
			Count: 1, Numbers: 1, Sum: 20, Covered: 60 * time.Minute, Weighted: 750 * float64(time.Minute), Min: 10, Max: 20, Ranged: true,
			First: Sample{45 * minute, "20"}, Last: Sample{45 * minute, "20"}, Change: 10, Metered: 10, Changed: true}},
		"not before the first": {[]step{{30, "4"}}, 60, Summary{
			Count: 1, Numbers: 1, Sum: 4, Covered: 30 * time.Minute, Weighted: 120 * float64(time.Minute), Min: 4, Max: 4, Ranged: true,
			First: Sample{30 * minute, "4"}, Last: Sample{30 * minute, "4"}}},
		"not while unavailable": {[]step{{-5, "1"}, {10, "unavailable"}, {50, "3"}}, 60, Summary{
			Count: 2, Numbers: 1, Sum: 3, Covered: 20 * time.Minute, Weighted: 40 * float64(time.Minute), Min: 1, Max: 3, Ranged: true,
			First: Sample{50 * minute, "3"}, Last: Sample{50 * minute, "3"}, Change: 2, Metered: 2, Changed: true,
			States: map[string]time.Duration{"unavailable": 40 * time.Minute}}},
		"not in the future": {[]step{{0, "1"}, {40, "5"}}, 30, Summary{
			Count: 1, Numbers: 1, Sum: 1, Covered: 30 * time.Minute, Weighted: 30 * float64(time.Minute), Min: 1, Max: 1, Ranged: true,
			First: Sample{0, "1"}, Last: Sample{0, "1"}}},
		"texts": {[]step{{-5, "off"}, {15, "on"}, {20, "off"}}, 60, Summary{
			Count: 2, First: Sample{15 * minute, "on"}, Last: Sample{20 * minute, "off"},
			States: map[string]time.Duration{"off": 55 * time.Minute, "on": 5 * time.Minute}}},
		"a meter": {[]step{{-5, "100"}, {10, "101.5"}, {20, "unknown"}, {30, "103"}, {40, "2"}, {50, "1.9"}}, 60, Summary{
			Count: 5, Numbers: 4, Sum: 208.4, Covered: 50 * time.Minute, Weighted: (1000 + 1015 + 1030 + 20 + 19) * float64(time.Minute), Min: 1.9, Max: 103, Ranged: true,
			First: Sample{10 * minute, "101.5"}, Last: Sample{50 * minute, "1.9"},
			Change: 1.9 - 100, Metered: 1.5 + 1.5 + 2 - 0.1, Changed: true, States: map[string]time.Duration{"unknown": 10 * time.Minute}}},
		"a text between":    {[]step{{0, "5"}, {10, "broken"}, {20, "9"}}, 20, Summary{Count: 2, Numbers: 1, Sum: 5, Covered: 10 * time.Minute, Weighted: 50 * float64(time.Minute), Min: 5, Max: 5, Ranged: true, First: Sample{0, "5"}, Last: Sample{10 * minute, "broken"}, States: map[string]time.Duration{"broken": 10 * time.Minute}}},
		"known before that": {[]step{{-9, "5"}, {-8, "unavailable"}, {0, "7"}}, 60, Summary{Count: 1, Numbers: 1, Sum: 7, Covered: 60 * time.Minute, Weighted: 420 * float64(time.Minute), Min: 7, Max: 7, Ranged: true, First: Sample{0, "7"}, Last: Sample{0, "7"}, Change: 2, Metered: 2, Changed: true}},
		"doubles":           {[]step{{0, "7"}, {0, "8"}}, 60, Summary{Count: 1, Numbers: 1, Sum: 7, Covered: 60 * time.Minute, Weighted: 420 * float64(time.Minute), Min: 7, Max: 7, Ranged: true, First: Sample{0, "7"}, Last: Sample{0, "7"}}},
	} {
		got := summaries(t, BucketQuery{Edges: []Micros{0, Hour}, Parts: All, Now: c.now * minute}, steps(c.points...))
		if len(got) != 1 || !same(got[0].Summary, c.want) {
			t.Errorf("%s: %+v\nwant %+v", name, got, c.want)
		}
	}
}

func same(a, b Summary) bool {
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }
	return a.Count == b.Count && a.Numbers == b.Numbers && near(a.Sum, b.Sum) && a.Covered == b.Covered && near(a.Weighted, b.Weighted) &&
		a.Ranged == b.Ranged && a.Min == b.Min && a.Max == b.Max && a.First == b.First && a.Last == b.Last &&
		a.Changed == b.Changed && near(a.Change, b.Change) && near(a.Metered, b.Metered) && a.TooMany == b.TooMany && maps.Equal(a.States, b.States)
}

// Summaries of spans that follow one another merge to the summary of all of them.
func TestMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		points := randomSteps(random)
		edges := []Micros{0}
		for range 1 + random.IntN(30) {
			edges = append(edges, edges[len(edges)-1]+1+Micros(random.Int64N(int64(Hour))))
		}
		now := Micros(random.Int64N(int64(30 * Hour)))
		var merged Summary
		for _, b := range summaries(t, BucketQuery{Edges: edges, Parts: All, Now: now}, steps(points...)) {
			merged.Merge(&b.Summary)
		}
		var want Summary
		for _, b := range summaries(t, BucketQuery{Edges: []Micros{0, edges[len(edges)-1]}, Parts: All, Now: now}, steps(points...)) {
			want = b.Summary
		}
		if !same(merged, want) {
			t.Fatalf("%+v\nwant %+v\nof %v at %v", merged, want, points, edges)
		}
	}
}

func randomSteps(random *rand.Rand) (points []step) {
	for at := Micros(-300); at < 2000; at += 1 + Micros(random.IntN(120)) {
		state := []string{"on", "off", "unavailable", "", "unknown", strconv.Itoa(random.IntN(2000) - 500), "1.5"}[random.IntN(7)]
		points = append(points, step{at, state})
	}
	return points
}

// Too many states are not told apart, in whatever order they are summed up.
func TestTooManyStates(t *testing.T) {
	var points []step
	for i := range Micros(MaxStates + 1) {
		points = append(points, step{i, "state " + strconv.Itoa(int(i))})
	}
	for _, edges := range [][]Micros{{0, 10 * Hour}, {0, Hour, 2 * Hour, 3 * Hour, 4 * Hour, 5 * Hour, 10 * Hour}} {
		var merged Summary
		for _, b := range summaries(t, BucketQuery{Edges: edges, Parts: All, Now: Forever}, steps(points...)) {
			merged.Merge(&b.Summary)
		}
		if !merged.TooMany || merged.States != nil || merged.Count != MaxStates+1 {
			t.Errorf("%v: %+v", edges, merged)
		}
	}
}

func TestNumber(t *testing.T) {
	numbers := map[string]float64{"0": 0, "-1.5": -1.5, "+3": 3, ".5": .5, "1e3": 1000, "21.50": 21.5}
	for state, want := range numbers {
		if got, ok := Number(state); !ok || got != want {
			t.Errorf("%q: %v, %v", state, got, ok)
		}
	}
	for _, state := range []string{"", "on", "nan", "NaN", "inf", "-inf", "Infinity", "1e999", "0x10", "1_000", "1,5", " 1", "1 ", "2026-01-01", "-", "infinity"} {
		if got, ok := Number(state); ok {
			t.Errorf("%q is %v", state, got)
		}
	}
}

func TestIsEntityID(t *testing.T) {
	for _, id := range []string{"", ".", "a.", ".a", "a.b.c", "A.b", "a.b'", "a b.c", "ä.b", "a.b\n", "sensor.a/b"} {
		if IsEntityID(id) {
			t.Errorf("%q", id)
		}
	}
	if good := []string{"light.a", "sensor.1_x", "a.b"}; !slices.Equal(good, slices.DeleteFunc(slices.Clone(good), func(id string) bool { return !IsEntityID(id) })) {
		t.Error(good)
	}
}
