package historytest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"dataapi/internal/history"
)

// Every store sums up as the reference does, whatever the buckets are.
func testBuckets(t *testing.T, s Subject) {
	for seed := range uint64(3) {
		points := s.Home(10+seed, 90*history.Hour)
		store := s.filled(t, points)
		for _, every := range []history.Micros{history.Hour / 12, history.Hour, 7 * history.Hour, 24 * history.Hour} {
			for _, parts := range []history.Parts{history.All, history.Means, history.Counts, history.Changes | history.Lasts} {
				s.Agrees(t, store, points, history.BucketQuery{
					Series: All(), Edges: Edges(Now-50*history.Hour, Now+2*history.Hour, every), Parts: parts, Now: Now - 90_000_001,
				})
			}
		}
	}
}

// Edges are those of buckets of equal length.
func Edges(start, end, every history.Micros) []history.Micros {
	var all []history.Micros
	for e := start - start%every; e <= end; e += every {
		all = append(all, e)
	}
	return all
}

// Days are of 23 to 25 hours, and months of 28 to 31 days.
func testCalendar(t *testing.T, s Subject) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	points := s.Home(20, 24*25*history.Hour)
	store := s.filled(t, points)
	var days, months []history.Micros
	for d := range 30 {
		y, m, day := Now.Time().In(zone).Date()
		days = append(days, history.At(time.Date(y, m, day-28+d, 0, 0, 0, 0, zone)))
		if d%10 == 0 {
			months = append(months, history.At(time.Date(y, m-2+time.Month(d/10), 1, 0, 0, 0, 0, zone)))
		}
	}
	for _, e := range [][]history.Micros{days, months} {
		s.Agrees(t, store, points, history.BucketQuery{Series: All(), Edges: e, Parts: history.All, Now: Now})
	}
}

// Agrees compares buckets with the reference in the parts that are asked for.
func (s Subject) Agrees(t *testing.T, store history.Store, points []history.Point, q history.BucketQuery) {
	t.Helper()
	want := map[[2]int]history.Summary{}
	for _, b := range collect(t, history.Summarize(q, sequence(rowsOf(points, q.Series)))) {
		want[[2]int{b.Series, b.Index}] = b.Summary
	}
	previous := [2]int{-1, -1}
	for _, b := range collect(t, store.Buckets(t.Context(), q)) {
		at := [2]int{b.Series, b.Index}
		if slices.Compare(at[:], previous[:]) <= 0 {
			t.Fatalf("bucket %v after %v", at, previous)
		}
		previous = at
		if w := want[at]; !s.agree(b.Summary, w, q.Parts) {
			t.Fatalf("bucket %v from %s until %s:\n%+v\nwant\n%+v", at, q.Edges[b.Index], q.Edges[b.Index+1], b.Summary, w)
		}
		delete(want, at)
	}
	for at, w := range want {
		if !s.agree(history.Summary{}, w, q.Parts) {
			t.Fatalf("bucket %v is missing, want %+v", at, w)
		}
	}
}

func (s Subject) agree(a, b history.Summary, parts history.Parts) bool {
	is := func(p history.Parts, same bool) bool { return parts&p == 0 || same }
	return is(history.Counts, a.Count == b.Count) &&
		is(history.Sums, a.Numbers == b.Numbers && near(a.Sum, b.Sum)) &&
		is(history.Means, a.Covered == b.Covered && near(a.Weighted, b.Weighted)) &&
		is(history.Ranges, a.Ranged == b.Ranged && near(a.Min, b.Min) && near(a.Max, b.Max)) &&
		is(history.Firsts, s.sameSample(a.First, b.First)) &&
		is(history.Lasts, s.sameSample(a.Last, b.Last)) &&
		is(history.Changes, a.Changed == b.Changed && near(a.Change, b.Change) && near(a.Metered, b.Metered)) &&
		is(history.Times, a.TooMany == b.TooMany && maps.Equal(a.States, b.States))
}

