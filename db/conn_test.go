package db

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestStatsCountQueriesAndErrors(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	reads, writes := d.reader.stats(), d.writer.stats()
	want(t, "reads at first", reads.Queries, 0)
	d.ListFloors(ctx, ListFloorsParams{Lim: 1})
	d.GetFloor(ctx, "a")
	d.reader.QueryContext(ctx, "SELECT nonsense")
	reads = d.reader.stats()
	want(t, "reads", reads.Queries, 3)
	want(t, "failed reads", reads.Errors, 1)
	if reads.Time <= 0 || reads.Time > time.Minute {
		t.Errorf("reads took %v", reads.Time)
	}
	mustAddFloors(t, d, "a")
	addFloor(d, "a")
	want(t, "writes: statements and transactions", d.writer.stats().Queries-writes.Queries, 4+4) // and four to index the words
	want(t, "failed writes", d.writer.stats().Errors-writes.Errors, 1)
	status := d.Status(ctx)
	if status.Reads.Queries < 3 || status.Writes.Queries < 4 {
		t.Errorf("Status does not count: %+v", status)
	}
}

func TestAQueryEndsWithItsContext(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for _, c := range connections(t, d.reader.pool, readers()) {
		defer c.Close() // all are busy
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := d.ListFloors(short, ListFloorsParams{})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("list: %v after %v", err, time.Since(start))
	}
	if s := d.Status(short); s.Readable || time.Since(start) > 5*time.Second {
		t.Errorf("Status: %+v after %v", s, time.Since(start))
	}
}

func TestConnectionsOutliveAnInterrupt(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	mustAddFloors(t, d, "a")
	for range 3 * readers() {
		short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		rows, err := d.reader.QueryContext(short, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0")
		if err == nil {
			rows.Next()
			err = rows.Err()
			rows.Close()
		}
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a query without end: %v", err)
		}
		want(t, "floors", floors(d), "a")
	}
}

func TestBeforeItIsOpenAndAfterItIsClosed(t *testing.T) {
	d := unopened(t, DefaultConfig(fileIn(t)))
	_, list := d.ListFloors(ctx, ListFloorsParams{})
	_, get := d.GetFloor(ctx, "a")
	for what, err := range map[string]error{"list": list, "get": get, "write": addFloor(d, "a")} {
		if !errors.Is(Classify(err), ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
		wantReason(t, what, err, Opening)
	}
	want(t, "readable", d.Status(ctx).Readable, false)
	want(t, "reason", d.Status(ctx).Reason, Opening)
	if err := d.Open(ctx); err != nil {
		t.Fatal(err)
	}
	mustAddFloors(t, d, "a")
	want(t, "writable", d.Status(ctx).Writable, true)
}

// While one file follows another, calls wait, and none finds neither a file nor a reason.
func TestReopeningUnderLoad(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	mustAddFloors(t, d, "a")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := floors(d); got != "a" {
					t.Error("floors:", got)
					return
				}
				if err := d.Write(ctx, func(q *Queries) error { _, err := q.GetFloor(ctx, "a"); return err }); err != nil {
					t.Error("write:", err)
					return
				}
			}
		})
	}
	for range 30 {
		d.close(errReopening)
		if !d.drained(ctx) {
			t.Error("connections of the closed file stayed, or waiting calls were taken for some")
			break
		}
		if err := d.Open(ctx); err != nil {
			t.Error(err)
			break
		}
		mustAddFloorsOrConflict(t, d) // so that it is open for long enough for one to write
	}
	close(stop)
	wg.Wait()
}

func TestNoConnectionIsLost(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for range 20 {
		mustAddFloorsOrConflict(t, d)
		d.close(errReopening)
		want(t, "drained", d.drained(ctx), true)
		if err := d.Open(ctx); err != nil {
			t.Fatal(err)
		}
	}
	d.Close()
	for _, c := range []*connector{d.readConnector, d.writeConnector} {
		want(t, "live connections", c.live.Load(), 0)
	}
}

func mustAddFloorsOrConflict(t *testing.T, d *DB) {
	t.Helper()
	if err := addFloor(d, "a"); err != nil && !errors.Is(err, ErrConflict) {
		t.Fatal(err)
	}
}

// A statement that was prepared on one file moves to the next by itself, whichever connections stay.
func TestStatementsMoveToTheNextFile(t *testing.T) {
	d, next := opened(t, DefaultConfig(fileIn(t))), opened(t, DefaultConfig(fileIn(t)))
	mustAddFloors(t, d, "a")
	mustAddFloors(t, next, "x")
	want(t, "floors", floors(d), "a")
	d.present.Store(next.present.Load())
	want(t, "floors", floors(d), "x")
	_, err := d.GetFloor(ctx, "x")
	want(t, "row", err, nil)
	mustAddFloors(t, d, "y")
	want(t, "floors of the next", floors(next), "x y")
}

func TestNoConnectionIsMadeToAFileThatIsNotTheOneThatWasOpened(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	busy := connections(t, d.reader.pool, 1)[0]
	exchange(t, path, databaseWith(t, "x"))
	wantReason(t, "reading by a new connection", second(d.ListFloors(ctx, ListFloorsParams{Lim: 9})), Opening)
	want(t, "what the old one reads", rowsOf(t, busy, "SELECT floor_id FROM floors"), "a")
}
