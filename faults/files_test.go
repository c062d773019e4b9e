package faults

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever becomes of the files while clients write, the service lives, says 503 of what it cannot do and why, goes on
// with the rest, and recovers by itself: with all that was acknowledged.
func TestFiles(t *testing.T) {
	slow(t)
	folder, l, r := t.TempDir(), newLoad(), chance(t, "order")
	l.allowed = unavailable
	p := launch(t, folder, "SQLITE_TIMEOUT=0.3").ready(t)
	p.works(t, l) // so that there are webhooks: without any, nobody misses their file
	var troubles []func()
	for _, name := range []string{"metadata.db", "history.db", "webhooks.db"} {
		path := filepath.Join(folder, "data", name)
		for _, trouble := range []func(*testing.T, *process, *load, string){locked, away, overwritten, exchanged, logRemoved} {
			troubles = append(troubles, func() { trouble(t, p, l, path) })
		}
	}
	r.Shuffle(len(troubles), func(i, j int) { troubles[i], troubles[j] = troubles[j], troubles[i] })
	for n, trouble := range troubles {
		if trouble(); t.Failed() {
			t.Fatalf("in trouble %d: %s", n, p.output.String())
		}
	}
	p.works(t, l)
	l.check(t, p)
	p.stop(t)
	whole(t, folder)
}

// unavailable says whether a write was refused because it cannot be done now.
func unavailable(a answer) bool {
	return a.status == 503 && a.header.Get("Retry-After") != "" && strings.Contains(string(a.body), `"reason":"`)
}

// during lets clients write while something happens, and holds the service to answer meanwhile.
func (p *process) during(t *testing.T, l *load, what string, happens func()) {
	t.Helper()
	stop := make(chan struct{})
	writers := l.run(t, p, what, stop)
	happens()
	for _, path := range []string{"/livez", "/health"} {
		if a := p.ask("GET", path, ""); a.status != 200 {
			t.Errorf("%s: %s: %v", what, path, a)
		}
	}
	close(stop)
	writers.Wait()
}

// works waits until each kind of write is acknowledged again.
func (p *process) works(t *testing.T, l *load) {
	t.Helper()
	p.recovers(t)
	before := l.acknowledged()
	stop := make(chan struct{})
	writers := l.run(t, p, "works", stop)
	eventually(t, "all is written again", func() bool {
		for i, n := range l.acknowledged() {
			if n == before[i] {
				return false
			}
		}
		return true
	})
	close(stop)
	writers.Wait()
}

// locked is another program that holds the file for a while.
func locked(t *testing.T, p *process, l *load, path string) {
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	p.during(t, l, "locked", func() {
		eventually(t, "a lock on "+path, func() bool { _, err := pool.Exec("BEGIN IMMEDIATE"); return err == nil })
		time.Sleep(700 * time.Millisecond)
		if _, err := pool.Exec("ROLLBACK"); err != nil {
			t.Error(err)
		}
	})
	p.works(t, l)
}

// away is a file that is gone, and comes back.
func away(t *testing.T, p *process, l *load, path string) {
	p.during(t, l, "away", func() {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Error(err)
		}
		p.complains(t, path)
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was made anew", path)
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Error(err)
		}
	})
	p.works(t, l)
}

// complains waits until /health says that something is wrong.
func (p *process) complains(t *testing.T, path string) {
	t.Helper()
	eventually(t, "/health tells of "+path, func() bool {
		var h struct{ Status string }
		a := p.ask("GET", "/health", "")
		return a.read(&h) == nil && h.Status != "healthy"
	})
}

// settled moves all of the file out of its log, as nobody writes, and returns it.
func settled(t *testing.T, path string) (good []byte) {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	eventually(t, "an empty log of "+path, func() bool {
		pool.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
		log, err := os.Stat(path + "-wal")
		return err == nil && log.Size() == 0
	})
	time.Sleep(600 * time.Millisecond) // so that what is done now is not taken for that
	good, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return good
}

// overwritten is a file that becomes garbage, and is put right.
func overwritten(t *testing.T, p *process, l *load, path string) {
	good := settled(t, path)
	if err := os.WriteFile(path, bytes.Repeat([]byte("garbage "), len(good)/8), 0o600); err != nil {
		t.Fatal(err)
	}
	p.complains(t, path)
	p.during(t, l, "overwritten", func() { time.Sleep(300 * time.Millisecond) })
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	p.works(t, l)
}

// exchanged is a file in whose place there is another one, which holds the same.
func exchanged(t *testing.T, p *process, l *load, path string) {
	good := settled(t, path)
	if err := errors.Join(os.WriteFile(path+".new", good, 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other file is open", func() bool { return p.opens(path) })
	p.works(t, l)
}

// opens says whether the process has the file open that is at the path, and no other of that name.
func (p *process) opens(path string) bool {
	is, err := os.Stat(path)
	if err != nil {
		return false
	}
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
	found := false
	for _, link := range links {
		switch has, err := os.Stat(link); {
		case err == nil && os.SameFile(is, has):
			found = true
		case has != nil && filepath.Base(path) == strings.TrimSuffix(base(link), " (deleted)"):
			return false
		}
	}
	return found
}

// base is the name of the file behind a link.
func base(link string) string {
	target, _ := os.Readlink(link)
	return filepath.Base(target)
}

// logRemoved is a log that somebody removes.
func logRemoved(t *testing.T, p *process, l *load, path string) {
	p.during(t, l, "log removed", func() {
		os.Remove(path + "-wal") // which need not be there
		time.Sleep(time.Second)
	})
	p.works(t, l)
}
