package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asked asks with a key and returns the status.
func (p *process) asked(t *testing.T, path, key string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// adminKey waits for the first key.
func (p *process) adminKey(t *testing.T, folder string) (key string) {
	t.Helper()
	waitFor(t, p, "in possession of a key", func() bool {
		text, err := os.ReadFile(filepath.Join(folder, "data", "admin.key"))
		key = strings.TrimSpace(string(text))
		return err == nil && p.asked(t, "/api/v1/devices", key) == http.StatusOK
	})
	return key
}

// On an address that others can reach, the first start makes a key that is in a file, and nowhere else; the next
// start makes none.
func TestFirstStartMakesAnAdminKey(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder, "DATA_API_HOST=0.0.0.0")
	key := p.adminKey(t, folder)
	for _, wrong := range []string{"", "dak_x", key[1:]} {
		if status := p.asked(t, "/api/v1/devices", wrong); status != http.StatusUnauthorized {
			t.Errorf("%q: %d", wrong, status)
		}
	}
	p.stop(t)
	if log := p.output.String(); strings.Contains(log, key) || !strings.Contains(log, "path=data/admin.key") {
		t.Errorf("%s", log)
	}
	path := filepath.Join(folder, "data", "admin.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	again := startReady(t, folder, "DATA_API_HOST=0.0.0.0")
	if status := again.asked(t, "/api/v1/devices", key); status != http.StatusOK {
		t.Errorf("after a restart: %d", status)
	}
	again.stop(t)
	if _, err := os.Stat(path); err == nil {
		t.Error("another key was made")
	}
}

// Keys are asked for everywhere but on the loopback address, unless it is said otherwise; who lets all in is told so.
func TestWhereKeysAreAskedFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings string
		status   int    // without a key
		warned   string // "" for not at all
	}{
		{"DATA_API_HOST=127.0.0.1", 200, ""},
		{"DATA_API_HOST=localhost", 200, ""},
		{"DATA_API_HOST=0.0.0.0 API_KEY=0123456789abcdef", 401, ""},
		{"DATA_API_HOST=0.0.0.0 API_KEY=short", 401, "API_KEY is short"},
		{"DATA_API_HOST=0.0.0.0 ENABLE_AUTH=false", 200, "whoever can reach this address"},
		{"ENABLE_AUTH=true API_KEY=0123456789abcdef", 401, ""},
		{"API_KEY=0123456789abcdef", 200, "ENABLE_AUTH=true asks for it"},
	} {
		t.Run(c.settings, func(t *testing.T) {
			t.Parallel()
			settings := strings.Fields(c.settings)
			folder := t.TempDir()
			p := startReady(t, folder, settings...)
			if status := p.asked(t, "/api/v1/devices", ""); status != c.status {
				t.Errorf("%d, want %d", status, c.status)
			}
			for _, setting := range settings {
				if key, ok := strings.CutPrefix(setting, "API_KEY="); ok && p.asked(t, "/api/v1/devices", key) != http.StatusOK {
					t.Error("API_KEY is refused")
				}
			}
			p.stop(t)
			log := p.output.String()
			if warned := strings.Contains(log, "level=WARN"); warned != (c.warned != "") || !strings.Contains(log, c.warned) {
				t.Errorf("want a warning %q: %s", c.warned, log)
			}
			if _, err := os.Stat(filepath.Join(folder, "data", "admin.key")); err == nil {
				t.Error("a key was made that nobody needs")
			}
		})
	}
}

// While keys cannot be read, the key of the settings is good.
func TestKeyOfTheSettingsNeedsNoDatabase(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "x.db"), strings.Repeat("this is no database. ", 1000))
	p := startServing(t, folder, "DATA_API_HOST=0.0.0.0", "API_KEY=0123456789abcdef", "DATABASE_URL=sqlite:x.db")
	for key, want := range map[string]int{"": 503, "dak_x": 503, "0123456789abcdef": 200} {
		if status := p.asked(t, "/api/info", key); status != want {
			t.Errorf("%q: %d, want %d", key, status, want)
		}
	}
	if status := p.asked(t, "/livez", "dak_x"); status != http.StatusOK {
		t.Errorf("/livez: %d", status)
	}
	p.stop(t)
}
