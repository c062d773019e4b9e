package db

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What happens to the file while the process lives. The ways to put a file back:
var waysBack = map[string]func(t *testing.T, path string, content []byte){"by cp": overwrite, "by mv": exchange}

// How long after a write the log is promised to be in the main file.
const paused = time.Second

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
			time.Sleep(paused)
			good := read(t, path)
			overwrite(t, path, garbage)
			wantLost(t, d, Corrupt)
			put(t, path, good)
			wantServed(t, d, "a b")
		})
	}
}

func TestAnotherDatabasePutOverTheOpenOne(t *testing.T) {
	for way, put := range waysBack {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			mustAddFloors(t, d, "a", "b", "c")
			other := databaseWith(t, "x", "y")
			time.Sleep(paused)
			put(t, path, other)
			wantServed(t, d, "x y")
			d.Close()
			want(t, "floors after a restart", floors(opened(t, DefaultConfig(path))), "x y z")
		})
	}
}

// A log that is full of the old database must not be replayed into the new one, also where it was
// written a moment ago.
func TestAnotherDatabaseMovedOverOneJustWritten(t *testing.T) {
	for round := range 4 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			other := databaseWith(t, "x")
			for i := range 20 * round {
				mustAddFloors(t, d, fmt.Sprint("old", i))
			}
			exchange(t, path, other)
			wantServed(t, d, "x")
		})
	}
}

func TestAnotherDatabaseMovedOverOneThatIsBeingRead(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a", "b")
	rows, err := d.reader.QueryContext(ctx, "SELECT floor_id FROM floors") // for longer than anybody waits
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	rows.Next()
	exchange(t, path, databaseWith(t, "x"))
	wantServed(t, d, "x")
	rows.Next()
	var id string
	if err := rows.Scan(&id); err != nil || id != "b" {
		t.Errorf("the reader of the old file goes on with %q, %v; want b", id, err)
	}
	rows.Close()
	wantServedStill(t, d, "x z")
}

// wantServedStill holds the floors to stay for some looks of the watch.
func wantServedStill(t *testing.T, d *DB, ids string) {
	t.Helper()
	for end := time.Now().Add(3 * statEvery); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if got := floors(d); got != ids {
			t.Fatalf("floors: got %q, want %q", got, ids)
		}
	}
	want(t, "integrity", rowsOf(t, d.reader, "PRAGMA integrity_check"), "ok")
}

func TestAnotherDatabaseAfterTheShellWroteToTheOld(t *testing.T) {
	for way, put := range waysBack {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('shell', 'x'), ('shell2', 'x');")
			want(t, "floors", floors(d), "shell shell2")
			time.Sleep(paused)
			put(t, path, databaseWith(t, "x", "y"))
			wantServed(t, d, "x y")
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

func TestAnotherDatabaseInThePlaceOfOneThatVanished(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	for i := range 20 {
		mustAddFloors(t, d, fmt.Sprint("old", i))
	}
	other := databaseWith(t, "x")
	if err := os.Remove(path); err != nil { // its number in the file system is free now
		t.Fatal(err)
	}
	wantLost(t, d, Missing)
	overwrite(t, path, other)
	wantServed(t, d, "x")
	d.Close()
	want(t, "floors after a restart", floors(opened(t, DefaultConfig(path))), "x z")
}

func TestAWriteToAFileThatWasMovedAwayIsNotAcknowledged(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t))) // nobody watches it
	mustAddFloors(t, d, "a")
	if err := os.Rename(d.config.Path, d.config.Path+".away"); err != nil {
		t.Fatal(err)
	}
	wantReason(t, "write", addFloor(d, "b"), Opening)
	exchange(t, d.config.Path, databaseWith(t, "x"))
	wantReason(t, "write", addFloor(d, "c"), Opening)
	if err := os.Rename(d.config.Path+".away", d.config.Path); err != nil {
		t.Fatal(err)
	}
	mustAddFloors(t, d, "d")
	want(t, "floors of the old file", floors(d), "a d")
}

func TestAWriteDuringWhichTheFileWasMovedAwayIsNotAcknowledged(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	err := d.Write(ctx, func(q *Queries) error {
		return errors.Join(storeFloor(q, "a"), os.Rename(d.config.Path, d.config.Path+".away"))
	})
	wantReason(t, "write", err, Missing)
}

func TestAFileThatIsEmptiedIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	time.Sleep(paused)
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

