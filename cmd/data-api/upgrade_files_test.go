package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeUpgradeFiles makes files of the present schema, of those kinds of which there are none yet: a home with some rows of
// the demo home, what happened there, and a webhook that was called.
func writeUpgradeFiles(t *testing.T) {
	folder := t.TempDir()
	home := filepath.Join(folder, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	entities := excerpt(t, home)
	writeFile(t, filepath.Join(home, "states.json"), somethingHappened(t, entities))
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	p := startReady(t, folder, keepForEver...)
	if code, out := finish(t, folder, keepForEver, "import", home, filepath.Join(home, "states.json")); code != 0 {
		t.Fatal(out)
	}
	send := func(method, path, body string) {
		r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode > 299 {
			t.Fatal(method, path, answer.Status)
		}
	}
	send("PUT", "/api/v1/users/default/preferences", `{"selected_teams": {"nfl": ["dal"]}, "theme": "dark"}`)
	writeFile(t, filepath.Join(folder, "webhooks.json"), fmt.Sprintf(`{"receiver": {"url": %q, "events": ["area.updated"], "secret": "not so secret"}}`, receiver.URL))
	succeed(t, folder, "import", "webhooks.json")
	for range 3 {
		send("POST", "/api/v1/webhooks/receiver/test", "")
	}
	send("PATCH", "/api/v1/webhooks/receiver", `{"status": "disabled"}`) // so that nothing happens after an upgrade
	receiver.Close()
	p.stop(t)
	lasting(t, filepath.Join(folder, "data", "webhooks.db"))
	p = startReady(t, folder, keepForEver...)
	answers := ask(t, p)
	p.stop(t)
	for name, k := range upgradeKinds {
		file := kept{name, newest(t, k.kind)}
		if _, err := os.Stat(file.file(".db.gz")); err == nil {
			continue
		}
		path := filepath.Join(folder, "data", name+".db")
		theirs(t, path, "VACUUM").Close()
		pack(t, path, file.file(".db.gz"))
		text, err := json.MarshalIndent(answers[name], "", " ")
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, file.file(".json"), string(text)+"\n")
	}
}

// lasting makes what webhooks were sent too young to be forgotten.
func lasting(t *testing.T, path string) {
	t.Helper()
	const at = "'2999-01-01T00:00:00.000000Z'"
	theirs(t, path, "UPDATE messages SET created_at = "+at+"; UPDATE deliveries SET created_at = "+at+", updated_at = "+at+"; UPDATE lines SET updated_at = "+at).Close()
}

// ask is what is answered of each kind of file, by path.
func ask(t *testing.T, p *process) map[string]map[string]any {
	t.Helper()
	answers := map[string]map[string]any{}
	for kind, k := range upgradeKinds {
		answers[kind] = map[string]any{}
		for _, path := range k.paths {
			var answer any
			waitFor(t, p, "answering "+path, func() bool {
				status, body := p.get(t, path)
				return status == http.StatusOK && json.Unmarshal([]byte(body), &answer) == nil
			})
			if text := fmt.Sprint(answer); strings.Contains(text, "[]") && len(text) < 50 {
				t.Fatalf("nothing is at %s: %s", path, text)
			}
			answers[kind][path] = answer
		}
	}
	return answers
}

// excerpt writes registries to a folder that hold a handful of the demo home, and returns its entities.
func excerpt(t *testing.T, folder string) (entities []string) {
	t.Helper()
	devices := map[any]bool{nil: true}
	for _, part := range []struct {
		file, list string
		keep       func(row map[string]any) bool
	}{
		{"core.floor_registry", "floors", nil}, {"core.area_registry", "areas", nil}, {"core.label_registry", "labels", nil},
		{"core.config_entries", "entries", nil},
		{"core.device_registry", "devices", func(row map[string]any) bool {
			keep := len(devices) <= 8
			devices[row["id"]] = devices[row["id"]] || keep
			return keep
		}},
		{"core.entity_registry", "entities", func(row map[string]any) bool {
			if len(entities) >= 20 || !devices[row["device_id"]] {
				return false
			}
			entities = append(entities, row["entity_id"].(string))
			return true
		}},
	} {
		keepRows(t, filepath.Join(demo, part.file), filepath.Join(folder, part.file), part.list, part.keep)
	}
	return entities
}

// keepRows copies a registry with some of its rows, and with none in its other lists.
func keepRows(t *testing.T, from, to, list string, keep func(map[string]any) bool) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var registry map[string]any
	if err := json.Unmarshal(text, &registry); err != nil {
		t.Fatal(err)
	}
	data := registry["data"].(map[string]any)
	for name, rows := range data {
		if all, ok := rows.([]any); ok && keep != nil {
			data[name] = slices.DeleteFunc(all, func(row any) bool { return name != list || !keep(row.(map[string]any)) })
		}
	}
	text, err = json.Marshal(registry)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(text))
}

// somethingHappened are states of entities, as Home Assistant's /api/states shows them.
func somethingHappened(t *testing.T, entities []string) string {
	t.Helper()
	var states []map[string]any
	for i, id := range entities[:8] {
		at := fmt.Sprintf("2026-03-04T05:%02d:00+00:00", i)
		states = append(states, map[string]any{
			"entity_id": id, "state": fmt.Sprint(20 + i), "attributes": map[string]any{"unit_of_measurement": "°C"}, "last_changed": at, "last_updated": at,
		})
	}
	text, err := json.Marshal(states)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pack(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, packed.String())
}
