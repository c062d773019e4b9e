package server

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"dataapi/db"
)

// TestReadOnly serves a file that the process may not write: reads are answered, writes are a 503, /health
// says so, and when the file can be written again, it is. It is not parallel: it takes root's rights from
// the whole process for a while.
func TestReadOnly(t *testing.T) {
	folder, err := os.MkdirTemp("", "readonly")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "metadata.db")
	replace(t, path, goodFile(t))
	allow := forbidWrites(t, folder, path)
	c := running(t, path, time.Second).ready()
	if got := c.get("/api/v1/devices?total=true").want(200).json()["total"]; got != 5.0 {
		t.Errorf("total %v", got)
	}
	filtered{"area_id=kitchen&domain=light", "light.lamp"}.check(c, "entities", "entity_id")
	for _, a := range []response{c.post("devices", `[{"id":"new"}]`), c.post("entities", "[]"), c.do("DELETE", "/internal/devices/clear", "")} {
		if p := a.problem(503); p["reason"] != string(db.ReadOnly) || a.header.Get("Retry-After") == "" {
			t.Errorf("%s", a.body)
		}
	}
	c.sick("degraded", db.ReadOnly)
	if files, _ := filepath.Glob(folder + "/*"); len(files) != 1 {
		t.Errorf("files were made: %v", files)
	}
	allow()
	eventually(t, "a write", func() bool { return c.post("devices", `[{"id":"new"}]`).status == 200 })
	eventually(t, "healthy", func() bool { return c.row("/health")["status"] == "healthy" })
	c.wantMembers("/api/v1/devices/new", `{"name":"new"}`)
}

// forbidWrites lets this process only read the file, until allow is called.
func forbidWrites(t *testing.T, folder, path string) (allow func()) {
	t.Helper()
	const nobody = 65534
	root := os.Geteuid() == 0
	chmod := func(ofFolder, ofFile os.FileMode) {
		if err := os.Chmod(folder, ofFolder); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, ofFile); err != nil {
			t.Fatal(err)
		}
	}
	become := func(user int) {
		if root {
			if err := syscall.Setresuid(-1, user, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
	chmod(0o555, 0o444)
	become(nobody)
	allow = func() {
		become(0)
		chmod(0o755, 0o644)
	}
	t.Cleanup(allow)
	if _, err := os.ReadFile(path); err != nil {
		t.Skip("nobody cannot read in " + strings.TrimSuffix(folder, "/"))
	}
	return allow
}