func (s Subject) sameSample(a, b history.Sample) bool {
	return s.samePoint(history.Point{Time: a.At, State: a.State}, history.Point{Time: b.At, State: b.State})
}

// near says whether two sums are the same but for rounding. What adds up to nothing has no relative error.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b))
}

// Pages follow one another without gaps and doubles, also where times are equal.
func testEvents(t *testing.T, s Subject) {
	points := s.Home(30, 40*history.Hour)
	for _, e := range entities {
		points = append(points, history.Point{EntityID: e.id, RegistryID: e.registryID, Time: Now - history.Hour, State: "5"})
	}
	points = slices.CompactFunc(slices.SortedFunc(slices.Values(points), newestFirst), func(a, b history.Point) bool { return newestFirst(a, b) == 0 })
	store := s.filled(t, points)
	for _, series := range [][]history.Series{nil, All()[1:4]} {
		var want []history.Point
		for _, p := range points {
			in := slices.ContainsFunc(series, func(s history.Series) bool { return s.Names[0].EntityID == p.EntityID })
			if (series == nil || in) && p.Time >= Now-20*history.Hour && p.Time < Now-history.Hour/2 {
				want = append(want, p)
			}
		}
		var got []history.Event
		page := history.Page{Series: series, Start: Now - 20*history.Hour, End: Now - history.Hour/2, Limit: 7}
		for {
			events, err := store.Events(t.Context(), page)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, events...)
			if len(events) < page.Limit {
				break
			}
			last := events[len(events)-1]
			page.Before = history.Cursor{Time: last.Time, EntityID: last.EntityID}
		}
		s.sameEvents(t, got, want, points)
	}
}

func newestFirst(a, b history.Point) int {
	return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(b.EntityID, a.EntityID))
}

// sameEvents compares events with the points that they should be, all of which are among points.
func (s Subject) sameEvents(t *testing.T, got []history.Event, want, points []history.Point) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i, e := range got {
		if !s.samePoint(e.Point, want[i]) {
			t.Fatalf("event %d: %+v, want %+v", i, e, want[i])
		}
		if e.Old == nil && !e.Complete {
			continue
		}
		before := slices.IndexFunc(points, func(p history.Point) bool { return p.EntityID == e.EntityID && p.Time < e.Time })
		if (before < 0) != (e.Old == nil) || before >= 0 && !s.samePoint(history.Point{State: *e.Old}, history.Point{State: points[before].State}) {
			t.Fatalf("event %+v: its old state is not right", e)
		}
	}
}

func testCount(t *testing.T, s Subject) {
	points := s.Home(40, 30*history.Hour)
	store := s.filled(t, points)
	e := Edges(Now-26*history.Hour, Now, 5*history.Hour)
	for _, series := range [][]history.Series{nil, All()[:3]} {
		want := make([]int64, len(e)-1)
		seen := map[string]history.Seen{}
		for _, p := range points {
			in := slices.ContainsFunc(series, func(s history.Series) bool { return s.Names[0].EntityID == p.EntityID })
			if i, _ := slices.BinarySearch(e, p.Time+1); i > 0 && i < len(e) && (series == nil || in) {
				want[i-1]++
				seen[p.EntityID] = history.Seen{EntityID: p.EntityID, Count: seen[p.EntityID].Count + 1, Last: max(p.Time, seen[p.EntityID].Last)}
			}
		}
		got, err := store.Count(t.Context(), series, e)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("count: %v, %v, want %v", got, err, want)
		}
		if series != nil {
			continue
		}
		who, err := store.Seen(t.Context(), e[0], e[len(e)-1])
		byID := func(a, b history.Seen) int { return cmp.Compare(a.EntityID, b.EntityID) }
		if err != nil || !slices.Equal(who, slices.SortedFunc(maps.Values(seen), byID)) {
			t.Errorf("seen: %v, %v, want %v", who, err, seen)
		}
	}
}
