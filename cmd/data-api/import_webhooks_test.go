package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
)

const keptWebhooks = `{
  "a": {"url": "http://192.168.1.9/a", "events": ["game_start"], "secret": "hush-a", "team": "dal", "created_at": "2025-11-02T18:00:00"},
  "b": {"url": "http://192.168.1.9/b", "events": ["entity.updated"], "secret": "hush-b"}
}`

// webhooksIn are the webhooks of the working folder's database, with their secrets.
func webhooksIn(t *testing.T) string {
	t.Helper()
	d := db.Prepare(config{DatabaseURL: "sqlite:data/metadata.db"}.database(), config{}.logger(os.Stderr))
	defer d.Close()
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	targets, err := d.ListWebhookTargets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, w := range targets {
		all = append(all, fmt.Sprint(w.WebhookID, " ", w.Url, " ", w.Events, " ", w.Secret))
	}
	return strings.Join(all, "\n")
}

// copies are the files beside webhooks.json, with what they hold.
func copies(t *testing.T) (names []string) {
	t.Helper()
	names, err := filepath.Glob("webhooks.json.*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if text, err := os.ReadFile(name); err != nil || string(text) != keptWebhooks {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	return names
}

func TestImportWebhooks(t *testing.T) {
	inFolder(t, map[string]string{"webhooks.json": keptWebhooks})
	out, _, err := call(t, "import", "--dry-run", "webhooks.json")
	if err != nil || !strings.Contains(out, "2 created      0 there already") || webhooksIn(t) != "" || copies(t) != nil {
		t.Errorf("a dry run: %v\n%s\n%s", err, out, webhooksIn(t))
	}
	out, _, err = call(t, "import", "webhooks.json")
	if err != nil || !strings.Contains(out, "2 created      0 there already") || !strings.Contains(out, "a: not sent by this service: game_start\n") || strings.Contains(out, "hush") {
		t.Errorf("the first run: %v\n%s", err, out)
	}
	want := `a http://192.168.1.9/a ["game_start"] hush-a` + "\n" + `b http://192.168.1.9/b ["entity.updated"] hush-b`
	if got := webhooksIn(t); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	first := copies(t)
	out, _, err = call(t, "import", "webhooks.json")
	if err != nil || !strings.Contains(out, "0 created      2 there already") || webhooksIn(t) != want {
		t.Errorf("the second run: %v\n%s\n%s", err, out, webhooksIn(t))
	}
	if second := copies(t); len(first) != 1 || len(second) != 1 {
		t.Errorf("copies: %s, then %s", first, second)
	}
}

// A file that is broken changes nothing, and nor does one of which no copy can be made.
func TestImportWebhooksRefusals(t *testing.T) {
	inFolder(t, map[string]string{"webhooks.json": keptWebhooks[:len(keptWebhooks)-2]})
	_, _, err := call(t, "import", "webhooks.json")
	if err == nil || !strings.Contains(err.Error(), "line 3, column") || webhooksIn(t) != "" {
		t.Errorf("a broken file: %v\n%s", err, webhooksIn(t))
	}
	writeFile(t, "webhooks.json", strings.Replace(keptWebhooks, `"http://192.168.1.9/b"`, "7", 1))
	_, _, err = call(t, "import", "webhooks.json")
	if err == nil || !strings.Contains(err.Error(), "line 3, column 16: url must be") || strings.Contains(err.Error(), "hush") || webhooksIn(t) != "" {
		t.Errorf("a webhook without a URL: %v\n%s", err, webhooksIn(t))
	}
	if left, err := filepath.Glob("webhooks.json.*"); err != nil || left != nil {
		t.Errorf("copies of refused files: %s, %v", left, err)
	}
	if _, _, err := call(t, "import", "webhooks.json", demo); err == nil || !strings.Contains(err.Error(), "by itself") {
		t.Errorf("with others: %v", err)
	}
	if _, _, err := call(t, "import", "none/webhooks.json"); err == nil {
		t.Error("a missing file: imported")
	}
}

// The file may be imported while the service runs.
func TestImportWebhooksOfARunningService(t *testing.T) {
	inFolder(t, map[string]string{"webhooks.json": keptWebhooks})
	startReady(t, ".")
	if out, _, err := call(t, "import", "webhooks.json"); err != nil || !strings.Contains(out, "2 created") {
		t.Errorf("%v\n%s", err, out)
	}
	if got := strings.Count(webhooksIn(t), "\n"); got != 1 {
		t.Errorf("got %s", webhooksIn(t))
	}
}
