package db

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What happens to the file while the process lives. The ways to put a file back:
var waysBack = map[string]func(t *testing.T, path string, content []byte){"by cp": overwrite, "by mv": exchange}

// logMoved waits until what was written is in the main file, and the watch has taken note of that.
func logMoved(t *testing.T, path string) {
	t.Helper()
	eventually(t, "the log is in the main file", func() bool {
		log, err := os.Stat(path + "-wal")
		return err != nil || log.Size() == 0
	})
	time.Sleep(2 * statEvery)
}

var garbage = bytes.Repeat([]byte("this is no database "), 5000)

// wantLost waits until the database says why it cannot be read, and holds all calls to say the same.
func wantLost(t *testing.T, d *DB, reason Reason) {
	t.Helper()
	start := time.Now()
	eventually(t, "Status says "+string(reason), func() bool { s := d.Status(ctx); return !s.Readable && s.Reason == reason })
	if took := time.Since(start); took > 8*time.Second {
		t.Errorf("it took %v to see", took)
	}
	wantReason(t, "reading a list", second(d.ListFloors(ctx, ListFloorsParams{})), reason)
	wantReason(t, "reading a row", second(d.GetFloor(ctx, "a")), reason)
	wantReason(t, "writing", addFloor(d, "lost"), reason)
}

// wantServed waits until the database serves these floors and can be written.
func wantServed(t *testing.T, d *DB, ids string) {
	t.Helper()
	eventually(t, "it serves "+ids, func() bool { return floors(d) == ids && d.Status(ctx).Writable })
	want(t, "integrity", rowsOf(t, d.reader, "PRAGMA integrity_check"), "ok")
	mustAddFloors(t, d, "z")
	want(t, "floors after a write", floors(d), strings.TrimSpace(ids+" z"))
}

func TestStartsWithoutAFolder(t *testing.T) {
	t.Parallel()
	wantServed(t, serving(t, DefaultConfig(filepath.Join(t.TempDir(), "a", "b", "metadata.db"))), "")
}

func TestGarbageAtTheStart(t *testing.T) {
	for way, put := range waysBack {
		t.Run("put right "+way, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			overwrite(t, path, garbage)
			d := running(t, DefaultConfig(path))
			wantLost(t, d, Corrupt)
			want(t, "garbage untouched", bytes.Equal(read(t, path), garbage), true)
			put(t, path, databaseWith(t, "a", "b"))
			wantServed(t, d, "a b")
		})
	}
}

func TestGarbageOverTheOpenFile(t *testing.T) {
	for way, put := range waysBack {
		t.Run("put right "+way, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			mustAddFloors(t, d, "a", "b")
			logMoved(t, path)
			good := read(t, path)
			overwrite(t, path, garbage)
			wantLost(t, d, Corrupt)
			put(t, path, good)
			wantServed(t, d, "a b")
		})
	}
}

// Whoever copies just the file finds in it what was written some time ago, by whomever.
func TestTheLogIsMovedIntoTheFile(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "ours")
	shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('shell', 'x');")
	copied := fileIn(t)
	eventually(t, "the file alone holds all", func() bool {
		overwrite(t, copied, read(t, path))
		e := unopened(t, DefaultConfig(copied))
		defer e.Close()
		return e.Open(ctx) == nil && floors(e) == "ours shell"
	})
}

func TestAFileThatVanishesIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	away := path + ".away"
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	wantLost(t, d, Missing)
	time.Sleep(2 * retryEvery)
	wantLost(t, d, Missing)
	if _, err := os.Stat(path); err == nil {
		t.Error("a new file was made")
	}
	if err := os.Rename(away, path); err != nil {
		t.Fatal(err)
	}
	wantServed(t, d, "a")
}

func TestWhatWasJustAcknowledgedIsThereWhenTheFileComesBack(t *testing.T) {
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			time.Sleep(time.Duration(round) * statEvery / 4)
			mustAddFloors(t, d, "a", "b")
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			wantLost(t, d, Missing)
			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			wantServed(t, d, "a b")
		})
	}
}

func TestAFileThatIsEmptiedIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	logMoved(t, path)
	good := read(t, path)
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	wantLost(t, d, Corrupt)
	time.Sleep(2 * retryEvery)
	wantLost(t, d, Corrupt)
	want(t, "size", len(read(t, path)), 0)
	overwrite(t, path, good)
	wantServed(t, d, "a")
}

func TestALogThatIsRemovedIsSavedByTheConnectionsThatHaveIt(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	before := d.present.Load()
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	mustAddFloors(t, d, "b")
	eventually(t, "the watch has seen it", func() bool { now := d.present.Load(); return now != nil && now != before })
	wantServed(t, d, "a b")
	want(t, "for the shell", shell(t, path, "SELECT group_concat(floor_id) FROM floors;"), "a,b,z")
}

// Nothing that was acknowledged is lost where the log is removed again and again while many write and read by
// connections that come and go, and while all pages are being checked.
func TestALogThatIsRemovedUnderLoad(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	d.reader.pool.SetMaxIdleConns(-1) // so that there are new ones all the time
	stop := make(chan struct{})
	var wg sync.WaitGroup
	work := func(what string, one func(n int) error) {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := one(n); err != nil && reasonOf(err) != Opening {
					t.Errorf("%s: %v", what, err)
					return
				}
			}
		})
	}
	var added atomic.Int64
	for i := range 2 {
		work("write", func(n int) error {
			err := addFloor(d, fmt.Sprintf("%d-%d", i, n))
			if err == nil {
				added.Add(1)
			}
			return err
		})
		work("read", func(int) error { return second(d.ListFloors(ctx, ListFloorsParams{Lim: 9})) })
	}
	work("check", func(int) error {
		of := d.present.Load()
		if of == nil {
			return nil
		}
		return d.whileOpen(ctx, of, func(ctx context.Context) error {
			problem, err := checkPages(ctx, of)
			if problem != "" || reasonOf(err) == Corrupt {
				return fmt.Errorf("damage: %s %w", problem, err)
			}
			return nil
		})
	})
	for i := range 20 {
		mustAddFloors(t, d, fmt.Sprint("mark-", i)) // so that the writer has the log
		before := d.present.Load()
		if err := os.Remove(path + "-wal"); err != nil {
			t.Error(err)
			break
		}
		eventually(t, "the watch has seen it", func() bool { now := d.present.Load(); return now != nil && now != before })
	}
	close(stop)
	wg.Wait()
	page, err := d.ListFloors(ctx, ListFloorsParams{Lim: 1_000_000})
	want(t, "reading", err, nil)
	if int64(len(page)) < added.Load() {
		t.Errorf("%d floors of %d", len(page), added.Load())
	}
}

// Status knows that writing works again, also where nobody writes.
func TestAFullDiskThatIsCleared(t *testing.T) {
	t.Parallel()
	d := serving(t, DefaultConfig(fileIn(t)))
	execute(t, d, "PRAGMA max_page_count = 1") // the size that it has, at least
	err := addFloor(d, strings.Repeat("x", 50000))
	wantReason(t, "write", err, DiskFull)
	s := d.Status(ctx)
	want(t, "readable", s.Readable, true)
	want(t, "writable", s.Writable, false)
	want(t, "reason", s.Reason, DiskFull)
	execute(t, d, "PRAGMA max_page_count = 100000")
	eventually(t, "it can be written", func() bool { return d.Status(ctx).Writable })
	wantServed(t, d, "")
}
