package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// states are how the service, the metadata and the history say they are.
type states struct {
	Status       string
	Dependencies struct {
		SQLite, History struct{ Status, Detail string }
	}
}

func (p *process) states(t *testing.T) (s states) {
	t.Helper()
	if status, body := p.get(t, "/health"); status != http.StatusOK || json.Unmarshal([]byte(body), &s) != nil {
		t.Errorf("/health: %d %s", status, body)
	}
	return s
}

// Whatever is wrong with the history, the metadata does not notice, and /health says it.
func TestLivesWithoutHistory(t *testing.T) {
	for name, c := range brokenDatabases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			c.prepare(t, folder)
			p := startReady(t, folder, "HISTORY_DATABASE_URL="+c.url, "SQLITE_TIMEOUT=1")
			if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusOK {
				t.Errorf("upsert: %d, %v", status, err)
			}
			if status := p.status(t, "/api/v1/devices/a"); status != http.StatusOK {
				t.Errorf("what was pushed: %d", status)
			}
			var s states
			waitFor(t, p, "degraded", func() bool { s = p.states(t); return s.Status == "degraded" })
			if d := s.Dependencies; d.SQLite.Status != "healthy" || d.History.Status != "unhealthy" || d.History.Detail == "" {
				t.Errorf("%+v", s)
			}
			if status := p.status(t, "/readyz"); status != http.StatusOK {
				t.Errorf("/readyz: %d", status)
			}
			p.stop(t)
		})
	}
}

// The history is a file of its own, made at the first start and closed at the end; a damaged one that is put
// right is taken up without a restart.
func TestHistoryRecovers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "past.db")
	writeFile(t, path, strings.Repeat("this is no database. ", 1000))
	p := startReady(t, folder, "HISTORY_DATABASE_URL=sqlite:past.db")
	waitFor(t, p, "degraded", func() bool { return p.states(t).Dependencies.History.Status == "unhealthy" })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	waitFor(t, p, "healthy", func() bool { return p.states(t).Status == "healthy" })
	p.stop(t)
	noLog(t, path)
}
