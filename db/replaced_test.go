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

func TestAnotherDatabasePutOverTheOpenOne(t *testing.T) {
	for way, put := range waysBack {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			d := serving(t, DefaultConfig(path))
			mustAddFloors(t, d, "a", "b", "c")
			other := databaseWith(t, "x", "y")
			logMoved(t, path)
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

func TestAnotherDatabaseCopiedOverOneThatIsBeingRead(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a", "b")
	var many []string
	for i := range 300 {
		many = append(many, fmt.Sprintf("f%03d-%s", i, strings.Repeat("x", 200)))
	}
	other := databaseWith(t, many...)
	logMoved(t, path)
	rows, err := d.reader.QueryContext(ctx, "SELECT floor_id FROM floors")
	if err != nil {
		t.Fatal(err)
	}
	rows.Next()
	time.AfterFunc(time.Second, func() { rows.Close() })
	overwrite(t, path, other)
	wantServed(t, d, strings.Join(many, " "))
	d.Close()
	want(t, "floors after a restart", floors(opened(t, DefaultConfig(path))), strings.Join(append(many, "z"), " "))
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
			logMoved(t, path)
			put(t, path, databaseWith(t, "x", "y"))
			wantServed(t, d, "x y")
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

func TestAnEmptyDatabasePutInPlaceIsNotMigrated(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	logMoved(t, path)
	good, empty := read(t, path), madeBy(t, "PRAGMA user_version = 1")
	exchange(t, path, empty)
	wantLost(t, d, Corrupt)
	want(t, "untouched", bytes.Equal(read(t, path), empty), true)
	exchange(t, path, good)
	wantServed(t, d, "a")
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
	if s := d.Status(ctx); s.Size < 4096 {
		t.Errorf("the file that the link names has %d bytes", s.Size)
	}
	eventually(t, "the log beside that file is seen", func() bool { // soon after a write it is moved
		execute(t, d, "UPDATE floors SET level = coalesce(level, 0) + 1 WHERE floor_id = 'b'")
		return d.Status(ctx).LogSize > 0
	})
	if err := os.Symlink(next, link+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		t.Fatal(err)
	}
	wantServed(t, d, "x")
	want(t, "floors of the first", floors(opened(t, DefaultConfig(first))), "a b")
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
				} else if err != nil && reasonOf(err) != Opening {
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
