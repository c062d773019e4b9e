package main

import (
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	datasql "dataapi/sql"
)

// A database file of each released schema version is kept, with what the API answers from it. They are made by
// `make upgrade-files`, once for each version, and never again: a migration that is released does not change.
const upgradeFolder = "../../testdata/upgrade"

var (
	writeUpgrade = flag.Bool("write-upgrade-files", false, "write the files of the present schema to testdata/upgrade")
	released     = flag.Bool("released", false, "want files of the present schema in testdata/upgrade, as this is a release")
)

// kept is a database file of one version.
type kept struct{ kind, version string }

func (k kept) file(ending string) string {
	return filepath.Join(source, upgradeFolder, k.kind+"-"+k.version+ending)
}

// upgradeKinds are the files of a home, and what is asked of the API to see what is in them.
var upgradeKinds = map[string]struct {
	kind  datasql.Kind
	paths []string
}{
	"metadata": {datasql.OfMetadata, []string{
		"/api/v1/floors", "/api/v1/areas", "/api/v1/labels", "/api/v1/config_entries", "/api/v1/devices", "/api/v1/entities",
		"/api/v1/search?q=demo", "/api/v1/users/default/preferences", "/api/v1/webhooks", "/api/v1/changes?limit=40",
	}},
	// Events are none of them: what is left of one depends on how long ago it was moved to its place.
	"history": {datasql.OfHistory, []string{
		"/api/v1/events/entities?start=2026-01-01T00:00:00Z&end=2026-12-01T00:00:00Z",
		"/api/v1/entities/sun.sun/history?start=2026-03-04T00:00:00Z&end=2026-03-05T00:00:00Z",
		"/api/v1/history?entity_id=sensor.sun_solar_elevation,sensor.sun_next_dawn&fn=mean&every=1h" +
			"&start=2026-03-04T04:00:00Z&end=2026-03-04T08:00:00Z",
	}},
	"webhooks": {datasql.OfDeliveries, []string{"/api/v1/webhooks/receiver/deliveries"}},
}

// newest is the newest migration of a kind.
func newest(t *testing.T, kind datasql.Kind) string {
	t.Helper()
	files, folder := kind.Migrations()
	entries, err := files.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	version, _, _ := strings.Cut(entries[len(entries)-1].Name(), "_")
	return version
}

// allKept are the files that are kept of a kind, oldest first.
func allKept(t *testing.T, kind string) (all []kept) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(source, upgradeFolder, kind+"-*.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), kind+"-"), ".db.gz")
		all = append(all, kept{kind, version})
	}
	return all
}

// Every release opens, migrates and serves what each release before it wrote.
func TestUpgrade(t *testing.T) {
	if *writeUpgrade {
		writeUpgradeFiles(t)
	}
	for kind, k := range upgradeKinds {
		all := allKept(t, kind)
		if len(all) == 0 {
			t.Errorf("no file of %s is kept", kind)
		}
		if now := newest(t, k.kind); *released && !slices.Contains(all, kept{kind, now}) {
			t.Errorf("no file of %s of the schema %s is kept, and it is to be released: run make upgrade-files and commit them", kind, now)
		}
		for _, file := range all {
			t.Run(kind+" "+file.version, func(t *testing.T) {
				t.Parallel()
				upgrade(t, file, k.kind)
			})
		}
	}
}

// upgrade serves a file beside the newest ones of the other kinds, and compares what is answered.
func upgrade(t *testing.T, file kept, kind datasql.Kind) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for other := range upgradeKinds {
		from := file
		if other != file.kind {
			all := allKept(t, other)
			from = all[len(all)-1]
		}
		unpack(t, from.file(".db.gz"), filepath.Join(folder, "data", other+".db"))
	}
	p := startReady(t, folder, keepForEver...)
	text, err := os.ReadFile(file.file(".json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for path, answer := range want {
		var got any
		waitFor(t, p, "serving "+path, func() bool {
			status, body := p.get(t, path)
			return status == http.StatusOK && json.Unmarshal([]byte(body), &got) == nil
		})
		if lacks := lacking("", got, answer); lacks != "" {
			t.Errorf("%s: %s", path, lacks)
		}
	}
	p.stop(t)
	if got := schemaOf(t, filepath.Join(folder, "data", file.kind+".db")); got != newest(t, kind) {
		t.Errorf("it is at %s after the upgrade, and not at %s", got, newest(t, kind))
	}
}

// keepForEver are settings by which nothing of the past is removed, however long ago it was.
var keepForEver = []string{"CHANGES_RETENTION=0", "HISTORY_RETENTION=0", "HISTORY_HOURLY_RETENTION=0", "WEBHOOK_ALLOW_CIDRS=127.0.0.0/8"}

// lacking says where an answer is not what it was; more members than there were are fine.
func lacking(where string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for name, value := range want {
			if _, there := object[name]; !ok || !there {
				return fmt.Sprintf("%s/%s is gone", where, name)
			}
			if lacks := lacking(where+"/"+name, object[name], value); lacks != "" {
				return lacks
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s has %d items, and had %d", where, len(list), len(want))
		}
		for i := range want {
			if lacks := lacking(fmt.Sprintf("%s/%d", where, i), list[i], want[i]); lacks != "" {
				return lacks
			}
		}
		return ""
	}
	if got != want {
		return fmt.Sprintf("%s is %v, and was %v", where, got, want)
	}
	return ""
}

func schemaOf(t *testing.T, path string) (version string) {
	t.Helper()
	pool, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.QueryRow("SELECT max(version) FROM schema_migrations").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What the files are kept for can fail: a value that changed, a row too few, a member that is gone.
func TestUpgradeComparison(t *testing.T) {
	was := map[string]any{"a": []any{1.0, map[string]any{"b": nil}}}
	for _, c := range []struct {
		now   any
		lacks string
	}{
		{map[string]any{"a": []any{1.0, map[string]any{"b": nil, "new": 1.0}}, "new": true}, ""},
		{map[string]any{"a": []any{2.0, map[string]any{"b": nil}}}, "/a/0 is 2, and was 1"},
		{map[string]any{"a": []any{1.0}}, "/a has 1 items, and had 2"},
		{map[string]any{"a": []any{1.0, map[string]any{}}}, "/a/1/b is gone"},
		{map[string]any{"a": []any{1.0, map[string]any{"b": "x"}}}, "/a/1/b is x, and was <nil>"},
		{[]any{}, "/a is gone"},
	} {
		if got := lacking("", c.now, was); got != c.lacks {
			t.Errorf("got %q, want %q", got, c.lacks)
		}
	}
}
