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

// What is done before the context ends is not stored either.
func TestAContextThatEndsBeforeTheCommit(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for name, write := range map[string]func(context.Context, func(DBTX) error) error{"transaction": d.Transact, "row": d.TransactRow} {
		some, cancel := context.WithCancel(ctx)
		err := write(some, func(tx DBTX) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO floors (floor_id, name) VALUES ('x', 'X')")
			cancel()
			return err
		})
		want(t, name, err, context.Canceled)
		want(t, "floors after "+name, floors(d), "")
	}
}

// database/sql would end a transaction with its context, while another goroutine is in the middle of it.
func TestNobodyElseEndsATransaction(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for name, use := range map[string]func(context.Context, func(*Queries) error) error{"read": d.Read, "write": d.Write, "row": d.WriteRow} {
		some, cancel := context.WithCancel(ctx)
		use(some, func(q *Queries) error {
			cancel()
			time.Sleep(20 * time.Millisecond)
			tx, alone := q.db.(*transaction)
			if !alone {
				tx = q.db.(undisturbed).transaction
			}
			var one int
			want(t, name, tx.tx.QueryRow("SELECT 1").Scan(&one), nil)
			return nil
		})
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
