package backup_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/db/history"
	"dataapi/internal/backup"
	datasql "dataapi/sql"
)

var ctx = context.Background()

// home is a folder with the three files of a home.
type home struct {
	testing.TB
	folder string
}

func newHome(t testing.TB) home { return home{t, t.TempDir()} }

func (h home) path(name string) string { return filepath.Join(h.folder, name) }

func (h home) paths() backup.Paths {
	return backup.Paths{
		datasql.OfMetadata: h.path("metadata.db"), datasql.OfHistory: h.path("history.db"), datasql.OfDeliveries: h.path("webhooks.db"),
	}
}

func (h home) log() *slog.Logger { return slog.New(slog.NewTextHandler(h.Output(), nil)) }

func (h home) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// open opens the metadata.
func (h home) open() *db.DB {
	h.Helper()
	d := db.Prepare(db.DefaultConfig(h.path("metadata.db")), h.log())
	h.Cleanup(func() { d.Close() })
	h.must(d.Open(ctx))
	return d
}

// fill makes all three files, with these floors.
func (h home) fill(floors ...string) home {
	h.Helper()
	d := h.open()
	for _, id := range floors {
		h.must(addFloor(d, id))
	}
	h.must(d.Close())
	past := history.Prepare(db.DefaultConfig(h.path("history.db")), h.log())
	h.must(past.Open(ctx))
	h.must(past.Close())
	sent := deliveries.Prepare(db.DefaultConfig(h.path("webhooks.db")), h.log())
	h.must(sent.Open(ctx))
	h.must(sent.Close())
	return h
}

func addFloor(d *db.DB, id string) error {
	return d.WriteRow(ctx, func(q *db.Queries) error {
		return q.SaveFloor(ctx, db.SaveFloorParams{FloorID: id, Name: id, Aliases: "[]", Extra: "{}",
			CreatedAt: "2026-01-01T00:00:00.000000Z", UpdatedAt: "2026-01-01T00:00:00.000000Z"})
	})
}

// floors are the ids of all floors.
func (h home) floors() string {
	h.Helper()
	d := h.open()
	defer d.Close()
	rows, err := d.ListFloors(ctx, db.ListFloorsParams{Lim: 10000})
	h.must(err)
	var ids []string
	for _, f := range rows {
		ids = append(ids, f.FloorID)
	}
	return strings.Join(ids, " ")
}

func (h home) logID() string {
	h.Helper()
	d := h.open()
	defer d.Close()
	log, err := d.ChangeLog(ctx)
	h.must(err)
	return log.Newest.LogID
}

// backup makes a backup of the files, none of which is open.
func (h home) backup(name string) string {
	h.Helper()
	_, err := backup.Create(ctx, h.paths().Sources(), h.path(name), "test", false)
	h.must(err)
	return h.path(name)
}

// left are the names in the folder that begin so.
func (h home) left(pattern string) (names []string) {
	h.Helper()
	found, err := filepath.Glob(h.path(pattern))
	h.must(err)
	for _, path := range found {
		names = append(names, filepath.Base(path))
	}
	return names
}

func (h home) want(what string, got, want any) {
	h.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a", "b")
	made := h.backup("x.tar")
	info, err := os.Stat(made)
	h.must(err)
	h.want("rights", info.Mode().Perm(), os.FileMode(0o600))
	before := h.logID()
	d := h.open()
	h.must(addFloor(d, "c"))
	d.Close()
	restored, err := backup.Restore(ctx, h.paths(), made)
	h.must(err)
	h.want("files", len(restored), 3)
	h.want("floors", h.floors(), "a b")
	if h.logID() == before {
		t.Error("the change log is the one before")
	}
	h.want("kept", len(h.left("*.replaced-*")), 3)
	h.want("left behind", append(h.left("*.restoring*"), h.left(".data-api*")...), []string(nil))
	for _, f := range restored {
		h.want("kept of "+f.Path, strings.HasPrefix(f.Aside, f.Path+".replaced-"), true)
		if f.Path == h.path("metadata.db") {
			h.must(os.Rename(f.Aside, f.Path))
			h.want("floors of the file that was kept", h.floors(), "a b c")
		}
	}
}

// A new machine has no files yet.
func TestRestoreWhereNothingIs(t *testing.T) {
	t.Parallel()
	made := newHome(t).fill("a").backup("x.tar")
	h := newHome(t)
	h.folder = filepath.Join(h.folder, "not", "there")
	restored, err := backup.Restore(ctx, h.paths(), made)
	h.must(err)
	h.want("kept", restored[0].Aside+restored[1].Aside+restored[2].Aside, "")
	h.want("floors", h.floors(), "a")
}

// One database file may be put back by itself, such as a copy made before a migration, or the file that was kept.
func TestRestoreOfOneFile(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	other := newHome(t).fill("x", "y")
	restored, err := backup.Restore(ctx, h.paths(), other.path("metadata.db"))
	h.must(err)
	h.want("files", len(restored), 1)
	h.want("floors", h.floors(), "x y")
	h.want("floors of the other", other.floors(), "x y")
	if h.logID() == other.logID() {
		t.Error("both have the same change log")
	}
}

