package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/internal/hass"
)

// canary is a secret that must not be kept anywhere.
const canary = "canary-7f3a"

const secretEntries = `{"version":1,"minor_version":5,"key":"core.config_entries","data":{"entries":[
	{"entry_id":"e1","domain":"hue","title":"Bridge","version":1,"unique_id":"canary-7f3a-0","data":{"password":"canary-7f3a-1","deep":[{"token":"canary-7f3a-2"}]},
	 "options":{"api_key":"canary-7f3a-3"},"subentries":[{"data":{"key":"canary-7f3a-4"},"title":"canary-7f3a-5"}],
	 "discovery_keys":{"zeroconf":[{"key":"canary-7f3a-6"}]},"runtime_data":"canary-7f3a-7","data_v2":{"a":"canary-7f3a-8"},"DATA":"canary-7f3a-9"},
	{"entry_id":"e2","domain":{"password":"canary-7f3a-10"},"title":["canary-7f3a-11"],"data":{"a":"canary-7f3a-12"}},
	{"entry_id":"e3","domain":"mqtt","data":"canary-7f3a-13","data":{"a":"canary-7f3a-14"},"options":"canary-7f3a-15"},
	"canary-7f3a-16", {"domain":"canary-7f3a-17"}]}}`

// TestSecretsAreNotKept imports config entries full of secrets and looks for them in the bytes of every
// file of the database, in every answer, in what the import reports, and in the log.
func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	storage := t.TempDir()
	if err := os.WriteFile(filepath.Join(storage, "core.config_entries"), []byte(secretEntries), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := hass.ReadStorage(storage)
	if err != nil {
		t.Fatal(err)
	}
	c := inFile(t)
	for range 2 {
		outcome, err := hass.Import(context.Background(), c.db, files, hass.How{})
		if err != nil || len(outcome.Files) != 1 || outcome.Files[0].Stored() != 2 {
			t.Fatalf("%v %+v", err, outcome)
		}
		for _, r := range outcome.Files[0].Rejected {
			if strings.Contains(r.Reason+r.Field, canary) {
				t.Errorf("the rejection tells a secret: %+v", r)
			}
		}
	}
	for _, path := range []string{"/api/v1/config_entries", "/api/integrations", "/api/v1/config_entries/e1", "/api/v1/config_entries/e3", "/health"} {
		if a := c.get(path).want(200); strings.Contains(string(a.body), canary) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	path := c.db.Status(context.Background()).Path
	holdsNot(t, path, "Bridge")
	if err := c.db.Close(); err != nil {
		t.Fatal(err)
	}
	holdsNot(t, path, "Bridge")
	if strings.Contains(c.log.String(), canary) {
		t.Errorf("log: %s", c.log)
	}
}

// holdsNot searches the database at path and all files beside it for the canary, and, to be sure that it
// searches the right bytes, for text that must be there.
func holdsNot(t *testing.T, path, there string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	found := false
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(content), there)
		if i := strings.Index(string(content), canary); i >= 0 {
			t.Errorf("%s holds %.20s", filepath.Base(file), content[i:])
		}
	}
	if !found {
		t.Errorf("%q is in none of %v", there, files)
	}
}

// TestLogHoldsNoBodies sends secrets in places that are none of the log's business.
func TestLogHoldsNoBodies(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.push("devices", `[{"id":"d","name":"canary-7f3a"},{"id":7,"name":"canary-7f3a"}]`)
	c.post("devices", `[{"id":"canary-7f3a"`).want(400)
	c.get("/api/v1/devices?q=canary-7f3a").want(200)
	c.get("/api/v1/devices?token=canary-7f3a").want(422)
	c.get("/api/v1/devices", "Authorization: Bearer canary-7f3a", "Cookie: session=canary-7f3a").want(200)
	if strings.Contains(c.log.String(), canary) {
		t.Errorf("log: %s", c.log)
	}
}
