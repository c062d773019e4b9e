package db

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestNothingIsLeftOfTransactionsThatEndEarly ends contexts at any moment of transactions, also in the middle of
// preparing a statement and with rows open: a statement that nobody closes keeps its connection, and with it the log.
func TestNothingIsLeftOfTransactionsThatEndEarly(t *testing.T) {
	for name, idle := range map[string]int{"connections that stay": readers(), "connections that end": -1} {
		t.Run(name, func(t *testing.T) {
			path := fileIn(t)
			d := opened(t, DefaultConfig(path))
			d.reader.pool.SetMaxIdleConns(idle)
			mustAddFloors(t, d, "a", "b")
			var each sync.WaitGroup
			for range 8 {
				each.Go(func() {
					for i := range 2000 {
						some, cancel := context.WithCancel(ctx)
						time.AfterFunc(time.Duration(i%300)*time.Microsecond, cancel)
						d.Read(some, readAndLeave)
						cancel()
					}
				})
			}
			each.Wait()
			d.Close()
			want(t, "files", filesIn(t, path), "metadata.db")
		})
	}
}

func readAndLeave(q *Queries) error {
	for n := range 20 {
		rows, err := q.db.QueryContext(ctx, fmt.Sprint("SELECT floor_id, ", n, " FROM floors"))
		if err != nil {
			return err
		}
		rows.Next()
		if n%2 == 0 {
			rows.Close()
		}
	}
	return nil
}

func TestATransactionIsOfNoUseAfterItsContext(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for name, use := range map[string]func(context.Context, func(*Queries) error) error{"read": d.Read, "write": d.Write, "row": d.WriteRow} {
		some, cancel := context.WithCancel(ctx)
		err := use(some, func(q *Queries) error {
			cancel()
			_, err := q.ChangeLog(ctx)
			if name != "row" && err != context.Canceled {
				t.Errorf("%s: %v", name, err)
			}
			return nil
		})
		if name != "read" {
			want(t, name, err, context.Canceled)
		}
	}
}

// The connection that opening left is not for a file that has taken the place of the one it was opened to.
func TestTheSpareReaderIsOfTheFileThatIsThere(t *testing.T) {
	content := databaseWith(t, "new")
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	exchange(t, path, content)
	wantReason(t, "the first to read", second(d.ListFloors(ctx, ListFloorsParams{Lim: 9})), Opening)
}