func TestBackupWithoutSomeFiles(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	h.must(os.Remove(h.path("history.db")))
	b, err := backup.Create(ctx, h.paths().Sources(), h.path("x.tar"), "test", false)
	h.must(err)
	h.want("missing", b.Missing(), []string{"history.db"})
	h.must(os.Remove(h.path("metadata.db")))
	_, err = backup.Create(ctx, h.paths().Sources(), h.path("y.tar"), "test", false)
	h.want("without metadata", errors.Is(err, os.ErrNotExist), true)
	h.want("left behind", append(h.left("y.tar"), h.left(".data-api*")...), []string(nil))
}

func TestBackupNeverOverwrites(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	h.must(os.Mkdir(h.path("folder"), 0o700))
	for _, name := range []string{"file", "link", "folder"} {
		target := h.path(name)
		switch name {
		case "file":
			h.must(os.WriteFile(target, []byte("mine"), 0o644))
		case "link":
			h.must(os.Symlink("nowhere", target))
		}
		_, err := backup.Create(ctx, h.paths().Sources(), target, "test", false)
		h.want(name, errors.Is(err, backup.ErrExists), true)
	}
	for _, name := range []string{"link", "folder"} {
		_, err := backup.Create(ctx, h.paths().Sources(), h.path(name), "test", true)
		h.want(name+" by force", errors.Is(err, backup.ErrExists), true)
	}
	text, err := os.ReadFile(h.path("file"))
	h.want("the file", fmt.Sprint(string(text), err), "mine<nil>")
	_, err = backup.Create(ctx, h.paths().Sources(), h.path("file"), "test", true)
	h.must(err)
	info, err := os.Stat(h.path("file"))
	h.must(err)
	h.want("rights", info.Mode().Perm(), os.FileMode(0o600))
	_, err = backup.Create(ctx, h.paths().Sources(), filepath.Join(h.folder, "none", "x.tar"), "test", false)
	h.want("no folder", errors.Is(err, os.ErrNotExist), true)
}

// What is damaged, cut off or something else changes nothing, and is said to be so.
func TestRestoreRefusals(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	good, err := os.ReadFile(h.backup("good.tar"))
	h.must(err)
	flipped := append([]byte{}, good...)
	flipped[len(good)/2] ^= 1
	cases := map[string]struct {
		content []byte
		says    string
	}{
		"empty":         {nil, "cut off"},
		"garbage":       {[]byte(strings.Repeat("this is no backup ", 1000)), "no whole backup"},
		"cut off":       {good[:len(good)/3], "cut off"},
		"last part":     {good[:len(good)-5000], "cut off"},
		"flipped bit":   {flipped, "not what was put there"},
		"SQLite's mark": {[]byte("SQLite format 3\x00 and nothing else"), "damaged"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			path := h.path("bad")
			h.must(os.WriteFile(path, c.content, 0o600))
			_, err := backup.Restore(ctx, h.paths(), path)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			h.want("floors", h.floors(), "a")
			h.want("left behind", append(append(h.left("*.replaced-*"), h.left("*.restoring*")...), h.left(".data-api*")...), []string(nil))
		})
	}
}

// What is no file is not waited for.
func TestRestoreOfNoFile(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	h.must(syscall.Mkfifo(h.path("pipe"), 0o600))
	for _, from := range []string{h.path("pipe"), h.folder, os.DevNull, h.path("none")} {
		if _, err := backup.Restore(ctx, h.paths(), from); err == nil {
			t.Errorf("%s was restored", from)
		}
	}
	h.want("floors", h.floors(), "a")
}

// A file that is open, by whatever program, is not replaced.
func TestRestoreWhileOpen(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	made := h.backup("x.tar")
	d := h.open()
	_, err := backup.Restore(ctx, h.paths(), made)
	h.want("while served", errors.Is(err, backup.ErrServed), true)
	h.must(addFloor(d, "b"))
	d.Close()
	h.want("floors", h.floors(), "a b")
	_, err = backup.Restore(ctx, h.paths(), made)
	h.must(err)
}

// Garbage is kept aside, with the log that lies beside it: that is not replayed into what takes its place.
func TestRestoreOverGarbage(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	made := h.backup("x.tar")
	h.must(os.WriteFile(h.path("metadata.db"), []byte(strings.Repeat("garbage ", 10000)), 0o600))
	h.must(os.WriteFile(h.path("metadata.db-wal"), []byte("old log"), 0o600))
	h.must(os.WriteFile(h.path("metadata.db-shm"), []byte("old index"), 0o600))
	restored, err := backup.Restore(ctx, h.paths(), made)
	h.must(err)
	h.want("floors", h.floors(), "a")
	for _, f := range restored {
		if f.Path == h.path("metadata.db") {
			log, err := os.ReadFile(f.Aside + "-wal")
			h.want("the log beside the garbage", fmt.Sprint(string(log), err), "old log<nil>")
		}
	}
}

