package server

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/db"
)

// running returns a caller of a server over the database at path, which is opened and watched in the
// background as it is in the service. A write waits for locks for as long as timeout.
func running(t *testing.T, path string, timeout time.Duration) *caller {
	t.Helper()
	config := db.DefaultConfig(path)
	config.Timeout = timeout
	log := &lines{}
	d := db.Prepare(config, slog.New(slog.NewJSONHandler(log, nil)))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		d.Close()
	})
	c := serveDB(t, d)
	c.log = log
	return c
}

// ready waits until the service says that it is ready.
func (c *caller) ready() *caller {
	c.Helper()
	eventually(c, "ready", func() bool { return c.get("/readyz").status == 200 })
	return c
}

// unavailable waits until the database cannot be read for this reason, and then holds every route to that.
func (c *caller) unavailable(reason db.Reason) {
	c.Helper()
	eventually(c, string(reason), func() bool {
		a := c.get("/readyz")
		return a.status == 503 && a.json()["reason"] == string(reason)
	})
	for _, rt := range c.server.Routes() {
		path := strings.NewReplacer("{", "", "}", "").Replace(rt.Path)
		if rt.SQL != "-" && !aboutThePast(path) {
			if path == "/api/v1/search" {
				path += "?q=lamp"
			}
			a := c.do(rt.Method, path, exampleOf(c, rt.Method, rt.Path), "Content-Type: application/json")
			if p := a.problem(503); p["reason"] != string(reason) || p["detail"] == "" || a.header.Get("Retry-After") == "" {
				c.Errorf("%s %s: %s %v", rt.Method, path, a.body, a.header)
			}
		}
	}
	c.get("/readyz").problem(503)
	c.get("/livez").want(200)
	c.sick("unhealthy", reason)
}

// aboutThePast says whether a path needs the history, which has reasons of its own to be unavailable.
func aboutThePast(path string) bool {
	return strings.HasPrefix(path, "/api/v1/events") || path == "/api/v1/history" || strings.HasSuffix(path, "/write")
}

// sick holds /health to what it must say of the database.
func (c *caller) sick(status string, reason db.Reason) {
	c.Helper()
	start := time.Now()
	h := c.row("/health")
	sqlite := h["dependencies"].(map[string]any)["sqlite"].(map[string]any)
	if h["status"] != status || sqlite["status"] != status || sqlite["reason"] != string(reason) || sqlite["detail"] == nil {
		c.Errorf("health: got %v %v, want %s because of %s", h["status"], sqlite, status, reason)
	}
	if took := time.Since(start); took > 3*time.Second {
		c.Errorf("/health took %v", took)
	}
}

func TestNotOpenYet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "metadata.db")
	d := db.Prepare(db.DefaultConfig(path), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	c := serveDB(t, d)
	c.unavailable(db.Opening)
	if err := d.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.ready().pushOnly("devices", `[{"id":"d"}]`)
	c.wantMembers("/health", `{"status":"healthy"}`)
}

// TestCannotBeOpened serves what stands in the place of the database, and then the database.
func TestCannotBeOpened(t *testing.T) {
	t.Parallel()
	good := goodFile(t)
	for reason, spoil := range map[db.Reason]func(path string) error{
		db.Corrupt: func(path string) error {
			return os.WriteFile(path, bytes.Repeat([]byte("not a database "), 500), 0o600)
		},
		db.Foreign: func(path string) error { return execIn(path, "CREATE TABLE tax_returns (secret TEXT)") },
		db.Newer: func(path string) error {
			return errors.Join(os.WriteFile(path, good, 0o600), execIn(path, "INSERT INTO schema_migrations VALUES ('99990101000000')"))
		},
		db.Missing: func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "metadata.db")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			c := running(t, path, time.Second)
			c.unavailable(reason)
			replace(t, path, good)
			c.ready()
			c.wantMembers("/api/v1/devices/lamp", `{"name":"Lamp"}`)
			c.pushOnly("devices", `[{"id":"new"}]`)
			eventually(t, "healthy", func() bool { return c.row("/health")["status"] == "healthy" })
		})
	}
}

