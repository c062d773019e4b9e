package main

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// theirs is another program's connection to the database file at path, which has run a statement.
func theirs(t *testing.T, path, statement string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	pool.SetMaxOpenConns(1)
	if _, err := pool.Exec(statement); err != nil {
		t.Fatal(err)
	}
	return pool
}

// lock holds the database file, so that nobody else can even read it, until the test ends or release is
// called.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	pool := theirs(t, path, "BEGIN EXCLUSIVE; CREATE TABLE theirs (x)")
	release = sync.OnceFunc(func() {
		pool.Exec("ROLLBACK")
		pool.Close()
	})
	t.Cleanup(release)
	return release
}

// brokenDatabases puts something into a folder that cannot be used as x.db, and the reason why.
var brokenDatabases = map[string]struct {
	prepare     func(t *testing.T, folder string)
	url, reason string
}{
	"garbage": {func(t *testing.T, folder string) {
		writeFile(t, filepath.Join(folder, "x.db"), strings.Repeat("this is no database. ", 1000))
	}, "sqlite:x.db", "corrupt"},
	"a folder": {func(t *testing.T, folder string) {
		if err := os.Mkdir(filepath.Join(folder, "x.db"), 0o700); err != nil {
			t.Fatal(err)
		}
	}, "sqlite:x.db", "missing"},
	"a file for a folder": {func(t *testing.T, folder string) {
		writeFile(t, filepath.Join(folder, "x.db"), "")
	}, "sqlite:x.db/y.db", "missing"},
	"somebody else's": {func(t *testing.T, folder string) {
		theirs(t, filepath.Join(folder, "x.db"), "CREATE TABLE theirs (x)").Close()
	}, "sqlite:x.db", "foreign"},
	"locked": {func(t *testing.T, folder string) {
		lock(t, filepath.Join(folder, "x.db"))
	}, "sqlite:x.db", "opening|locked"},
}

// Whatever is wrong with the database, the service lives, says so, and does not claim to be ready.
func TestLivesWithoutDatabase(t *testing.T) {
	for name, c := range brokenDatabases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			c.prepare(t, folder)
			p := startServing(t, folder, "DATABASE_URL="+c.url, "SQLITE_TIMEOUT=3")
			if status := p.status(t, "/livez"); status != http.StatusOK || time.Since(p.begun) > time.Second {
				t.Errorf("/livez: %d after %v", status, time.Since(p.begun))
			}
			reason := regexp.MustCompile(`"reason":"(` + c.reason + `)"`)
			waitFor(t, p, c.reason, func() bool {
				_, body := p.get(t, "/readyz")
				return reason.MatchString(body)
			})
			p.saysItIsUnavailable(t)
			p.stop(t)
		})
	}
}

func (p *process) saysItIsUnavailable(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/readyz", "/api/v1/devices", "/api/v1/entities/light.a"} {
		if status, body := p.get(t, path); status != http.StatusServiceUnavailable || !strings.Contains(body, `"detail":"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusServiceUnavailable {
		t.Errorf("upsert: %d, %v", status, err)
	}
	if status, body := p.get(t, "/health"); status != http.StatusOK || !strings.Contains(body, `"unhealthy"`) {
		t.Errorf("/health: %d %s", status, body)
	}
}

// A service that began with a locked file serves as soon as the lock is gone.
func TestBecomesReadyWhenTheLockIsGone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	release := lock(t, filepath.Join(folder, "x.db"))
	p := startServing(t, folder, "DATABASE_URL=sqlite:x.db", "SQLITE_TIMEOUT=0.2")
	waitFor(t, p, "locked", func() bool {
		_, body := p.get(t, "/readyz")
		return strings.Contains(body, `"reason":"locked"`)
	})
	release()
	waitFor(t, p, "ready", func() bool { return p.status(t, "/readyz") == http.StatusOK })
	p.stop(t)
}
