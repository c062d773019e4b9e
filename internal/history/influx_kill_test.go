package history_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/historytest"
	"dataapi/internal/history/influxdtest"
)

// appender appends batch after batch, each one until it is acknowledged.
type appender struct {
	store        history.Store
	acknowledged atomic.Int64  // points
	failed       chan struct{} // sent to after a failure
	again        chan struct{} // and then received from
}

const batch = 40

func (a *appender) run(ctx context.Context) error {
	for ctx.Err() == nil {
		points := make([]history.Point, batch)
		for n := range points {
			at := history.Micros(a.acknowledged.Load()) + history.Micros(n)
			points[n] = history.Point{EntityID: fmt.Sprintf("sensor.s%d", at%3), Time: historytest.Now + at, State: fmt.Sprint(int64(at))}
		}
		outcomes, err := a.store.Append(context.WithoutCancel(ctx), points)
		if errors.Is(err, db.ErrUnavailable) {
			select {
			case a.failed <- struct{}{}:
				<-a.again
				continue
			case <-ctx.Done():
				return err
			}
		}
		for _, o := range outcomes {
			if o.Result == history.Rejected {
				return fmt.Errorf("rejected: %s", o.Reason)
			}
		}
		if err != nil {
			return err
		}
		a.acknowledged.Add(batch)
	}
	return nil
}

// Of what was acknowledged nothing is lost, and nothing is there twice, however often the server is killed in
// the middle of writing.
func TestInfluxKilled(t *testing.T) {
	p := influxdtest.Start(t)
	server := influxdtest.Server{URL: p.URL()}
	store := influx(t, server, server.Database(t), "data-api")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, ended := &appender{store: store, failed: make(chan struct{}), again: make(chan struct{})}, make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	for range 5 {
		before := a.acknowledged.Load()
		for end := time.Now().Add(30 * time.Second); a.acknowledged.Load() == before && time.Now().Before(end); { // or there is nothing to lose
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		p.Kill()
		select {
		case <-a.failed:
		case err := <-ended:
			t.Fatalf("ended: %v", err)
		}
		p.Restart()
		a.again <- struct{}{}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	wantAll(t, store, a.acknowledged.Load())
}

// wantAll wants the points of an appender, each once.
func wantAll(t *testing.T, store history.Store, n int64) {
	t.Helper()
	series := []history.Series{history.Named("sensor.s0"), history.Named("sensor.s1"), history.Named("sensor.s2")}
	var got int64
	for row, err := range store.Range(t.Context(), history.Query{Series: series, Start: historytest.Now, End: historytest.Now + history.Micros(n)}) {
		if err != nil {
			t.Fatal(err)
		}
		at := int64(row.Time - historytest.Now)
		if row.State != fmt.Sprint(at) || int64(row.Series) != at%3 {
			t.Fatalf("%+v is not what was written", row)
		}
		got++
	}
	counts, err := store.Count(t.Context(), nil, []history.Micros{historytest.Now, historytest.Now + history.Micros(n)})
	if got != n || n == 0 || err != nil || counts[0] != n {
		t.Errorf("%d points in the range, %v counted, %v; want %d", got, counts, err, n)
	}
}
