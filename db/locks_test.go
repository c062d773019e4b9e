package db

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// holdInShell runs a script in the sqlite3 command and keeps the command, with its locks, until release.
func holdInShell(t *testing.T, path, script string) (release func()) {
	t.Helper()
	cmd := shellCommand(t, path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, script+"\n.print held\n"); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && !strings.Contains(lines.Text(), "held"); {
	}
	release = sync.OnceFunc(func() {
		in.Close()
		cmd.Wait()
	})
	t.Cleanup(release)
	return release
}

func lockable(path string) Config {
	c := DefaultConfig(path)
	c.Timeout = 400 * time.Millisecond
	return c
}

func TestWhileAnotherProcessWritesReadsGoOnAndWritesWait(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, lockable(path))
	mustAddFloors(t, d, "a")
	release := holdInShell(t, path, "BEGIN IMMEDIATE; INSERT INTO floors (floor_id, name) VALUES ('shell', 'x');")
	start := time.Now()
	wantReason(t, "write", addFloor(d, "b"), Locked)
	if waited := time.Since(start); waited < 350*time.Millisecond || waited > 5*time.Second {
		t.Errorf("the write waited %v, want the timeout", waited)
	}
	want(t, "floors", floors(d), "a")
	s := d.Status(ctx)
	want(t, "Status", s.Readable && s.Writable && s.Reason == "", true)
	time.AfterFunc(100*time.Millisecond, release)
	if err := addFloor(d, "c"); err != nil {
		t.Errorf("a lock that ends in time: %v", err)
	}
	want(t, "floors", floors(d), "a c")
}

func TestAWriteThatWaitsForALockEndsWithItsContext(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path)) // would wait 30 s
	mustAddFloors(t, d, "a")
	holdInShell(t, path, "BEGIN IMMEDIATE;")
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := d.Write(short, func(q *Queries) error { return storeFloor(q, "b") })
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 5*time.Second {
		t.Errorf("%v after %v, want context.DeadlineExceeded", err, time.Since(start))
	}
}

func TestOpeningWhileAnotherProcessWrites(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	overwrite(t, path, databaseWith(t, "a"))
	release := holdInShell(t, path, "BEGIN IMMEDIATE;")
	d := running(t, lockable(path))
	eventually(t, "reads are served", func() bool { return floors(d) == "a" })
	wantReason(t, "write", addFloor(d, "b"), Locked)
	release()
	mustAddFloors(t, d, "b")
}

func TestOpeningWhileAnotherProcessHasTheFileForItself(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	overwrite(t, path, databaseWith(t, "a"))
	release := holdInShell(t, path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO floors (floor_id, name) VALUES ('shell', 'x'); COMMIT;")
	d := running(t, lockable(path))
	wantLost(t, d, Locked)
	release()
	wantServed(t, d, "a shell")
}

// The patience of a write would make both the truth and the end wait.
func TestOpeningALockedFileDelaysNeitherTheTruthNorTheEnd(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	overwrite(t, path, databaseWith(t, "a"))
	holdInShell(t, path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT count(*) FROM floors;")
	d := unopened(t, DefaultConfig(path)) // would wait 30 s
	short, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error)
	go func() { ended <- d.Run(short) }()
	wantLost(t, d, Locked)
	stop()
	start := time.Now()
	<-ended
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("Run ended after %v", took)
	}
}

// The audit learns nothing from a lock, and says nothing then.
func TestALockIsNoDamage(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, databaseWith(t, "a"))
	holdInShell(t, path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT count(*) FROM floors;")
	d := unopened(t, lockable(path))
	locked := &target{path: path, reader: d.config.readerDSN(false)}
	is, err := identify(path)
	want(t, "looking at the file", err, nil)
	locked.seen.Store(&is)
	d.present.Store(locked)
	(&auditor{DB: d}).look(ctx)
	want(t, "what it found", d.integrity, Integrity{})
	d.present.Store(nil)
}
