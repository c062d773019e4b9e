package relay

import (
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/influxdtest"
)

// numbered are points of one entity, a second apart, the first one an hour ago: the n-th has the state n.
func numbered(first, n int) []history.Point {
	points := make([]history.Point, n)
	for i := range points {
		points[i] = history.Point{EntityID: "sensor.a", Time: moment(first + i), State: fmt.Sprint(first + i)}
	}
	return points
}

var begin = history.At(time.Now().Add(-time.Hour).Truncate(time.Second))

func moment(n int) history.Micros { return begin + history.Micros(n)*history.Hour/3600 }

func store(t *testing.T, s history.Store, points []history.Point) {
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

// answers asks everything that a store can be asked about the numbered points, and returns the number of points
// that each answer tells of, and its error.
func answers(t *testing.T, s history.Store, n int) map[string]answerOf {
	t.Helper()
	ctx, series, edges := t.Context(), []history.Series{history.Named("sensor.a")}, []history.Micros{begin, moment(n)}
	all := map[string]answerOf{}
	rows, err := drained(s.Range(ctx, history.Query{Series: series, Start: begin, End: moment(n)}))
	all["range"] = answerOf{len(rows), err}
	buckets, err := drained(s.Buckets(ctx, history.BucketQuery{Series: series, Edges: edges, Parts: history.All, Now: moment(n)}))
	count := 0
	for _, b := range buckets {
		count += int(b.Count)
	}
	all["buckets"] = answerOf{count, err}
	last, err := s.Last(ctx, series, moment(n))
	count = 0
	for _, row := range last {
		fmt.Sscan(row.State, &count)
		count++
	}
	all["last"] = answerOf{count, err}
	events, err := s.Events(ctx, history.Page{Start: begin, End: moment(n), Limit: 1000})
	all["events"] = answerOf{len(events), err}
	counts, err := s.Count(ctx, nil, edges)
	if len(counts) > 0 {
		all["count"] = answerOf{int(counts[0]), err}
	} else {
		all["count"] = answerOf{0, err}
	}
	seen, err := s.Seen(ctx, begin, moment(n))
	count = 0
	for _, one := range seen {
		count += int(one.Count)
	}
	all["seen"] = answerOf{count, err}
	return all
}

type answerOf struct {
	points int
	err    error
}

func drained[T any](s iter.Seq2[T, error]) (values []T, err error) {
	for v, e := range s {
		if e != nil {
			return values, e
		}
		values = append(values, v)
	}
	return values, nil
}

// wantAnswers wants each answer to tell of n of up to all points, and to be whole or not.
func wantAnswers(t *testing.T, what string, s history.Store, all, n int, whole bool) {
	t.Helper()
	for question, a := range answers(t, s, all) {
		switch {
		case n == 0 && (a.points != 0 || isPartial(a.err) || !errors.Is(a.err, db.ErrUnavailable)):
			t.Errorf("%s, %s: %d points, %v; want that it is not available", what, question, a.points, a.err)
		case n > 0 && (a.points != n || whole != (a.err == nil) || whole == isPartial(a.err)):
			t.Errorf("%s, %s: %d points, %v; want %d, whole %v", what, question, a.points, a.err, n, whole)
		}
	}
}

// Where one of the stores cannot be asked, the other one's part is the answer, and it says that it is a part; where
// that is nothing, it is no answer.
func TestOneStoreIsOut(t *testing.T) {
	influxd := influxdtest.Start(t)
	server := influxdtest.Server{URL: influxd.URL()}
	full, empty := opened(t, database(t, server), Auto), opened(t, database(t, server), Auto)
	store(t, full, numbered(0, 10))
	forwardAll(t, full)
	store(t, full, numbered(10, 5))
	wantAnswers(t, "both", full, 20, 15, true)

	influxd.Kill()
	wantAnswers(t, "InfluxDB is out", full, 20, 15, false)
	wantAnswers(t, "InfluxDB is out", empty, 20, 0, false)

	influxd.Restart()
	full, empty = again(t, full), again(t, empty)
	wantAnswers(t, "both again", full, 20, 15, true)
	shut := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, quiet)
	defer shut.Close()
	full.Embedded, empty.Embedded = shut, shut
	wantAnswers(t, "the embedded store is out", full, 20, 10, false)
	wantAnswers(t, "the embedded store is out", empty, 20, 0, false)
}

// again is the store with a new client, to which nothing has happened yet.
func again(t *testing.T, s *Store) *Store {
	t.Helper()
	url, database, _ := strings.Cut(s.Influx.Target(), " ")
	influx, err := history.NewInflux(history.InfluxConfig{URL: url, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Config
	c.Influx = influx
	return New(c)
}

// Where InfluxDB is down from the start, so that nobody knows whose points it has, what comes is kept for it.
func TestDownFromTheStart(t *testing.T) {
	influxd := influxdtest.Start(t)
	s := opened(t, database(t, influxdtest.Server{URL: influxd.URL()}), Auto)
	influxd.Kill()
	for n := range 3 {
		store(t, s, numbered(5*n, 5))
		if pause := s.step(t.Context()); pause <= 0 || pause > longPause {
			t.Errorf("again after %v", pause)
		}
		s.look(t.Context())
		if f := s.Forwarding(); f.Buffered != int64(5*n+5) || f.Problem == "" || f.Lag < time.Minute || f.Writing {
			t.Errorf("%+v", f)
		}
	}
	influxd.Restart()
	forwardAll(t, s)
	if f := s.Forwarding(); f.Forwarded != 15 || !f.Writing || f.Problem != "" {
		t.Errorf("%+v", f)
	}
	wantAnswers(t, "afterwards", s, 20, 15, true)
}

// What is missing is told: from when until when, and why.
func TestPartialTells(t *testing.T) {
	s := opened(t, history.InfluxConfig{URL: "http://127.0.0.1:1", Database: "x"}, Always)
	store(t, s, numbered(0, 3))
	_, err := drained(s.Range(t.Context(), history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: begin, End: history.Forever}))
	var p *history.Partial
	if !errors.As(err, &p) || p.From != begin || p.Until > history.At(time.Now()) || p.Until <= moment(3) {
		t.Fatalf("%v", err)
	}
	var u *db.Unavailable
	if !errors.As(p.Err, &u) || u.Reason != history.InfluxDown {
		t.Errorf("%v", p.Err)
	}
}

// What came before there was an InfluxDB, and what was given up while it was down, is not in it, and is still answered.
func TestNeverForwarded(t *testing.T) {
	server := influxdtest.Open(t)
	s := opened(t, database(t, server), Never)
	points := numbered(0, 10)
	for i := range points { // too old to stay in recent
		points[i].Time -= 30 * history.Hour
	}
	store(t, s, points)
	store(t, s, numbered(0, 1))
	tidy(t, s)
	s.Write = Always
	forwardAll(t, s)
	if f := s.Forwarding(); f.Forwarded != 1 {
		t.Fatalf("%+v", f)
	}
	q := history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: begin - 40*history.Hour, End: history.Forever}
	if rows, err := drained(s.Range(t.Context(), q)); err != nil || len(rows) != 11 {
		t.Errorf("%d points, %v; want 11", len(rows), err)
	}
}
