package faults

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// An acknowledged write survives kill -9, one that was cut off is whole or absent, the files are whole, and those who
// follow the changes miss none and get none twice: whenever it strikes, at work, at the start and at the end.
func TestKills(t *testing.T) {
	t.Parallel()
	folder, l, r := t.TempDir(), newLoad(), chance(t, "when")
	feed := follow(t, folder)
	for n := 1; n <= *kills; n++ {
		p := launch(t, folder)
		switch r.IntN(8) {
		case 0: // while it starts
			time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
			p.kill()
		case 1: // while it ends
			p.underLoad(t, l, feed, fmt.Sprint(n), time.Duration(r.IntN(300))*time.Millisecond, func() {
				p.Process.Signal(syscall.SIGTERM)
				time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
				p.kill()
			})
		default:
			p.underLoad(t, l, feed, fmt.Sprint(n), time.Duration(r.IntN(700))*time.Millisecond, p.kill)
		}
		if n%10 == 0 || n == *kills {
			whole(t, folder)
			p := launch(t, folder).ready(t)
			l.check(t, p)
			p.kill()
		}
	}
	p := launch(t, folder).ready(t)
	feed.check(t, p)
	p.stop(t)
	whole(t, folder)
	for i, n := range l.acknowledged() {
		if t.Logf("%T: %d acknowledged", l.writers[i], n); n == 0 && *all {
			t.Errorf("%T: nothing was acknowledged", l.writers[i])
		}
	}
}

// underLoad lets the service work for a while, and then something happens that ends it.
func (p *process) underLoad(t *testing.T, l *load, f *feed, part string, while time.Duration, end func()) {
	t.Helper()
	p.ready(t)
	writers, readers := l.run(t, p, part, nil), f.run(t, p)
	time.Sleep(while)
	end()
	writers.Wait()
	readers.Wait()
}

// whole holds copies of all files in a folder's data to be whole. The copies are looked at, as looking would mend the
// files themselves.
func whole(t *testing.T, folder string) {
	t.Helper()
	files, copies := filesOf(t, folder), t.TempDir()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copies, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, file := range files {
		if filepath.Ext(file) == ".db" {
			n++
			wholeFile(t, filepath.Join(copies, filepath.Base(file)))
		}
	}
	if n < 3 {
		t.Errorf("only %d of 3 files: %q", n, files)
	}
}

// filesOf are the databases and their logs. What SQLite shares in memory is of nobody any more.
func filesOf(t *testing.T, folder string) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.db", "*.db-wal"} {
		found, err := filepath.Glob(filepath.Join(folder, "data", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func wholeFile(t *testing.T, path string) {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for pragma, want := range map[string]string{"integrity_check": "ok", "foreign_key_check": ""} {
		rows, err := pool.Query("SELECT * FROM pragma_" + pragma)
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for rows.Next() {
			columns, _ := rows.Columns()
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			said = append(said, fmt.Sprint(*values[0].(*any)))
		}
		if got := strings.Join(said, " "); got != want || rows.Err() != nil {
			t.Errorf("%s of %s: %q, %v", pragma, filepath.Base(path), got, rows.Err())
		}
	}
}