// A restore that was cut off leaves the old or the new, and the next start says which.
func TestRestoreCutOff(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	h.must(os.WriteFile(h.path("metadata.db.restoring"), []byte("half of it"), 0o600))
	did, err := h.paths().Finish()
	h.must(err)
	h.want("before anything changed", did, "a restore that was cut off had changed nothing: the files are as they were before it")
	h.want("floors", h.floors(), "a")

	other := newHome(t).fill("b")
	h.must(os.Rename(other.path("metadata.db"), h.path("metadata.db.restoring")))
	intent := fmt.Sprintf(`{"at":"2026-01-02T03:04:05Z","paths":[%q,%q]}`, h.path("webhooks.db"), h.path("metadata.db"))
	h.must(os.WriteFile(h.path("metadata.db.restoring.json"), []byte(intent), 0o600))
	h.must(os.Rename(h.path("metadata.db"), h.path("metadata.db.replaced-20260102T030405.000")))
	d := db.Prepare(db.DefaultConfig(h.path("metadata.db")), h.log())
	if err := d.Open(ctx); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("opened in the middle of a restore: %v", err)
	}
	d.Close()
	did, err = h.paths().Finish()
	h.must(err)
	h.want("in the middle", strings.Contains(did, "has been finished"), true)
	h.want("floors", h.floors(), "b")
	did, err = h.paths().Finish()
	h.want("once more", fmt.Sprint(did, err), "<nil>")
	h.want("left behind", h.left("*.restoring*"), []string(nil))
}

// As many as write, and for as long: a backup ends, is whole, and holds what was acknowledged before it began.
func TestBackupWhileManyWrite(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill()
	d := h.open()
	running, stop := context.WithCancel(ctx)
	defer stop()
	var g sync.WaitGroup
	g.Go(func() { d.Run(running) })
	padding := strings.Repeat("x", 20000)
	var written atomic.Int64
	for w := range 64 {
		g.Go(func() {
			for n := 0; running.Err() == nil && n < 2000; n++ {
				id := fmt.Sprintf("%02d-%04d", w, n)
				if err := addFloor(d, id+padding[:w*300]); err == nil {
					written.Add(1)
				}
			}
		})
	}
	for written.Load() < 500 {
		time.Sleep(time.Millisecond)
	}
	for round := range 3 {
		rows, err := d.ListFloors(ctx, db.ListFloorsParams{Lim: 100000})
		h.must(err)
		b, err := backup.Create(ctx, []backup.Source{{Kind: datasql.OfMetadata, Copy: d.CopyTo}}, h.path(fmt.Sprint(round)), "test", false)
		h.must(err)
		h.want("verified", b.Verified, true)
		copied := newHome(t)
		_, err = backup.Restore(ctx, copied.paths(), h.path(fmt.Sprint(round)))
		h.must(err)
		c := copied.open()
		kept, err := c.ListFloors(ctx, db.ListFloorsParams{Lim: 100000})
		h.must(err)
		c.Close()
		there := map[string]bool{}
		for _, f := range kept {
			there[f.FloorID] = true
		}
		for _, f := range rows {
			if !there[f.FloorID] {
				t.Fatalf("%.7s was acknowledged before the backup and is not in it", f.FloorID)
			}
		}
		before := written.Load()
		if before == int64(64*2000) {
			t.Fatal("the writers ended before the backup did")
		}
	}
	stop()
	g.Wait()
}

// Another program, such as the sqlite3 shell, holds the file without holding our lock.
func TestRestoreWhileAnotherProgramReads(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	made := h.backup("x.tar")
	theirs, err := sql.Open("sqlite", h.path("metadata.db"))
	h.must(err)
	defer theirs.Close()
	theirs.SetMaxOpenConns(1)
	var n int
	h.must(theirs.QueryRow("SELECT count(*) FROM floors").Scan(&n))
	_, err = backup.Restore(ctx, h.paths(), made)
	h.want("while it is read", errors.Is(err, backup.ErrServed), true)
	theirs.Close()
	_, err = backup.Restore(ctx, h.paths(), made)
	h.must(err)
}

// A file of a newer data-api is not put back: this one could not open it.
func TestRestoreOfANewerFile(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	newer := newHome(t).fill("n")
	theirs, err := sql.Open("sqlite", newer.path("metadata.db"))
	h.must(err)
	_, err = theirs.Exec("INSERT INTO schema_migrations VALUES ('29991231235959')")
	h.must(err)
	h.must(theirs.Close())
	_, err = backup.Restore(ctx, h.paths(), newer.path("metadata.db"))
	if err == nil || !strings.Contains(err.Error(), "newer data-api") {
		t.Errorf("got %v", err)
	}
	_, err = backup.Create(ctx, newer.paths().Sources(), newer.path("x.tar"), "test", false)
	if err == nil || !strings.Contains(err.Error(), "newer data-api") {
		t.Errorf("a backup of it: %v", err)
	}
	h.want("floors", h.floors(), "a")
}
