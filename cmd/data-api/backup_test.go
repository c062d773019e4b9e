package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// succeed runs a command that is to succeed.
func succeed(t *testing.T, folder string, args ...string) string {
	t.Helper()
	code, out := finish(t, folder, nil, args...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, out)
	}
	return out
}

// refuse runs a command that is to fail, and to say why.
func refuse(t *testing.T, folder, says string, args ...string) {
	t.Helper()
	if code, out := finish(t, folder, nil, args...); code != 1 || !strings.Contains(out, says) {
		t.Errorf("%v: exit code %d, %s; want 1 and %q", args, code, out, says)
	}
}

// replaced are the files that restores kept in the folder of the data.
func replaced(t *testing.T, folder string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "data", "*.replaced-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// 64 clients write to a service while another process makes backups of its files: each ends, and holds what was
// acknowledged before it began. What is served is not replaced.
func TestBackupOfARunningService(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	writing, stop := context.WithCancel(t.Context())
	defer stop()
	var acknowledged atomic.Int64
	var g sync.WaitGroup
	for w := range 64 {
		g.Go(func() {
			for n := 0; writing.Err() == nil; n++ {
				list := deviceList(fmt.Sprintf("%02d-%05d", w, n))
				if status, err := p.upsert(writing, strings.NewReader(list)); err == nil && status == http.StatusOK {
					acknowledged.Add(1)
				}
			}
		})
	}
	waitFor(t, p, "written to", func() bool { return acknowledged.Load() > 300 })
	before := acknowledged.Load()
	out := succeed(t, folder, "backup", "x.tar")
	if !strings.Contains(out, "verified") {
		t.Errorf("backup: %s", out)
	}
	refuse(t, folder, "there is a file of this name already", "backup", "x.tar")
	refuse(t, folder, "stop data-api first", "restore", "x.tar")
	if acknowledged.Load() == before {
		t.Error("nothing was written meanwhile")
	}
	stop()
	g.Wait()
	all := p.total(t, "devices")
	p.stop(t)

	out = succeed(t, folder, "restore", "x.tar")
	if len(replaced(t, folder)) != 3 || strings.Count(out, "kept ") != 3 {
		t.Errorf("restore: %s", out)
	}
	p = startReady(t, folder)
	if n := p.total(t, "devices"); n < int(before) || n > all {
		t.Errorf("%d devices, of %d acknowledged before the backup and %d in all", n, before, all)
	}
	p.stop(t)
	noLog(t, filepath.Join(folder, "data", "metadata.db"))
}

// A cursor of the feed from before a restore is refused, and not waited on in silence.
func TestRestoreTellsThoseWhoFollow(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusOK {
		t.Fatal(status, err)
	}
	_, body := p.get(t, "/api/v1/changes")
	_, cursor, _ := strings.Cut(body, `"next_cursor":"`)
	cursor, _, _ = strings.Cut(cursor, `"`)
	succeed(t, folder, "backup", "x.tar")
	p.stop(t)
	succeed(t, folder, "restore", "x.tar")
	p = startReady(t, folder)
	if status, body := p.get(t, "/api/v1/changes?since="+cursor); status != http.StatusGone || !strings.Contains(body, "other_log") {
		t.Errorf("cursor %s: %d %s", cursor, status, body)
	}
	p.stop(t)
}

// Killed at any moment, a restore leaves the old or the new, which the next start serves.
func TestRestoreKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	var ids []string
	for n := range 3000 {
		ids = append(ids, fmt.Sprint("old-", n))
	}
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList(ids...))); status != http.StatusOK {
		t.Fatal(status, err)
	}
	succeed(t, folder, "backup", "x.tar")
	p.stop(t)
	begin := time.Now()
	succeed(t, folder, "restore", "x.tar")
	whole := time.Since(begin)
	for round := range 12 {
		p := startReady(t, folder)
		if status, err := p.upsert(t.Context(), strings.NewReader(deviceList(fmt.Sprint("new-", round)))); status != http.StatusOK {
			t.Fatal(status, err)
		}
		old := p.total(t, "devices")
		p.stop(t)
		killedAfter(t, folder, whole*time.Duration(round)/12, "restore", "x.tar")
		p = startReady(t, folder)
		if n := p.total(t, "devices"); n != old && n != len(ids) {
			t.Fatalf("round %d: %d devices, where %d were and %d are in the backup: %s", round, n, old, len(ids), p.output.String())
		}
		if left, _ := filepath.Glob(filepath.Join(folder, "data", "*.restoring*")); left != nil {
			t.Errorf("round %d: left behind: %s", round, left)
		}
		p.stop(t)
	}
}

// killedAfter runs the binary and kills it after a while, unless it has ended.
func killedAfter(t *testing.T, folder string, after time.Duration, args ...string) {
	t.Helper()
	p := start(t, folder, nil, args...)
	select {
	case <-p.ended:
	case <-time.After(after):
		p.Process.Kill()
		<-p.ended
	}
}

// A backup that is killed leaves nothing under its name, and the next one removes what it left.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	startReady(t, folder).stop(t)
	begin := time.Now()
	succeed(t, folder, "backup", "whole.tar")
	whole := time.Since(begin)
	for round := range 8 {
		name := fmt.Sprintf("%d.tar", round)
		killedAfter(t, folder, whole*time.Duration(round)/8, "backup", name)
		if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
			succeed(t, folder, "restore", name) // it has its name, so it is whole
		}
	}
	succeed(t, folder, "backup", "last.tar")
	if left, _ := filepath.Glob(filepath.Join(folder, ".data-api-backup-*")); left != nil {
		t.Errorf("left behind: %s", left)
	}
}

// A corrupt file is left where it is by the service, which says what to do.
func TestRestoreOverADamagedFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	startReady(t, folder).stop(t)
	succeed(t, folder, "backup", "x.tar")
	path := filepath.Join(folder, "data", "metadata.db")
	writeFile(t, path, strings.Repeat("this is no database. ", 1000))
	p := startServing(t, folder)
	waitFor(t, p, "unhealthy", func() bool {
		_, body := p.get(t, "/health")
		return strings.Contains(body, "data-api restore")
	})
	p.stop(t)
	if text, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(text), "this is no database") {
		t.Errorf("the damaged file was touched: %v", err)
	}
	succeed(t, folder, "restore", "x.tar")
	kept := replaced(t, folder)
	found := false
	for _, name := range kept {
		text, _ := os.ReadFile(name)
		found = found || strings.HasPrefix(string(text), "this is no database")
	}
	if !found {
		t.Errorf("the damaged file is not among %s", kept)
	}
	startReady(t, folder).stop(t)
}

// The service makes backups by itself, of all three files, while it has them open; and when it is told to.
func TestServiceMakesBackups(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder, "BACKUP_INTERVAL=1s", "BACKUP_KEEP=2", "BACKUP_DIR=kept")
	waitFor(t, p, "backed up", func() bool {
		_, body := p.get(t, "/api/v1/admin/backups")
		return strings.Contains(body, `"count":2`) && strings.Count(body, `"verified":true`) == 2
	})
	waitFor(t, p, "healthy", func() bool {
		_, body := p.get(t, "/health")
		return strings.Contains(body, `"interval_seconds":1`) && strings.Contains(body, `"last_at":"2`)
	})
	p.stop(t)
	all, err := filepath.Glob(filepath.Join(folder, "kept", "*"))
	if err != nil || len(all) < 1 {
		t.Fatalf("kept %s, %v", all, err)
	}
	if out := succeed(t, folder, "restore", all[len(all)-1]); strings.Count(out, "restored ") != 3 {
		t.Errorf("restore: %s", out)
	}
}
