package historytest

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/stats"
)

// reference is a store of which only Buckets is there: what the definition makes of points.
type reference struct {
	history.Store
	points []history.Point
}

func (r reference) Buckets(_ context.Context, q history.BucketQuery) iter.Seq2[history.Bucket, error] {
	return history.Summarize(q, sequence(rowsOf(r.points, q.Series)))
}

// Whatever is asked, of single entities or of all, the answer is the one that the definition gives: on single points,
// on sums of hours, from whatever server. The home has gaps, meters that begin anew, an entity that was renamed, one
// without points, and days that are not of 24 hours.
func testAsked(t *testing.T, s Subject) {
	points := s.Home(50, 96*history.Hour)
	renamed := history.Series{RegistryID: "r9", Names: []history.Name{{EntityID: "sensor.before", From: history.Always, Until: Now - 30*history.Hour}, {EntityID: "sensor.after", From: Now - 30*history.Hour, Until: history.Forever}}}
	for i := range history.Micros(60) {
		name := renamed.Names[min(1, i/31)].EntityID // 31 hours before Now and earlier it had the name before
		points = append(points, history.Point{EntityID: name, RegistryID: "r9", Time: Now - (60-i)*history.Hour - history.Hour/2, State: fmt.Sprint(i * i % 7)})
	}
	store := s.filled(t, points)
	series := append(All(), renamed)
	for _, edges := range asked(t) {
		for _, fn := range stats.Fns {
			for _, groups := range []int{len(series), 1} {
				if groups == 1 && len(edges) > 10 {
					continue
				}
				q := stats.Question{Series: series, Groups: groups, Edges: edges, Fn: stats.Fn(fn), Fill: stats.Null, Now: Now - 90_000_000, Most: 1e6}
				for i := range series {
					q.Of = append(q.Of, stats.Member{Group: i % groups, Meter: i == 2})
				}
				sameAnswers(t, store, reference{points: points}, q)
			}
		}
	}
}

// asked are edges: of minutes, of hours, of days of which one is of 23 hours and one of 25, and of a window without points.
func asked(t *testing.T) (all [][]history.Micros) {
	t.Helper()
	now := Now.Time()
	for every, ago := range map[string]time.Duration{"5m": 3 * time.Hour, "1h": 70 * time.Hour, "all": 50*time.Hour + time.Second} {
		edges, err := stats.EveryOf(every).Edges(now.Add(-ago), now, 1000)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, edges)
	}
	day := 24 * history.Hour
	return append(all, []history.Micros{Now - 3*day, Now - 2*day - history.Hour, Now - day, Now + history.Hour}, []history.Micros{Now - 40*day, Now - 39*day})
}

func sameAnswers(t *testing.T, store, reference history.Store, q stats.Question) {
	t.Helper()
	got, missing, err := stats.Ask(t.Context(), store, q)
	want, _, wrong := stats.Ask(t.Context(), reference, q)
	if err != nil || wrong != nil || missing != nil {
		t.Fatal(err, wrong, missing)
	}
	for i := range want {
		if fmt.Sprint(got[i].Series) != fmt.Sprint(want[i].Series) || len(got[i].Points) != len(want[i].Points) {
			t.Fatalf("%s of group %d of %d: of %v %d points, want of %v %d", q.Fn, i, q.Groups, got[i].Series, len(got[i].Points), want[i].Series, len(want[i].Points))
		}
		for j, w := range want[i].Points {
			g := got[i].Points[j]
			a, number := g.Value.(float64)
			b, _ := w.Value.(float64)
			if g.Time != w.Time || g.State != w.State || !number && g.Value != w.Value || !near(a, b) {
				t.Fatalf("%s of group %d of %d: %+v, want %+v", q.Fn, i, q.Groups, g, w)
			}
		}
	}
}
