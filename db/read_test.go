package db

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// TestNothingIsLeftOfTransactionsThatEndEarly ends transactions at any moment, also in the middle of preparing a
// statement: a statement that nobody closes keeps its connection, and with it the log.
func TestNothingIsLeftOfTransactionsThatEndEarly(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	var each sync.WaitGroup
	for range 8 {
		each.Go(func() {
			for i := range 4000 {
				some, cancel := context.WithTimeout(ctx, time.Duration(i%500)*time.Microsecond)
				d.Read(some, func(q *Queries) error {
					for n := range 20 {
						q.db.QueryRowContext(ctx, fmt.Sprint("SELECT ", n)).Scan(&n)
					}
					return nil
				})
				cancel()
			}
		})
	}
	each.Wait()
	d.Close()
	want(t, "files", filesIn(t, path), "metadata.db")
}
