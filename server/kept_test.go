package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history/embedded"
)

// keeping opens a history in a file that keeps points so long, and lets go of what is older.
func keeping(t *testing.T, path string, retention time.Duration) *embedded.Store {
	t.Helper()
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(path), Retention: retention}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if err := past.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := past.Tidy(context.Background()); err != nil {
		t.Fatal(err)
	}
	return past
}

// Of what is kept as hours only, hours are told, and whoever asks for more or sends points of then is told why not.
func TestWhatIsNoLongerKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	hour := time.Now().Truncate(time.Hour).Add(-72 * time.Hour)
	young := keeping(t, path, 30*24*time.Hour)
	c := rememberer{serveDB(t, prepared(t, db.Memory), func(c *Config) { c.History = young }), young}
	c.tell(state("sensor.a", "10", hour), state("sensor.a", "20", hour.Add(30*time.Minute)), state("sensor.a", "30", hour.Add(time.Hour)))
	keeping(t, path, 30*24*time.Hour) // moves the points to their places
	old := keeping(t, path, 24*time.Hour)
	c = rememberer{serveDB(t, prepared(t, db.Memory), func(c *Config) { c.History = old }), old}
	about := fmt.Sprintf("/api/v1/history?entity_id=sensor.a&start=%d&end=%d", hour.Unix(), hour.Add(2*time.Hour).Unix())
	for _, every := range []string{"", "&every=1h", "&every=auto"} {
		if body := string(c.get(about + every).want(200).body); !strings.Contains(body, `"value":15}`) || !strings.Contains(body, `"every":"1h"`) {
			t.Errorf("%q: %s", every, body)
		}
	}
	if p := c.get(about + "&every=5m").problem(422); !strings.Contains(fmt.Sprint(p["errors"]), "ask for 1h or coarser") {
		t.Errorf("%v", p)
	}
	late := c.tell(state("sensor.a", "11", hour.Add(time.Minute)), state("sensor.a", "40", time.Now()))
	rejected := fmt.Sprint(late["rejected"])
	if fmt.Sprint(late["outcomes"]) != "[rejected stored]" || !strings.Contains(rejected, "sensor.a") || !strings.Contains(rejected, "is older than what is kept, which begins at") {
		t.Errorf("%v", late)
	}
	for target, want := range map[string]string{
		"/api/v1/entities/sensor.a/history?start=-80h&end=-60h": `"reason":"it is no longer kept"`,
		"/api/v1/events?entity_id=sensor.a&start=-80h&end=-60h": `"old_state":null`,
	} {
		if a := c.get(target).want(200); !strings.Contains(string(a.body), want) || a.header.Get("Data-Complete") != "false" {
			t.Errorf("%s: %v %s", target, a.header, a.body)
		}
	}
}
