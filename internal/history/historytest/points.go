package historytest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/internal/history"
)

// Each point has its own outcome, and the bad ones do no harm to the others.
func testAppend(t *testing.T, s Subject) {
	store := s.Open(t)
	good := history.Point{EntityID: "sensor.a", RegistryID: "r1", Time: Now, State: "1", Context: "c", Attributes: []byte(`{"unit":"W"}`)}
	bad := map[string]history.Point{
		"entity_id":     {EntityID: "Sensor.A", Time: Now, State: "1"},
		"entity_id: ":   {EntityID: "sensor", Time: Now, State: "1"},
		"state":         {EntityID: "sensor.a", Time: Now + 1000, State: strings.Repeat("x", 256)},
		"state: ":       {EntityID: "sensor.a", Time: Now + 2000},
		"time: is more": {EntityID: "sensor.a", Time: history.At(time.Now().Add(time.Hour)), State: "1"},
		"time: is olde": {EntityID: "sensor.a", Time: history.At(time.Now().AddDate(-100, 0, 0)), State: "1"},
	}
	for field, p := range bad {
		outcomes, err := store.Append(t.Context(), []history.Point{p, good})
		if err != nil || outcomes[0].Result != history.Rejected || !strings.HasPrefix(outcomes[0].Reason, field) {
			t.Errorf("%+v: %+v, %v; want it rejected for %q", p, outcomes, err, field)
		}
	}
	s.settle(t, store)
	rows := collect(t, store.Range(t.Context(), history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: Now - 1, End: Now + history.Hour}))
	if len(rows) != 1 || rows[0].State != "1" || rows[0].Time != Now || rows[0].EntityID != "sensor.a" {
		t.Errorf("%+v, want the good point, once", rows)
	}
	if h := store.Health(t.Context()); h.Rejected != int64(len(bad)) || h.Stored != 1 {
		t.Errorf("health: %+v", h)
	}
}

func testRange(t *testing.T, s Subject) {
	points := s.Home(1, 60*history.Hour)
	store := s.filled(t, points)
	for _, q := range []history.Query{
		{Series: All(), Start: history.Always, End: history.Forever},
		{Series: All(), Start: Now - 10*history.Hour, End: Now - 3*history.Hour},
		{Series: All()[2:3], Start: Now - 10*history.Hour, End: Now},
		{Series: All(), Start: Now - 30*history.Hour, End: Now, Limit: 3},
	} {
		var want []history.Row
		for _, r := range rowsOf(points, q.Series) {
			same := slices.IndexFunc(want, func(w history.Row) bool { return w.Series == r.Series })
			if r.Time >= q.Start && r.Time < q.End && (q.Limit == 0 || same < 0 || len(want)-same < q.Limit) {
				want = append(want, r)
			}
		}
		got := collect(t, store.Range(t.Context(), q))
		if !slices.EqualFunc(got, want, s.same) {
			t.Errorf("%d rows, want %d:\n%v\n%v", len(got), len(want), got[:min(5, len(got))], want[:min(5, len(want))])
		}
	}
}

// same compares what every store keeps.
func (s Subject) same(a, b history.Row) bool {
	return a.Series == b.Series && s.samePoint(a.Point, b.Point)
}

func (s Subject) samePoint(a, b history.Point) bool {
	x, numeric := history.Number(a.State)
	y, _ := history.Number(b.State)
	return a.EntityID == b.EntityID && a.Time == b.Time && (a.State == b.State || s.Coarse && numeric && x == y)
}

// The past of an entity survives its new name, and is not mixed with that of an entity that takes the old one.
func testRenamed(t *testing.T, s Subject) {
	at := func(hours history.Micros) history.Micros { return Now - hours*history.Hour }
	points := []history.Point{
		{EntityID: "light.a", Time: at(20), State: "on"},                    // before the registry was known
		{EntityID: "light.a", RegistryID: "r1", Time: at(19), State: "off"}, //
		{EntityID: "light.b", RegistryID: "r1", Time: at(9), State: "on"},   // renamed ten hours ago
		{EntityID: "light.a", RegistryID: "r2", Time: at(8), State: "off"},  // another took its name
		{EntityID: "light.b", RegistryID: "r1", Time: at(7), State: "off"},  //
		{EntityID: "light.a", Time: at(6), State: "on"},                     // and the registry was not asked
	}
	store := s.filled(t, points)
	series := []history.Series{
		{RegistryID: "r1", Names: []history.Name{{EntityID: "light.a", From: history.Always, Until: at(10)}, {EntityID: "light.b", From: history.Always, Until: history.Forever}}},
		{RegistryID: "r2", Names: []history.Name{{EntityID: "light.a", From: at(10), Until: history.Forever}}},
	}
	got := collect(t, store.Range(t.Context(), history.Query{Series: series, Start: at(100), End: Now}))
	if want := rowsOf(points, series); !slices.EqualFunc(got, want, s.same) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	last, err := store.Last(t.Context(), series, at(8))
	if err != nil || len(last) != 2 || last[0].State != "on" || last[1].State != "off" {
		t.Errorf("last: %+v, %v", last, err)
	}
	if s.NamesOnly {
		return
	}
	series[0].Names = series[0].Names[1:] // the metadata has forgotten the old name
	got = collect(t, store.Range(t.Context(), history.Query{Series: series[:1], Start: at(100), End: Now}))
	own := slices.DeleteFunc(got, func(r history.Row) bool { return r.Time == at(20) }) // may be bound or not
	if len(own) != 3 || own[0].Time != at(19) || own[1].Time != at(9) || own[2].Time != at(7) {
		t.Errorf("by registry id: %+v", got)
	}
}

