package auth

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/db"
)

var quiet = slog.New(slog.DiscardHandler)

// opened opens the database in a folder.
func opened(t *testing.T, folder string) *db.DB {
	t.Helper()
	d := db.Prepare(db.DefaultConfig(filepath.Join(folder, "metadata.db")), quiet)
	t.Cleanup(func() { d.Close() })
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func guardOf(d *db.DB, folder string) *Guard {
	return New(Config{DB: d, KeyFile: filepath.Join(folder, "admin.key"), Log: quiet})
}

// grant stores a key of these scopes.
func grant(t *testing.T, d *db.DB, g Grant) (key string, row db.APIKey) {
	t.Helper()
	if faults := g.Check(time.Now()); faults != nil {
		t.Fatal(faults)
	}
	err := d.Write(t.Context(), func(q *db.Queries) (err error) {
		key, row, err = Create(t.Context(), q, g)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return key, row
}

func TestScopes(t *testing.T) {
	for _, c := range []struct {
		names string
		want  Scopes
		bad   bool
	}{
		{"read", Anyone | Read, false},
		{"write:events read", Anyone | Read | WriteEvents, false},
		{"admin", All, false},
		{"", Anyone, false},
		{"Read", 0, true}, {"write", 0, true}, {"anyone", 0, true}, {"trusted", 0, true}, {"read *", 0, true},
	} {
		got, err := Parse(strings.Fields(c.names))
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: %b, %v; want %b", c.names, got, err, c.want)
		}
	}
	for _, name := range Names() {
		if s, err := Parse([]string{name}); err != nil || name != "admin" && !reflect.DeepEqual(s.Names(), []string{name}) {
			t.Errorf("%s: %v, %v", name, s.Names(), err)
		}
	}
}

func TestGrantsAreChecked(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		g    Grant
		want string // the members that are wrong
	}{
		"good":         {Grant{"a", []string{"read"}, time.Time{}}, ""},
		"expires":      {Grant{"a", []string{"read"}, now.Add(time.Hour)}, ""},
		"nothing":      {Grant{}, "name scopes"},
		"no scope":     {Grant{"a", []string{"root"}, time.Time{}}, "scopes"},
		"long name":    {Grant{strings.Repeat("x", 256), []string{"read"}, time.Time{}}, "name"},
		"blank":        {Grant{" \n", []string{"read"}, time.Time{}}, "name"},
		"no text":      {Grant{"\xff", []string{"read"}, time.Time{}}, "name"},
		"past":         {Grant{"a", []string{"read"}, now}, "expires_at"},
		"after 9999":   {Grant{"a", []string{"read"}, now.AddDate(9000, 0, 0)}, "expires_at"},
		"all is wrong": {Grant{"", nil, now}, "name scopes expires_at"},
	} {
		var members []string
		for _, f := range c.g.Check(now) {
			members = append(members, f.Member)
		}
		if got := strings.Join(members, " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// A key is 256 random bits, of which the file holds neither all nor the most; and the change log does not have it.
func TestOnlyTheHashIsStored(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := opened(t, folder)
	before, err := d.ChangeLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, row := grant(t, d, Grant{Name: "a", Scopes: []string{"write:events", "read", "read"}})
	if !regexp.MustCompile(`^dak_[A-Za-z0-9_-]{43}$`).MatchString(key) || row.StartsWith != key[:8] || string(row.Scopes) != `["read","write:events"]` {
		t.Errorf("%q, %+v", key, row)
	}
	if other, _ := grant(t, d, Grant{Name: "a", Scopes: []string{"read"}}); other == key {
		t.Error("the same key twice")
	}
	after, err := d.ChangeLog(t.Context())
	if err != nil || after.Newest != before.Newest {
		t.Errorf("the change log went from %v to %v, %v", before.Newest, after.Newest, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || bytes.Contains(text, []byte(key[12:])) {
			t.Errorf("%s holds the key, or %v", file, err)
		}
	}
}

// run runs a guard until its admin key is there, or for good.
func run(t *testing.T, g *Guard, until func() bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	for end := time.Now().Add(15 * time.Second); !until(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Error("not within 15 s")
			break
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func admins(t *testing.T, d *db.DB) int64 {
	t.Helper()
	n, err := d.CountAPIKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Several processes that start at once make one key, and it is the one in the file.
func TestFirstKeyIsMadeOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "admin.key.new"), []byte("of one that was killed"), 0o644); err != nil {
		t.Fatal(err)
	}
	first := opened(t, folder)
	var all sync.WaitGroup
	guards := []*Guard{guardOf(first, folder)}
	for range 4 {
		guards = append(guards, guardOf(opened(t, folder), folder))
	}
	for _, g := range guards {
		all.Go(func() { run(t, g, func() bool { return admins(t, g.DB) > 0 }) })
	}
	all.Wait()
	text, err := os.ReadFile(filepath.Join(folder, "admin.key"))
	if err != nil || admins(t, first) != 1 {
		t.Fatalf("%d keys, %v", admins(t, first), err)
	}
	if c := guards[1].Caller(t.Context(), strings.TrimSpace(string(text)), netip.Addr{}); c.Rights != All || c.Problem != nil {
		t.Errorf("%+v", c)
	}
	info, err := os.Stat(filepath.Join(folder, "admin.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "admin.key.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Where there is a key for an admin, none is made; one that has expired is none.
func TestFirstKeyIsNotNeeded(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := opened(t, folder)
	g := guardOf(d, folder)
	grant(t, d, Grant{Name: "a", Scopes: []string{"admin"}, Expires: time.Now().Add(time.Hour)})
	if err := g.first(t.Context()); err != nil || admins(t, d) != 1 {
		t.Errorf("%d keys, %v", admins(t, d), err)
	}
	if _, err := os.Stat(g.KeyFile); err == nil {
		t.Error("there is a file")
	}
}

// Where the file cannot be written, no key is stored that nobody would have.
func TestFirstKeyThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	d := opened(t, t.TempDir())
	var log bytes.Buffer
	g := New(Config{DB: d, KeyFile: filepath.Join(t.TempDir(), "none", "admin.key"), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := g.first(t.Context()); err == nil || admins(t, d) != 0 {
		t.Errorf("%d keys, %v", admins(t, d), err)
	}
	if err := os.Mkdir(filepath.Dir(g.KeyFile), 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, g, func() bool { return admins(t, d) == 1 })
	text, err := os.ReadFile(g.KeyFile)
	if key := strings.TrimSpace(string(text)); err != nil || strings.Contains(log.String(), key[5:]) || !strings.Contains(log.String(), g.KeyFile) {
		t.Errorf("%v: %s", err, log.String())
	}
}

// The guard waits for a database that is not open yet.
func TestFirstKeyComesWithTheDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	d := db.Prepare(db.DefaultConfig(filepath.Join(folder, "metadata.db")), quiet)
	t.Cleanup(func() { d.Close() })
	g := guardOf(d, folder)
	if err := g.first(t.Context()); err == nil {
		t.Error("made without a database")
	}
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	run(t, g, func() bool { return admins(t, d) == 1 })
}

// When a key was used is written with the others, and at the end; a use never goes back.
func TestUsesAreNoted(t *testing.T) {
	t.Parallel()
	d := opened(t, t.TempDir())
	g := guardOf(d, t.TempDir())
	key, row := grant(t, d, Grant{Name: "a", Scopes: []string{"admin"}})
	if row.LastUsedAt != nil {
		t.Errorf("used: %s", *row.LastUsedAt)
	}
	start := time.Now()
	run(t, g, func() bool { return g.Caller(t.Context(), key, netip.Addr{}).Problem == nil })
	row, err := d.GetAPIKey(t.Context(), row.ID)
	if err != nil || row.LastUsedAt == nil || *row.LastUsedAt < timeText(start) {
		t.Fatalf("%+v, %v", row, err)
	}
	g.uses.note(row.ID, start.Add(-time.Hour))
	g.noteUses(t.Context())
	if again, err := d.GetAPIKey(t.Context(), row.ID); err != nil || *again.LastUsedAt != *row.LastUsedAt {
		t.Errorf("%+v, %v", again, err)
	}
	if g.Caller(t.Context(), key+"x", netip.Addr{}); len(g.uses.take()) > 0 {
		t.Error("a wrong key was noted")
	}
}

// Wrong keys leave nothing in memory.
func TestWrongKeysAreNotRemembered(t *testing.T) {
	t.Parallel()
	d := opened(t, t.TempDir())
	g := guardOf(d, t.TempDir())
	key, _ := grant(t, d, Grant{Name: "a", Scopes: []string{"read"}})
	for range 100 {
		if c := g.Caller(t.Context(), newKey(), netip.Addr{}); c.Problem != ErrBadKey || c.Rights != Anyone {
			t.Fatalf("%+v", c)
		}
	}
	if c := g.Caller(t.Context(), key, netip.Addr{}); c.Problem != nil || len(g.ring.now().byHash) != 1 {
		t.Errorf("%+v, %d remembered", c, len(g.ring.now().byHash))
	}
}
