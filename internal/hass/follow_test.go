package hass

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
)

// followed is a folder and what follows it. Each look is made by the test.
type followed struct {
	*testing.T
	*Follower
	folder string
	log    strings.Builder
}

func follow(t *testing.T, d *db.DB) *followed {
	t.Helper()
	f := &followed{T: t, folder: filepath.Join(t.TempDir(), ".storage")}
	f.Follower = NewFollower(f.folder, d, slog.New(slog.NewTextHandler(&f.log, nil)))
	return f
}

// put saves a registry as Home Assistant does: beside, then by rename.
func (f *followed) put(name, text string) {
	f.Helper()
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		f.Fatal(err)
	}
	file := filepath.Join(f.folder, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		f.Fatal(err)
	}
}

func areasFile(ids ...string) string {
	var entries []string
	for _, id := range ids {
		entries = append(entries, fmt.Sprintf(`{"id":%q,"name":%q}`, id, id))
	}
	return `{"version":1,"key":"core.area_registry","data":{"areas":[` + strings.Join(entries, ",") + `]}}`
}

// wantAreas looks, and wants the areas that there are then.
func (f *followed) wantAreas(ids ...string) {
	f.Helper()
	f.look(f.Context())
	if got := idsOf(f.T, f.db)[Areas]; strings.Join(got, " ") != strings.Join(ids, " ") {
		f.Errorf("areas: %q, want %q", got, ids)
	}
}

// wantProblem wants the state to name a problem, or none.
func (f *followed) wantProblem(part string) {
	f.Helper()
	if got := f.State(); (part == "") != (got.Problem == "") || !strings.Contains(got.Problem, part) || got.LookedAt.IsZero() {
		f.Errorf("state: %+v, want the problem %q", got, part)
	}
}

func TestFollow(t *testing.T) {
	f := follow(t, openMemory(t))
	f.wantAreas()
	f.wantProblem("no such file")
	f.put("core.area_registry", areasFile("a", "b"))
	f.wantAreas("a", "b")
	f.wantProblem("")
	applied := f.State().AppliedAt
	f.wantAreas("a", "b")
	if s := f.State(); s.AppliedAt != applied || !s.LookedAt.After(applied) {
		t.Errorf("what is the same was applied again: %+v", s)
	}
	f.put("core.area_registry", areasFile("b", "c"))
	f.wantAreas("b", "c")
	f.put("core.area_registry", areasFile("b", "c", "d", "e", "f", "g", "h", "i"))
	f.wantAreas("b", "c", "d", "e", "f", "g", "h", "i")
	f.put("core.area_registry", areasFile("b"))
	f.wantAreas("b", "c", "d", "e", "f", "g", "h", "i")
	f.wantProblem("would remove 7 of 8 areas")
	f.wantAreas("b", "c", "d", "e", "f", "g", "h", "i")
	if n := strings.Count(f.log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d warnings:\n%s", n, &f.log)
	}
}

// A set of files that is not whole is not applied, not even those of it that are.
func TestFollowBroken(t *testing.T) {
	f := follow(t, openMemory(t))
	f.put("core.area_registry", areasFile("a"))
	f.put("core.floor_registry", `{"version":1,"key":"core.floor_registry","data":{"floors":[{"floor_id":"f","name":"F"}]}}`)
	f.wantAreas("a")
	whole := areasFile("a", "b")
	for i := range len(whole) - 1 {
		f.put("core.area_registry", whole[:i])
		f.wantAreas("a")
		f.wantProblem("core.area_registry")
	}
	f.put("core.area_registry", areasFile("a", "b"))
	f.put("core.floor_registry", `{"version":9,"key":"core.floor_registry","data":{"floors":[]}}`)
	f.wantAreas("a")
	f.wantProblem("storage version 9")
	if err := os.Remove(filepath.Join(f.folder, "core.floor_registry")); err != nil {
		t.Fatal(err)
	}
	f.wantAreas("a", "b") // without the file, floors are left alone
	if floors := idsOf(t, f.db)[Floors]; len(floors) != 1 {
		t.Errorf("floors: %q", floors)
	}
	if err := os.RemoveAll(f.folder); err != nil {
		t.Fatal(err)
	}
	f.wantAreas("a", "b")
	f.wantProblem("no such file")
}

// What the database cannot take now it is given later, though the files are the same. The same holds of a
// database that takes the place of the one that was there.
func TestFollowLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metadata.db")
	d := db.Prepare(db.DefaultConfig(path), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	f := follow(t, d)
	f.put("core.area_registry", areasFile("a"))
	if err := f.look(t.Context()); !passing(err) {
		t.Fatalf("a look before the database is open: %v", err)
	}
	f.wantProblem("being opened")
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.wantAreas("a")
	f.wantProblem("")
	take(t, d, Areas, `[{"area_id":"by hand"}]`)
	f.wantAreas("a", "by hand")
	if err := d.Open(t.Context()); err != nil { // anew, as when a backup was put back
		t.Fatal(err)
	}
	f.wantAreas("a")
	if strings.Contains(f.log.String(), "level=WARN") {
		t.Errorf("the database tells of itself:\n%s", &f.log)
	}
}

// While somebody writes a file in place, only what was whole at some time is ever applied.
func TestFollowWhileWritten(t *testing.T) {
	f := follow(t, openMemory(t))
	f.put("core.area_registry", areasFile("a", "b"))
	f.wantAreas("a", "b")
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 300 && err == nil; i++ {
			text := areasFile("a", []string{"b", "c"}[i%2])
			err = os.WriteFile(filepath.Join(f.folder, "core.area_registry"), []byte(text), 0o600)
		}
		done <- err
	}()
	for written := false; !written; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			written = true
		default:
		}
		f.look(t.Context())
		if got := strings.Join(idsOf(t, f.db)[Areas], " "); got != "a b" && got != "a c" {
			t.Fatalf("areas: %q, state %+v", got, f.State())
		}
	}
	f.wantAreas("a", "c")
}