// texts are states that are hard to write down and to read back.
var texts = []string{
	"it's \"on\"", `\`, `ends in \`, `\"`, `\\"`, `\n`, "two\nlines", "\r\n", "tab\t", " ", " x ", "a,b=c d", "#", "//", "{}", "%s", "$state", "'; DROP MEASUREMENT \"m\" --",
	"x\" 1\nm,entity_id=sensor.a state=\"y\" 2", "null", "true", "t", "1i", "NaN", "inf", "0x1p4", "1_000", "+5", "-0", "1e300", "1E-7", "007", "5.", "K\u00fcche \u2603 \U0001f600",
	strings.Repeat("\u2603", 255),
}

// Whatever a state is, it comes back as it was.
func testTexts(t *testing.T, s Subject) {
	var points []history.Point
	for i, text := range texts {
		points = append(points, history.Point{EntityID: "sensor.text", Time: Now + history.Micros(i), State: text})
	}
	got := collect(t, s.filled(t, points).Range(t.Context(), history.Query{Series: []history.Series{history.Named("sensor.text")}, Start: Now, End: Now + history.Hour}))
	for i, p := range points {
		if i >= len(got) || !s.samePoint(got[i].Point, p) {
			t.Fatalf("%+v, want %+v", got[min(i, len(got)):], p)
		}
	}
}

func testLast(t *testing.T, s Subject) {
	points := s.Home(2, 60*history.Hour)
	store := s.filled(t, points)
	for _, at := range []history.Micros{history.Forever, Now, Now - 30*history.Hour, Now - 100*history.Hour} {
		var want []history.Row
		for _, r := range rowsOf(points, All()) {
			switch {
			case r.Time > at:
			case len(want) > 0 && want[len(want)-1].Series == r.Series:
				want[len(want)-1] = r
			default:
				want = append(want, r)
			}
		}
		got, err := store.Last(t.Context(), All(), at)
		if err != nil || !slices.EqualFunc(got, want, s.same) {
			t.Errorf("at %s: %v, %v\nwant %v", at, got, err, want)
		}
	}
}

// A question whose context has ended is an error, and no empty answer.
func testCancelled(t *testing.T, s Subject) {
	store := s.filled(t, s.Home(3, 20*history.Hour))
	ctx := cancelled(t)
	for _, err := range store.Range(ctx, history.Query{Series: All(), Start: history.Always, End: history.Forever}) {
		if err == nil {
			t.Error("range: a row")
		}
	}
	var last error
	for _, err := range store.Buckets(ctx, history.BucketQuery{Series: All(), Edges: []history.Micros{Now - history.Hour, Now}, Parts: history.All, Now: Now}) {
		last = err
	}
	_, err := store.Last(ctx, All(), Now)
	if last == nil || err == nil || errors.As(err, new(*history.Partial)) {
		t.Errorf("buckets: %v; last: %v", last, err)
	}
}

// Whoever stops reading stops the work, and the store goes on.
func testStopped(t *testing.T, s Subject) {
	store := s.filled(t, s.Home(4, 20*history.Hour))
	q := history.Query{Series: All(), Start: history.Always, End: history.Forever}
	for range 20 {
		for range store.Range(t.Context(), q) {
			break
		}
		for range store.Buckets(t.Context(), history.BucketQuery{Series: All(), Edges: []history.Micros{Now - 9*history.Hour, Now - history.Hour, Now}, Parts: history.All, Now: Now}) {
			break
		}
	}
	if rows := collect(t, store.Range(t.Context(), q)); len(rows) == 0 {
		t.Error("no rows")
	}
}

// An empty store has empty answers.
func testEmpty(t *testing.T, s Subject) {
	store := s.Open(t)
	if rows := collect(t, store.Range(t.Context(), history.Query{Series: All(), Start: history.Always, End: history.Forever})); len(rows) > 0 {
		t.Error(rows)
	}
	if rows := collect(t, store.Range(t.Context(), history.Query{Start: history.Always, End: history.Forever})); len(rows) > 0 {
		t.Error(rows)
	}
	last, err := store.Last(t.Context(), All(), Now)
	events, err2 := store.Events(t.Context(), history.Page{Start: history.Always, End: history.Forever, Limit: 9})
	if err != nil || err2 != nil || len(last)+len(events) > 0 {
		t.Error(last, err, events, err2)
	}
}
