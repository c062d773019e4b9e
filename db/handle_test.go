package db

import (
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

// TestNoMutex fails as well where a new version of the driver has its handle elsewhere.
func TestNoMutex(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for name, pool := range map[string]*prepared{"writer": d.writer, "reader": d.reader} {
		c, err := pool.pool.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.Raw(func(c any) error {
			handle := c.(*conn).handle
			if handle == 0 {
				t.Fatalf("the %s has no handle", name)
			}
			want(t, name+"'s mutex", at[sqlite3.Tsqlite3](handle).Fmutex, 0)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}