// TestGoneAndBack moves the file away under the running service, damages it, and puts it back.
func TestGoneAndBack(t *testing.T) {
	t.Parallel()
	good := goodFile(t)
	path := filepath.Join(t.TempDir(), "metadata.db")
	replace(t, path, good)
	c := running(t, path, time.Second).ready()
	for _, step := range []struct {
		reason db.Reason
		spoil  func() error
	}{
		{db.Missing, func() error { return os.Rename(path, path+".away") }},
		{db.Corrupt, func() error { return os.WriteFile(path, bytes.Repeat([]byte{0xaa}, len(good)), 0o600) }},
		{db.Corrupt, func() error { return os.Truncate(path, 0) }},
	} {
		c.settled(path)
		if err := step.spoil(); err != nil {
			t.Fatal(err)
		}
		c.unavailable(step.reason)
		replace(t, path, good)
		c.ready()
		c.wantMembers("/api/v1/devices/lamp", `{"name":"Lamp","entity_count":2}`)
		c.pushOnly("devices", `[{"id":"lamp","sw_version":"1.2"},{"id":"new"}]`)
		eventually(t, "healthy", func() bool { return c.row("/health")["status"] == "healthy" })
	}
}

// settled waits until the log has been moved into the file, so that a change of the file from outside is
// not taken for that.
func (c *caller) settled(path string) {
	c.Helper()
	eventually(c, "an empty log", func() bool {
		log, err := os.Stat(path + "-wal")
		return err != nil || log.Size() == 0
	})
	time.Sleep(100 * time.Millisecond)
}

// TestLocked holds the lock of writers from another process: reads go on, writes are a 503 after their
// time, and succeed as soon as the lock is gone.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "metadata.db")
	c := running(t, path, 200*time.Millisecond).ready()
	c.pushOnly("devices", `[{"id":"d","name":"before"}]`)
	lock := c.shell()
	if _, err := lock.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []response{c.post("devices", `[{"id":"d","name":"after"}]`), c.post("entities", `[]`), c.do("DELETE", "/internal/devices/clear", "")} {
		if p := a.problem(503); p["reason"] != string(db.Locked) || a.header.Get("Retry-After") == "" {
			t.Errorf("%s", a.body)
		}
	}
	c.wantMembers("/api/v1/devices/d", `{"name":"before"}`)
	c.get("/readyz").want(200)
	if _, err := lock.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	c.pushOnly("devices", `[{"id":"d","name":"after"}]`)
	c.wantMembers("/api/v1/devices/d", `{"name":"after"}`)
	c.wantMembers("/health", `{"status":"healthy"}`)
}

// TestBrokenSchema takes tables away under the running service, as does who overwrites its file: it is damaged, and what
// is missing is for the log and not for the client.
func TestBrokenSchema(t *testing.T) {
	t.Parallel()
	c := furnish(inFile(t))
	if _, err := c.shell().Exec("DROP VIEW devices_view; DROP TABLE entity_labels; DROP TRIGGER devices_inserted"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []response{c.get("/api/v1/devices"), c.get("/api/v1/devices/lamp"), c.get("/api/v1/devices?total=true&q=x"),
		c.post("entities", `[{"entity_id":"light.new","labels":["x"]}]`), c.get("/api/v1/entities?label_id=warm")} {
		if p := a.problem(503); p["reason"] != "corrupt" || strings.Contains(fmt.Sprint(p["detail"]), "table") {
			t.Errorf("%s", a.body)
		}
		if lines := c.logged(a, 2); !strings.Contains(fmt.Sprint(lines[0]["error"]), "no such table") {
			t.Errorf("log: %v", lines)
		}
	}
	c.get("/api/v1/areas/none").problem(404)
}

// goodFile is the content of a database with a home in it.
func goodFile(t *testing.T) []byte {
	t.Helper()
	c := furnish(inFile(t))
	path := c.db.Status(context.Background()).Path
	if err := c.db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || len(content) < 50_000 {
		t.Fatal(err, len(content))
	}
	return content
}

// replace puts a file in the place of whatever is at path, in one step.
func replace(t *testing.T, path string, content []byte) {
	t.Helper()
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	err := os.WriteFile(path+".new", content, 0o600)
	if err = errors.Join(err, os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// execIn runs SQL in the file at path.
func execIn(path, text string) error {
	d, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	_, err = d.Exec(text)
	return errors.Join(err, d.Close())
}
