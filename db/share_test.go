package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// shared runs writers of rows so that all of them share one transaction, in order, and returns what came of
// each. The first has the turn until all others wait.
func shared(t *testing.T, d *DB, writers ...func(q *Queries) error) []error {
	t.Helper()
	return sharedIn(t, d, func(int) context.Context { return ctx }, writers...)
}

func sharedIn(t *testing.T, d *DB, in func(int) context.Context, writers ...func(q *Queries) error) []error {
	t.Helper()
	var wg sync.WaitGroup
	defer wg.Wait()
	first, begun, all := make(chan error, 1), make(chan struct{}), make(chan struct{})
	var once sync.Once
	wg.Go(func() {
		first <- d.WriteRow(ctx, func(q *Queries) error {
			once.Do(func() { close(begun) })
			<-all
			return storeFloor(q, "first")
		})
	})
	<-begun
	errs := make([]error, len(writers))
	for i, fn := range writers {
		wg.Go(func() {
			panicked, err := attempt(func() error { return d.WriteRow(in(i), fn) })
			if errs[i] = err; panicked != nil {
				errs[i] = fmt.Errorf("panic: %v", panicked)
			}
		})
		eventually(t, "it waits for its turn", func() bool { return d.queued() == i+1 })
	}
	close(all)
	want(t, "what came of the first", <-first, nil)
	wg.Wait()
	return errs
}

func (d *DB) queued() int {
	d.sharing.mu.Lock()
	defer d.sharing.mu.Unlock()
	return len(d.sharing.waiting)
}

func storing(id string) func(*Queries) error {
	return func(q *Queries) error { return storeFloor(q, id) }
}

func TestWritersShareACommitAndNotTheirErrors(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	var transactions []*transaction
	noting := func(id string, after func() error) func(*Queries) error {
		return func(q *Queries) error {
			transactions = append(transactions, q.db.(undisturbed).transaction)
			if err := storeFloor(q, id); err != nil {
				return err
			}
			want(t, "what readers see before the commit", floors(d), "")
			return after()
		}
	}
	fine := func() error { return nil }
	errs := shared(t, d,
		noting("a", fine),
		noting("b", func() error { return errMine }),
		noting("c", func() error { panic("oh") }),
		noting("d", func() error { runtime.Goexit(); return nil }),
		noting("a", fine), // is there already
		noting("e", fine))
	want(t, "floors", floors(d), "a e first")
	want(t, "transactions", len(slices.Compact(transactions)), 1)
	want(t, "errors", fmt.Sprint(errs[0], errs[1], errs[2], errs[3], errs[5]), "<nil> mine panic: oh <nil> <nil>")
	if !errors.Is(errs[4], ErrConflict) {
		t.Errorf("the same id twice: %v, want ErrConflict", errs[4])
	}
	mustAddFloors(t, d, "z") // the writer is free again
	want(t, "writable", d.Status(ctx).Writable, true)
}

func TestWriterWhoIsCancelledTakesNobodyAlong(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	within, cancel := context.WithCancel(ctx)
	contexts := []context.Context{ctx, within, ctx}
	runs := 0
	counted := func(fn func(*Queries) error) func(*Queries) error {
		return func(q *Queries) error { runs++; return fn(q) }
	}
	errs := sharedIn(t, d, func(i int) context.Context { return contexts[i] },
		counted(storing("a")),
		counted(func(q *Queries) error { cancel(); return q.DeletePreferences(within, "b") }),
		counted(storing("c")))
	want(t, "runs: none of them twice", runs, 3)
	want(t, "floors", floors(d), "a c first")
	want(t, "errors", fmt.Sprint(errs), "[<nil> context canceled <nil>]")
}

func TestWriterWhoIsCancelledWaitsNoLonger(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	cancelled, cancel := context.WithCancel(ctx)
	begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- d.WriteRow(ctx, func(q *Queries) error { close(begun); <-goOn; return storeFloor(q, "a") })
	}()
	<-begun
	left := make(chan error)
	go func() { left <- d.WriteRow(cancelled, storing("b")) }()
	eventually(t, "it waits", func() bool { return d.queued() == 1 })
	cancel()
	want(t, "while the first goes on", <-left, context.Canceled)
	close(goOn)
	want(t, "the first", <-done, nil)
	want(t, "floors", floors(d), "a")
}

