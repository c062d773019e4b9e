package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTheVersionChangesWithEachCommit(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	version := func() Version {
		t.Helper()
		v, ok := d.Version()
		if !ok {
			t.Fatal("the version cannot be told")
		}
		return v
	}
	seen := map[Version]bool{version(): true}
	for name, commit := range map[string]func(){
		"ours":      func() { mustAddFloors(t, d, "a") },
		"a shell's": func() { shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('b', 'x');") },
		"any, as the connection that counts them is another": func() {
			d.counter.mu.Lock()
			defer d.counter.mu.Unlock()
			d.counter.rest()
		},
		"of a file that was opened anew": func() {
			d.close(errReopening)
			if err := d.Open(ctx); err != nil {
				t.Fatal(err)
			}
		},
	} {
		commit()
		if v := version(); seen[v] {
			t.Errorf("after a commit, %s, the version is one of before", name)
		} else {
			seen[v] = true
		}
		before := version()
		want(t, "the version without a commit", version(), before)
	}
	d.Close()
	if _, ok := d.Version(); ok {
		t.Error("a closed database has a version")
	}
	if _, ok := inMemory(t).Version(); ok {
		t.Error("a database in memory has a version")
	}
}

// TestTheVersionUnderLoad has many ask at a time: nobody may be told of a version from before it asked.
func TestTheVersionUnderLoad(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	done := make(chan struct{})
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					d.Version()
				}
			}
		})
	}
	for i := range 300 {
		before, known := d.Version()
		mustAddFloors(t, d, fmt.Sprint("floor ", i))
		if after, ok := d.Version(); !known || !ok || after == before {
			t.Fatalf("after commit %d the version is that of before: %v, %v", i, known, ok)
		}
	}
	close(done)
	others.Wait()
}

// TestNobodyWaitsToKnowTheVersion asks while another process has the file for itself: that it cannot be told is told at
// once.
func TestNobodyWaitsToKnowTheVersion(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	if _, ok := d.Version(); !ok {
		t.Fatal("the version cannot be told")
	}
	d.Close()
	shell(t, path, "PRAGMA journal_mode = DELETE;")
	readOnly := &target{path: path, counter: DefaultConfig(path).counterDSN(false), readOnly: true}
	is, err := identify(path)
	if err != nil {
		t.Fatal(err)
	}
	readOnly.seen.Store(&is)
	d.present.Store(readOnly)
	defer d.present.Store(nil)
	release := holdInShell(t, path, "BEGIN EXCLUSIVE;")
	begun := time.Now()
	for range 10 {
		if _, ok := d.Version(); ok {
			t.Error("the version of a file is known that cannot be read")
		}
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v", took)
	}
	release()
	if _, ok := d.Version(); !ok {
		t.Error("the version is not known again")
	}
}

// broken is a look for commits that fails.
type broken struct{ driver.Stmt }

func (broken) ExecContext(context.Context, []driver.NamedValue) (driver.Result, error) {
	return nil, errors.New("nobody was to look")
}

// TestTheHeadOfTheLog holds the version to be known without a look for commits as long as there are none: the driver
// may come to keep its connection elsewhere.
func TestTheHeadOfTheLog(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	for name, commit := range map[string]func(){
		"ours":                       func() { mustAddFloors(t, d, "a") },
		"a shell's":                  func() { shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('b', 'x');") },
		"one after the log is moved": func() { shell(t, path, "PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM floors WHERE floor_id = 'b';") },
	} {
		before, known := d.Version()
		d.counter.look = broken{d.counter.look.(driver.Stmt)}
		if v, ok := d.Version(); !known || !ok || v != before {
			t.Errorf("before %s the version is %v, %v, and was %v, %v", name, v, ok, before, known)
		}
		commit()
		if _, ok := d.Version(); ok {
			t.Errorf("after %s nobody looked", name)
		}
	}
}

// overtaken is a look for commits after which there is another one at once.
type overtaken struct {
	driver.Stmt
	commit func()
}

func (s overtaken) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	defer s.commit()
	return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func TestACommitDuringTheLook(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	d.Version()
	mustAddFloors(t, d, "a") // so that somebody looks
	d.counter.look = overtaken{d.counter.look.(driver.Stmt), sync.OnceFunc(func() { mustAddFloors(t, d, "b") })}
	before, known := d.Version()
	if after, ok := d.Version(); !known || !ok || before == after {
		t.Errorf("after a commit during the look the version is %v, %v, and was %v, %v", after, ok, before, known)
	}
}

// TestAFileWithoutALog has no head that tells of commits, so that they are looked for each time.
func TestAFileWithoutALog(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	shell(t, path, "PRAGMA journal_mode = DELETE;")
	files := filesIn(t, path)
	c, err := openAndRead(DefaultConfig(path).counterDSN(false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if head, ok := newConn(c, &target{}).mapLogHead().read(); ok {
		t.Errorf("it has the head %v", head)
	}
	want(t, "files", filesIn(t, path), files)
}

// TestTheVersionAndProcessesThatDie has other processes commit, die in the midst of it and move the log: what is read
// of a version is always the same.
func TestTheVersionAndProcessesThatDie(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	done := make(chan struct{})
	read := map[Version]string{}
	var latest atomic.Value // what was read of one version
	latest.Store("")
	var reader sync.WaitGroup
	reader.Go(func() {
		for ; ; runtime.Gosched() {
			select {
			case <-done:
				return
			default:
			}
			before, known := d.Version()
			is := floors(d)
			if after, ok := d.Version(); !known || !ok || before != after {
				continue
			}
			if was, known := read[before]; known && was != is {
				t.Errorf("of %v was read %q, and then %q", before, was, is)
			}
			read[before] = is
			latest.Store(is)
		}
	})
	stop := sync.OnceFunc(func() { close(done); reader.Wait() })
	defer stop()
	for round := range 6 {
		writeUntilKilled(t, path, fmt.Sprint(round), 10+10*round)
		ours := fmt.Sprint("ours ", round)
		mustAddFloors(t, d, ours)
		eventually(t, ours+" is read", func() bool { return strings.Contains(latest.Load().(string), ours) })
		shell(t, path, []string{"PRAGMA wal_checkpoint(RESTART);", "PRAGMA wal_checkpoint(TRUNCATE);"}[round%2])
	}
	stop()
	now, _ := d.Version()
	if is, known := read[now]; known && is != floors(d) {
		t.Errorf("of the last version was read %q, and now %q", is, floors(d))
	}
}

// TestAnIndexThatIsCutOff is a fault of the processor for who reads it, which SQLite makes an error of. The watch opens the
// file anew then.
func TestAnIndexThatIsCutOff(t *testing.T) {
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	version := func() (v Version) {
		eventually(t, "the version is told", func() (ok bool) {
			v, ok = d.Version()
			return ok
		})
		return v
	}
	for i := range 3 {
		id := fmt.Sprint("floor ", i)
		eventually(t, id+" is stored", func() bool { return addFloor(d, id) == nil })
		version()
		if err := os.Truncate(path+"-shm", 0); err != nil {
			t.Fatal(err)
		}
		d.Version()
		eventually(t, id+" is read again", func() bool { return strings.HasSuffix(floors(d), id) })
		before := version()
		shell(t, path, "UPDATE floors SET name = name || 'x';")
		if after := version(); after == before {
			t.Errorf("after a commit the version is that of before: %v", after)
		}
	}
}