func TestAnEmptyDatabasePutInPlaceIsNotMigrated(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	time.Sleep(paused)
	good, empty := read(t, path), madeBy(t, "PRAGMA user_version = 1")
	exchange(t, path, empty)
	wantLost(t, d, Corrupt)
	want(t, "untouched", bytes.Equal(read(t, path), empty), true)
	exchange(t, path, good)
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

func TestALinkToTheFileMayBePutToAnother(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	link, first, next := filepath.Join(folder, "metadata.db"), filepath.Join(folder, "1", "one.db"), filepath.Join(folder, "2", "two.db")
	for path, content := range map[string][]byte{first: databaseWith(t, "a"), next: databaseWith(t, "x")} {
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path, content)
	}
	if err := os.Symlink(first, link); err != nil {
		t.Fatal(err)
	}
	d := serving(t, DefaultConfig(link))
	mustAddFloors(t, d, "b")
	want(t, "floors", floors(d), "a b")
	if s := d.Status(ctx); s.LogSize == 0 || s.Size < 4096 {
		t.Errorf("sizes: %d and %d of the log", s.Size, s.LogSize)
	}
	if err := os.Symlink(next, link+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		t.Fatal(err)
	}
	wantServed(t, d, "x")
	want(t, "floors of the first", floors(opened(t, DefaultConfig(first))), "a b")
}

// damage writes over a page of the file that a list of floors, devices or entities does not read.
func damage(t *testing.T, path string) {
	t.Helper()
	page := shell(t, path, "SELECT rootpage FROM sqlite_schema WHERE name = 'entities_by_config_entry';")
	var number int64
	if _, err := fmt.Sscan(page, &number); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(bytes.Repeat([]byte{0xAA}, 4096), (number-1)*4096); err != nil {
		t.Fatal(err)
	}
}

func wantDamageReported(t *testing.T, d *DB) {
	t.Helper()
	eventually(t, "the audit has found the page", func() bool { return d.Status(ctx).Integrity.Problem != "" })
	s := d.Status(ctx)
	want(t, "reason", s.Reason, Corrupt)
	want(t, "readable, for what can be read", s.Readable, true)
	want(t, "checked", s.Integrity.CheckedAt.IsZero(), false)
}

func TestDamagedPagesAreFoundByTheAudit(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		t.Parallel()
		path := fileIn(t)
		overwrite(t, path, databaseWith(t, "a"))
		damage(t, path)
		wantDamageReported(t, running(t, DefaultConfig(path)))
	})
	t.Run("while it is open, and put right", func(t *testing.T) {
		t.Parallel()
		path := fileIn(t)
		d := serving(t, DefaultConfig(path))
		mustAddFloors(t, d, "a")
		eventually(t, "an audit", func() bool { return !d.Status(ctx).Integrity.CheckedAt.IsZero() })
		want(t, "found", d.Status(ctx).Integrity.Problem, "")
		time.Sleep(paused)
		good := read(t, path)
		bad := fileIn(t)
		overwrite(t, bad, good)
		damage(t, bad)
		overwrite(t, path, read(t, bad))
		wantDamageReported(t, d)
		overwrite(t, path, good)
		eventually(t, "it is whole again", func() bool { s := d.Status(ctx); return s.Reason == "" && s.Writable })
		wantServed(t, d, "a")
	})
}

func TestAFileThatIsCutShort(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	time.Sleep(paused)
	good := read(t, path)
	if err := os.Truncate(path, int64(len(good)/2)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Status says so", func() bool { return d.Status(ctx).Reason == Corrupt })
	overwrite(t, path, good)
	wantServed(t, d, "a")
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

// Under load nothing is answered but the truth: the old floors, the new ones, or that it cannot be said.
func TestReplacingTheFileUnderLoad(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	contents := [][]byte{databaseWith(t, "a", "b"), databaseWith(t, "x", "y")}
	exchange(t, path, contents[0])
	eventually(t, "it serves", func() bool { return floors(d) == "a b" })
	done := make(chan struct{})
	failures := make(chan string, 100)
	for range 4 {
		go func() {
			defer func() { failures <- "" }()
			for {
				select {
				case <-done:
					return
				default:
				}
				list, err := d.ListFloors(ctx, ListFloorsParams{Lim: 10})
				if got := strings.Join(idsOf(list, func(f Floor) string { return f.FloorID }), " "); err == nil && got != "a b" && got != "x y" {
					failures <- "floors: " + got
				} else if err != nil {
					failures <- "error: " + err.Error()
				}
			}
		}()
	}
	for i := range 4 {
		exchange(t, path, contents[(i+1)%2])
		wanted := []string{"x y", "a b"}[i%2]
		eventually(t, "the next is served", func() bool { return floors(d) == wanted })
	}
	close(done)
	for running := 4; running > 0; {
		if f := <-failures; f == "" {
			running--
		} else {
			t.Error(f)
		}
	}
}