// While another writes, who wants to begin a round can leave, and who comes next can begin it.
func TestWriterWhoIsCancelledBeforeTheRoundBegins(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	cancelled, cancel := context.WithCancel(ctx)
	left, next := make(chan error, 1), make(chan error, 1)
	err := d.Write(ctx, func(q *Queries) error {
		go func() { left <- d.WriteRow(cancelled, storing("b")) }()
		eventually(t, "it waits for the writer", func() bool { return d.writer.pool.Stats().WaitCount > 0 })
		go func() { next <- d.WriteRow(ctx, storing("c")) }()
		eventually(t, "the next waits", func() bool { return d.queued() == 1 })
		cancel()
		want(t, "who was cancelled", <-left, context.Canceled)
		return storeFloor(q, "a")
	})
	want(t, "error", err, nil)
	want(t, "who came next", <-next, nil)
	want(t, "floors", floors(d), "a c")
}

// The disk is full for one of them only: the others are stored all the same.
func TestWriterWhoFillsTheDiskTakesNobodyAlong(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	var pages int
	if err := d.writer.pool.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	execute(t, d, fmt.Sprint("PRAGMA max_page_count = ", pages+30))
	errs := shared(t, d, storing("a"), storing(strings.Repeat("x", 500000)), storing("c"))
	want(t, "errors of the others", fmt.Sprint(errs[0], errs[2]), "<nil> <nil>")
	wantReason(t, "error", errs[1], DiskFull)
	want(t, "floors", floors(d), "a c first")
}

// What the schema checks at the commit only is found by all, and then laid at the door of one.
func TestWriterWhoFailsTheCommitTakesNobodyAlong(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	execute(t, d, `CREATE TABLE checked_late (floor TEXT REFERENCES floors (floor_id) DEFERRABLE INITIALLY DEFERRED)`)
	late := func(q *Queries) error {
		_, err := q.db.ExecContext(ctx, `INSERT INTO checked_late VALUES ('nowhere')`)
		return err
	}
	errs := shared(t, d, storing("a"), late, storing("c"))
	want(t, "errors of the others", fmt.Sprint(errs[0], errs[2]), "<nil> <nil>")
	if !errors.Is(errs[1], ErrConflict) {
		t.Errorf("%v, want ErrConflict", errs[1])
	}
	want(t, "floors", floors(d), "a c first")
}

// Nobody is told that a change is stored which went to a file that is no longer there.
func TestTheFileIsReplacedInTheMiddleOfASharedCommit(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	other := databaseWith(t, "other")
	begun, goOn, errs := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		errs <- d.WriteRow(ctx, func(q *Queries) error { close(begun); <-goOn; return storeFloor(q, "a") })
	}()
	<-begun
	go func() {
		errs <- d.WriteRow(ctx, func(q *Queries) error { exchange(t, path, other); return storeFloor(q, "b") })
	}()
	eventually(t, "it waits", func() bool { return d.queued() == 1 })
	close(goOn)
	wantReason(t, "one", <-errs, Missing)
	wantReason(t, "the other", <-errs, Missing)
	want(t, "the new file", string(read(t, path)) == string(other), true)
}

func TestConcurrentWritersOfRowsAreAllStored(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	const writers, each = 16, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d-%02d", w, i)
				if err := d.WriteRow(ctx, storing(id)); err != nil {
					t.Error(err)
				}
				if _, err := d.GetFloor(ctx, id); err != nil {
					t.Errorf("%s after it was acknowledged: %v", id, err)
				}
				if i%10 == 0 { // a batch goes its own way between them
					mustAddFloors(t, d, "batch"+id)
				}
			}
		})
	}
	wg.Wait()
	want(t, "floors", len(strings.Fields(floors(d))), writers*(each+3))
}

// 64 clients with synchronous=FULL, each with a commit of its own, and sharing them.
func BenchmarkWriteRow(b *testing.B) {
	for name, write := range map[string]func(*DB, func(*Queries) error) error{
		"alone":  func(d *DB, fn func(*Queries) error) error { return d.Write(ctx, fn) },
		"shared": func(d *DB, fn func(*Queries) error) error { return d.WriteRow(ctx, fn) },
	} {
		b.Run(name, func(b *testing.B) {
			c := DefaultConfig(b.TempDir() + "/metadata.db")
			c.Synchronous = "FULL"
			d := Prepare(c, slog.New(slog.DiscardHandler))
			defer d.Close()
			if err := d.Open(ctx); err != nil {
				b.Fatal(err)
			}
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := write(d, func(q *Queries) error {
						return q.SavePreferences(ctx, SavePreferencesParams{UserID: "u", Document: "{}"})
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
