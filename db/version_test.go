package db

import (
	"fmt"
	"sync"
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

// TestTheVersionUnderLoad has many ask at a time, who share what they see: nobody may be told of a version from before
// it asked.
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
	other := newPool(rawConnector(fileURI(path)), 1)
	defer other.Close()
	c, err := other.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for range 10 {
		if _, ok := d.Version(); ok {
			t.Error("the version of a file is known that cannot be read")
		}
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := c.ExecContext(ctx, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Version(); !ok {
		t.Error("the version is not known again")
	}
}
