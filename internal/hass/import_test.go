package hass

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"dataapi/db"
)

// bigHome is a file of n entities.
func bigHome(t testing.TB, n int) Storage {
	t.Helper()
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf(`{"entity_id":"sensor.big_%d","id":"big%d","area_id":"hall"}`, i, i))
	}
	batch, err := ReadBatch([]byte("[" + strings.Join(entries, ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	return Storage{Path: "big", Kind: Entities, Batch: batch}
}

// Progress is told now and then, in order, and of each file.
func TestImportProgress(t *testing.T) {
	var told []string
	files := append(readStorage(t, demoHome), bigHome(t, 3500))
	outcome, err := Import(t.Context(), openMemory(t), files, How{Progress: func(f Storage, done int) {
		told = append(told, fmt.Sprint(f.Path, " ", done))
	}})
	if err != nil || len(outcome.Files) != len(files) || outcome.Files[len(files)-1].Created != 3500 {
		t.Fatalf("%d of %d files, %v", len(outcome.Files), len(files), err)
	}
	if want := []string{"big 1000", "big 2000", "big 3000"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// An import that ends midway leaves nothing of itself.
func TestImportThatIsCancelled(t *testing.T) {
	d := openNew(t)
	importAll(t, d, filepath.Join(demoHome, "core.floor_registry"))
	before := dump(t, d, now())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	files := append(readStorage(t, demoHome), bigHome(t, 2500))
	_, err := Import(ctx, d, files, How{Progress: func(Storage, int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want context.Canceled", err)
	}
	sameDump(t, dump(t, d, now()), before)
	importAll(t, d, demoHome) // and the database goes on
}

// A database that is closed before an import, or in its midst, holds all of it or nothing.
func TestImportIntoAClosedDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metadata.db")
	d := openFile(t, path)
	files := append(readStorage(t, demoHome), bigHome(t, 2500))
	var closing sync.WaitGroup
	_, err := Import(t.Context(), d, files, How{Progress: func(_ Storage, done int) {
		if done == 1000 {
			closing.Go(func() { d.Close() })
		}
	}})
	closing.Wait()
	if err != nil && !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("%v, want nil or ErrUnavailable", err)
	}
	want := 0
	if err == nil {
		want = 2990
	}
	if got := len(entitiesOf(t, openFile(t, path))); got != want {
		t.Errorf("after %v: %d entities, want %d", err, got, want)
	}
	if outcome, err := Import(t.Context(), d, files, How{}); err == nil || outcome.Files != nil {
		t.Errorf("into a closed database: %d files, %v", len(outcome.Files), err)
	}
}

// Others may write while the files of a home are imported: each waits for the other, and nothing is lost.
func TestImportWhileOthersWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metadata.db")
	importer, writer := openFile(t, path), openFile(t, path)
	const writes = 200
	var g sync.WaitGroup
	g.Go(func() {
		for n := range writes {
			if _, err := try(t.Context(), writer, Devices, fmt.Sprintf(`[{"id":"other_%d","area_id":"kitchen"}]`, n)); err != nil {
				t.Errorf("write %d: %v", n, err)
			}
		}
	})
	var files []string
	for _, f := range readStorage(t, demoHome) {
		files = append(files, f.Path)
	}
	for range 5 {
		importAll(t, importer, files...)
	}
	g.Wait()
	home := readRaw(t, demoHome)
	for _, d := range []*db.DB{importer, writer} {
		if got, want := len(devicesOf(t, d)), writes+len(home[Devices]); got != want {
			t.Errorf("%d devices, want %d", got, want)
		}
		if got, want := len(entitiesOf(t, d)), len(home[Entities]); got != want {
			t.Errorf("%d entities, want %d", got, want)
		}
	}
	if last := importAll(t, importer, files...)[Entities]; last.Unchanged != len(home[Entities]) {
		t.Errorf("the last import changed something: %s", counts(last))
	}
}

func TestApplyUnknownRegistry(t *testing.T) {
	err := openMemory(t).Write(t.Context(), func(q *db.Queries) error {
		_, err := Apply(t.Context(), q, "zones", nil, nil)
		return err
	})
	if err == nil || err.Error() != `unknown registry "zones"` {
		t.Errorf("got %v", err)
	}
}

// A result without rejections says so with an empty list, not with null.
func TestResultAsJSON(t *testing.T) {
	text, err := json.Marshal(take(t, openMemory(t), Floors, `[{"floor_id":"a"}]`))
	if want := `{"created":1,"updated":0,"unchanged":0,"deleted":0,"rejected":[]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	text, err = json.Marshal(take(t, openMemory(t), Floors, `[{"floor_id":"a","level":"x"},7]`))
	if want := `{"created":0,"updated":0,"unchanged":0,"deleted":0,"rejected":[` +
		`{"index":0,"id":"a","field":"level","reason":"must be a whole number or null"},` +
		`{"index":1,"id":null,"field":"","reason":"must be an object"}]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}

// Where a config entry holds passwords and tokens, a canary is planted, under names old and new.
func plantedHome(t *testing.T, canary string) string {
	t.Helper()
	folder := t.TempDir()
	copyHome(t, demoHome, folder)
	path := filepath.Join(folder, "core.config_entries")
	var file map[string]any
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(text), &file)
	for i, e := range file["data"].(map[string]any)["entries"].([]any) {
		entry, secret := e.(map[string]any), fmt.Sprintf("%s-%d", canary, i)
		entry["data"] = map[string]any{"password": secret, secret: 1, "nested": []any{map[string]any{"token": secret}}}
		entry["options"] = map[string]any{"api_key": secret}
		entry["subentries"] = []any{map[string]any{"data": map[string]any{"key": secret}, "title": secret, "unique_id": secret}}
		entry["discovery_keys"] = map[string]any{"zeroconf": []any{secret}}
		entry["unique_id"] = secret
		entry["something_new"] = secret
		entry[secret] = secret
	}
	writeFile(t, folder, "core.config_entries", asJSON(t, file))
	return folder
}

// None of the secrets in config entries is in any byte of any file of the database, while it is open or
// after, nor in a copy of it.
func TestSecretsAreNotStored(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "metadata.db")
	d := openFile(t, path)
	for _, canary := range []string{"canary-one", "canary-two"} { // new, and changed
		importAll(t, d, plantedHome(t, canary))
		take(t, d, ConfigEntries, `[{"entry_id":"pushed","domain":"hue","data":{"token":"`+canary+`"},"`+canary+`":1}]`)
	}
	wal := false
	noCanary(t, folder, func(name string, size int) { wal = wal || strings.HasSuffix(name, "-wal") && size > 100_000 })
	if !wal {
		t.Error("there was no log to search")
	}
	d.Close()
	searched := 0
	noCanary(t, folder, func(_ string, size int) { searched += size })
	if searched < 500_000 {
		t.Errorf("only %d bytes were searched", searched)
	}
}

// noCanary searches every file in the folder. It opens the files of a database that is in use, which
// drops SQLite's locks: nobody else has this one open.
func noCanary(t *testing.T, folder string, seen func(name string, size int)) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(strings.ToLower(string(text)), "canary"); i >= 0 {
			t.Errorf("%s holds %q at byte %d", f.Name(), text[max(0, i-40):min(len(text), i+40)], i)
		}
		seen(f.Name(), len(text))
	}
}
