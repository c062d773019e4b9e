package db

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// connections takes n connections out of a pool at once, so that they are different ones.
func connections(t *testing.T, pool *sql.DB, n int) []*sql.Conn {
	t.Helper()
	var all []*sql.Conn
	for range n {
		c, err := pool.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		all = append(all, c)
	}
	return all
}

func wantPragmas(t *testing.T, c *sql.Conn, pragmas map[string]string) {
	t.Helper()
	for name, value := range pragmas {
		want(t, name, rowsOf(t, c, "PRAGMA "+name), value)
	}
}

func TestPragmasOfTheWriter(t *testing.T) {
	for synchronous, number := range map[string]string{"OFF": "0", "NORMAL": "1", "FULL": "2", "EXTRA": "3"} {
		config := DefaultConfig(fileIn(t))
		config.Synchronous = synchronous
		config.Timeout = 7 * time.Second
		d := opened(t, config)
		wantPragmas(t, connections(t, d.writer.pool, 1)[0], map[string]string{
			"journal_mode": "wal", "synchronous": number, "foreign_keys": "1", "busy_timeout": "7000",
			"cache_size": fmt.Sprint(-64000 / (readers() + 1)), "temp_store": "2", "query_only": "0", "wal_autocheckpoint": "0",
		})
	}
}

func TestPragmasOfAllReaders(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for _, c := range connections(t, d.reader.pool, readers()) {
		wantPragmas(t, c, map[string]string{
			"journal_mode": "wal", "busy_timeout": "5000", "cache_size": fmt.Sprint(-64000 / (readers() + 1)),
			"temp_store": "2", "query_only": "1",
		})
		_, err := c.ExecContext(ctx, "DELETE FROM floors")
		wantReason(t, "writing by a reader", err, ReadOnly)
	}
}

func TestReadersWaitNoLongerThanTheWriter(t *testing.T) {
	config := DefaultConfig(fileIn(t))
	config.Timeout = 1500 * time.Millisecond
	d := opened(t, config)
	wantPragmas(t, connections(t, d.reader.pool, 1)[0], map[string]string{"busy_timeout": "1500"})
}

func TestPoolsStayWithinTheCacheBudgetAndTheirSize(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	want(t, "writers", d.writer.pool.Stats().MaxOpenConnections, 1)
	want(t, "readers", d.reader.pool.Stats().MaxOpenConnections, readers())
	var kib int64
	for _, c := range append(connections(t, d.reader.pool, readers()), connections(t, d.writer.pool, 1)...) {
		var size int64
		if err := c.QueryRowContext(ctx, "PRAGMA cache_size").Scan(&size); err != nil {
			t.Fatal(err)
		}
		kib -= size
	}
	if kib > 64000 || kib < 60000 {
		t.Errorf("caches of all connections: %d KiB, want 64000 at most and nearly", kib)
	}
}

func TestDoubleQuotedTyposAreErrors(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	if _, err := d.reader.pool.ExecContext(ctx, `SELECT "floor_idd" FROM floors`); err == nil {
		t.Error("a misspelt column in double quotes was taken for a text")
	}
}

func TestFileAndFolderAreMadeForTheOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "metadata.db")
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "ground")
	want(t, "folder", modeOf(t, filepath.Dir(path)), 0o700)
	want(t, "folder above", modeOf(t, filepath.Dir(filepath.Dir(path))), 0o700)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		want(t, "file"+suffix, modeOf(t, path+suffix), 0o600)
	}
}

func TestFolderThatWasThereKeepsItsMode(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	opened(t, DefaultConfig(filepath.Join(folder, "metadata.db")))
	want(t, "folder", modeOf(t, folder), 0o755)
}
