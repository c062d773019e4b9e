package db

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var errMine = errors.New("mine")

func TestWriteStoresAllThatFnDoes(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	err := d.Write(ctx, func(q *Queries) error {
		return errors.Join(storeFloor(q, "a"), storeFloor(q, "b"))
	})
	want(t, "error", err, nil)
	want(t, "floors", floors(d), "a b")
}

func TestWriteStoresNothing(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	ended, end := context.WithCancel(ctx)
	end()
	for name, c := range map[string]struct {
		ctx    context.Context
		after  func() error
		want   error
		panics bool
	}{
		"when fn returns an error":                          {ctx, func() error { return fmt.Errorf("wrapped: %w", errMine) }, errMine, false},
		"when ctx ends before the commit":                   {cancelled, func() error { cancel(); return nil }, context.Canceled, false},
		"when ctx ended before it began":                    {ended, func() error { return nil }, context.Canceled, false},
		"when fn panics, and lets the panic through":        {ctx, func() error { panic("oh") }, nil, true},
		"when fn ends its goroutine, as a failed test does": {ctx, func() error { runtime.Goexit(); return nil }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := opened(t, DefaultConfig(fileIn(t)))
			panicked, err := attempt(func() error {
				return d.Write(c.ctx, func(q *Queries) error {
					if err := storeFloor(q, "a"); err != nil {
						return err
					}
					return c.after()
				})
			})
			if !errors.Is(err, c.want) || (panicked == "oh") != c.panics {
				t.Errorf("error %v, panic %v; want %v, %v", err, panicked, c.want, c.panics)
			}
			want(t, "floors", floors(d), "")
			mustAddFloors(t, d, "b") // the writer is free again
			want(t, "floors", floors(d), "b")
			want(t, "writable", d.Status(ctx).Writable, true)
		})
	}
}

// attempt runs fn in a goroutine of its own, which it may end.
func attempt(fn func() error) (panicked any, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		err = fn()
	}()
	<-done
	return panicked, err
}

func TestWriteThatOutlivesItsContextSaysSo(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for range 50 {
		short, cancel := context.WithCancel(ctx)
		err := d.Write(short, func(q *Queries) error {
			cancel()
			time.Sleep(time.Millisecond) // database/sql rolls back meanwhile
			storeFloor(q, "a")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want context.Canceled", err)
		}
	}
	want(t, "floors", floors(d), "")
	want(t, "what Status says", d.Status(ctx).Reason, "")
}

// A full disk, or an interrupt, may end SQLite's transaction: what fn does afterwards would be stored alone.
func TestWriteStoresNothingAfterItsTransactionBroke(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	var pages int
	if err := d.writer.pool.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	execute(t, d, fmt.Sprint("PRAGMA max_page_count = ", pages+20)) // a disk full of a sort
	full := 0
	err := d.Write(ctx, func(q *Queries) error {
		for i := range 100 {
			if err := storeFloor(q, strings.Repeat("x", 3000)+fmt.Sprint(i)); err != nil {
				full++
			}
		}
		return nil
	})
	wantReason(t, "error", err, DiskFull)
	if full == 0 || full == 100 {
		t.Errorf("%d of 100 rows found the disk full", full)
	}
	want(t, "floors", len(floors(d)), 0)
}

func TestWriteStoresNothingAfterAnInterrupt(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	err := d.Write(ctx, func(q *Queries) error {
		storeFloor(q, "before")
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err := q.db.ExecContext(short, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000)
			INSERT INTO floors (floor_id, name) SELECT 'f' || i, i FROM n`)
		if err == nil {
			t.Error("the long statement was not interrupted")
		}
		if err := storeFloor(q, "after"); err == nil {
			t.Error("fn may go on")
		}
		if _, err := q.GetFloor(ctx, "before"); err == nil {
			t.Error("fn may read on")
		}
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want context.DeadlineExceeded", err)
	}
	want(t, "floors", floors(d), "")
}

func TestOneBadRowDoesNotLoseTheOthers(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	err := d.Write(ctx, func(q *Queries) error {
		for _, id := range []string{"a", "b", "a", "c"} {
			if err := storeFloor(q, id); err != nil && !errors.Is(Classify(err), ErrConflict) {
				return err
			}
		}
		return nil
	})
	want(t, "error", err, nil)
	want(t, "floors", floors(d), "a b c")
}

func TestWriteErrorsAreClassified(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	mustAddFloors(t, d, "a")
	if err := addFloor(d, "a"); !errors.Is(err, ErrConflict) {
		t.Errorf("the same id twice: %v, want ErrConflict", err)
	}
	err := d.Write(ctx, func(q *Queries) error { _, err := q.GetFloor(ctx, "?"); return err })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown id: %v, want ErrNotFound", err)
	}
	want(t, "what Status says", d.Status(ctx).Reason, "")
}

func TestWriteSeesItsOwnChangesAndOthersDoNot(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	err := d.Write(ctx, func(q *Queries) error {
		if err := storeFloor(q, "a"); err != nil {
			return err
		}
		_, err := q.GetFloor(ctx, "a")
		want(t, "for others", floors(d), "")
		return err
	})
	want(t, "error", err, nil)
}

func TestConcurrentWritersAreAllStored(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%02d", w, i)
				if err := addFloor(d, id); err != nil {
					t.Error(err)
				}
				if _, err := d.GetFloor(ctx, id); err != nil { // read your writes, by whichever connection
					t.Errorf("%s after it was acknowledged: %v", id, err)
				}
			}
		})
	}
	wg.Wait()
	want(t, "floors", len(strings.Fields(floors(d))), writers*each)
}

func TestWhatAnotherProcessWritesIsSeenByTheNextRead(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	for i := range 5 {
		id := fmt.Sprint("shell", i)
		shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('"+id+"', 'x');")
		for range readers() * 2 {
			if _, err := d.GetFloor(ctx, id); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		mustAddFloors(t, d, fmt.Sprint("ours", i))
		want(t, "for the shell", shell(t, path, "SELECT count(*) FROM floors;"), fmt.Sprint(3+2*i))
	}
}

// An import writes while the service runs: what one moves into the file is not strange to the other.
func TestTwoWhoWriteToOneFile(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	service := serving(t, DefaultConfig(path))
	other := opened(t, DefaultConfig(path))
	for i := range 5 {
		mustAddFloors(t, other, fmt.Sprint("other", i))
		eventually(t, "the log is in the file", func() bool { id, err := identify(path); return err == nil && sizeOf(id.wal) == 0 })
		mustAddFloors(t, service, fmt.Sprint("service", i))
	}
	want(t, "floors of one", len(strings.Fields(floors(service))), 10)
	want(t, "floors of the other", floors(other), floors(service))
	want(t, "integrity", rowsOf(t, service.reader, "PRAGMA integrity_check"), "ok")
}
