package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
	"dataapi/internal/backup"
	datasql "dataapi/sql"
)

// Backups keeps backups of the metadata in a folder of its own.
func Backups(t testing.TB, d *db.DB) *backup.Keeper {
	folder := filepath.Join(os.TempDir(), "data-api-backups-"+rand.Text()) // made when there is one, as some tests may not write
	t.Cleanup(func() { os.RemoveAll(folder) })
	return backup.New(backup.Config{
		Folder: folder, Keep: 2, Room: func() int64 { return 0 }, Version: "test", Log: slog.New(slog.DiscardHandler),
		Sources: []backup.Source{{Kind: datasql.OfMetadata, Copy: d.CopyTo}},
	})
}

func TestBackupsOverHTTP(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.get("/api/v1/admin/backups").want(http.StatusOK)
	for range 3 {
		c.do("POST", "/api/v1/admin/backups", "").want(http.StatusCreated)
	}
	list := c.row("/api/v1/admin/backups")
	if n := len(list["backups"].([]any)); n != 2 || list["count"] != 2.0 {
		t.Errorf("%d backups, of which 2 are to be kept: %v", n, list)
	}
	newest := list["backups"].([]any)[0].(map[string]any)
	if newest["verified"] != true || newest["bytes"].(float64) < 100000 {
		t.Errorf("the newest: %v", newest)
	}
	path := filepath.Join(c.server.Backups.Folder, newest["name"].(string))
	if err := os.Truncate(path, 50000); err != nil {
		t.Fatal(err)
	}
	list = c.row("/api/v1/admin/backups")
	if list["backups"].([]any)[0].(map[string]any)["verified"] != false || list["backups"].([]any)[1].(map[string]any)["verified"] != true {
		t.Errorf("after the newest was cut off: %v", list)
	}
	c.do("POST", "/api/v1/admin/backups?x=1", "").want(http.StatusUnprocessableEntity)
}

// What fails is told to who asked, by /health, and in the log; when it succeeds again, all is well.
func TestBackupsThatFail(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "backups")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := inFile(t)
	c.server.Backups.Folder = folder
	health := func() map[string]any {
		return c.row("/health")["dependencies"].(map[string]any)["backups"].(map[string]any)
	}
	if h := health(); h["status"] != "not_configured" || h["last_at"] != nil {
		t.Errorf("before the first: %v", h)
	}
	r := c.do("POST", "/api/v1/admin/backups", "")
	r.want(http.StatusServiceUnavailable)
	if !strings.Contains(string(r.body), "not a directory") {
		t.Errorf("a file for a folder: %s", r.body)
	}
	c.get("/api/v1/admin/backups").want(http.StatusServiceUnavailable)
	if h := health(); h["status"] != "degraded" || h["since"] == nil || c.row("/health")["status"] != "degraded" {
		t.Errorf("after it failed: %v", h)
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	c.do("POST", "/api/v1/admin/backups", "").want(http.StatusCreated)
	if h := health(); h["status"] != "not_configured" || h["since"] != nil || h["last_at"] == nil {
		t.Errorf("when it succeeded: %v", h)
	}
}

// Of two at once, one is refused.
func TestBackupsNeverTwoAtOnce(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	begun, end := make(chan bool), make(chan bool)
	c.server.Backups.Sources = []backup.Source{{Kind: datasql.OfMetadata, Copy: func(ctx context.Context, to string) error {
		begun <- true
		<-end
		return c.db.CopyTo(ctx, to)
	}}}
	first := make(chan response)
	go func() { first <- c.do("POST", "/api/v1/admin/backups", "") }()
	<-begun
	c.do("POST", "/api/v1/admin/backups", "").want(http.StatusConflict)
	close(end)
	r := <-first
	r.want(http.StatusCreated)
}

// A client that goes away does not stop it; the end of the service does.
func TestBackupsGoOn(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	begun, end, stopped := make(chan bool), make(chan bool), make(chan error, 1)
	c.server.Backups.Sources = []backup.Source{{Kind: datasql.OfMetadata, Copy: func(ctx context.Context, to string) error {
		begun <- true
		select {
		case <-end:
			return c.db.CopyTo(ctx, to)
		case <-ctx.Done():
			stopped <- ctx.Err()
			return ctx.Err()
		}
	}}}
	post := func() (cancel func()) {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "POST", c.url+"/api/v1/admin/backups", nil)
		if err != nil {
			t.Fatal(err)
		}
		for answered := make(chan bool); ; {
			go func() {
				if a, err := plainHTTP.Do(r); err == nil {
					a.Body.Close()
				}
				answered <- true
			}()
			select {
			case <-begun:
				go func() { <-answered }()
				return cancel
			case <-answered: // one that is listed may still be under way
			}
		}
	}
	post()()
	end <- true
	eventually(t, "the backup is listed", func() bool { return c.row("/api/v1/admin/backups")["count"] == 1.0 })
	cancel := post()
	defer cancel()
	c.server.EndStreams()
	if err := <-stopped; err == nil {
		t.Error("it was not stopped")
	}
}
