package main

import (
	"maps"
	"os"
	"strings"
	"testing"
)

// FuzzSettings throws files of settings at the program: it starts with settings that make sense, or says which do not,
// and never shows the value of a secret.
func FuzzSettings(f *testing.F) {
	for _, seed := range []string{"", "LOG_LEVEL=debug\n# x\n", "export DATA_API_PORT=1\n", "DATA_API_PORT=70000", "INFLUXDB_TOKEN='canary\nx", "INFLUXDB_PASSWORD=\"canary", "INFLUXDB_TOKEN: canary", "=canary", "INFLUXDB_TOKEN=canary\nX",
		"A=${A}", "A=$A\nB=${B:-x", "SQLITE_TIMEOUT=NaN", "SQLITE_TIMEOUT=1e400", "CHANGES_RETENTION=99999y", "HISTORY_RETENTION=-1d", "INFLUXDB_URL=http://u:canary@h:x/", "INFLUXDB_URL=canary://", "DATABASE_URL=sqlite:a\nHISTORY_DATABASE_URL=sqlite:./a",
		"WEBHOOK_ALLOW_CIDRS=10.0.0.0/99", "SELECTED_TEAMS={\"nfl\":[\"dal\"]}", "SELECTED_TEAMS=a:b:c,,", "\ufeffLOG_LEVEL=info", "LOG_LEVEL=info\r\nLOG_FORMAT=json\r\n", "LOG_LEVEL=\xff", "A='", "\"", "A=\\"} {
		f.Add([]byte(seed))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		t.Chdir(folder)
		if err := os.WriteFile(".env.local", text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := loadConfig(nil)
		if err != nil {
			if values, _ := readSettings(".env.local"); strings.Contains(err.Error(), "canary") && secretIn(values) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if c.MaxBodyBytes < 1 || c.SQLiteTimeout < 0 || c.ShutdownTimeout < 0 || c.ChangesRetention < 0 || c.HistoryRetention.duration() <= 0 {
			t.Errorf("%q: %+v", text, c)
		}
		c.database()
		c.past()
		c.targets()
		if _, err := c.influx(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// secretIn says whether the word canary is in secrets alone.
func secretIn(values map[string]string) bool {
	rest := maps.Clone(values)
	for _, name := range []string{"INFLUXDB_URL", "INFLUXDB_TOKEN", "INFLUXDB_PASSWORD"} {
		delete(rest, name)
	}
	for _, value := range rest {
		if strings.Contains(value, "canary") {
			return false
		}
	}
	return true
}
