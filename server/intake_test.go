package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// rememberer is a caller of a server that has an open history.
type rememberer struct {
	*caller
	past *embedded.Store
}

// remembering returns a caller of a server over an empty registry and an empty history.
func remembering(t testing.TB) rememberer {
	t.Helper()
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if err := past.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return rememberer{serveDB(t, prepared(t, db.Memory), func(c *Config) { c.History = past }), past}
}

// tell posts states as a JSON list.
func (c rememberer) tell(items ...string) map[string]any {
	c.Helper()
	return c.do("POST", "/api/v1/events", "["+strings.Join(items, ",")+"]", "Content-Type: application/json").want(200).json()
}

// state is an item in the plain form.
func state(id, value string, at time.Time) string {
	return fmt.Sprintf(`{"entity_id":%q,"state":%q,"time":%q}`, id, value, at.Format(time.RFC3339Nano))
}

// statesOf are the states that are kept of an id of now, in order.
func (c rememberer) statesOf(id string) (states []string) {
	c.Helper()
	series, err := history.Resolve(context.Background(), c.db.Queries, []string{id})
	if err != nil {
		c.Fatal(err)
	}
	for row, err := range c.past.Range(context.Background(), history.Query{Series: series, Start: history.Always, End: history.Forever}) {
		if err != nil {
			c.Fatal(err)
		}
		states = append(states, row.State)
	}
	return states
}

func TestIntake(t *testing.T) {
	t.Parallel()
	c, now := remembering(t), time.Now()
	items := []string{
		state("sensor.a", "1", now.Add(-time.Hour)),
		state("sensor.a", "2", now.Add(-time.Minute)),
		state("sensor.a", "again", now.Add(-time.Minute)),
		`{"event_type":"call_service"}`,
		state("Sensor.A", "3", now),
		state("sensor.a", "soon", now.Add(9*time.Minute)),
		state("sensor.a", "too soon", now.Add(11*time.Minute)),
		state("sensor.a", "old", now.Add(-29*24*time.Hour)),
		state("sensor.a", "too old", now.Add(-31*24*time.Hour)),
		state("sensor.a", strings.Repeat("x", 256), now),
		`7`,
		state("sensor.a", "", now),
	}
	got := c.tell(items...)
	want := "[stored stored duplicate ignored rejected stored rejected stored rejected rejected rejected rejected]"
	if fmt.Sprint(got["outcomes"]) != want || got["stored"] != 4.0 || got["duplicates"] != 1.0 || got["ignored"] != 1.0 || got["success"] != true {
		t.Errorf("got %v", got)
	}
	var why []string
	for _, r := range got["rejected"].([]any) {
		r := r.(map[string]any)
		why = append(why, fmt.Sprintf("%v %v %v: %.30s", r["index"], r["id"], r["field"], r["reason"]))
	}
	if want := []string{
		"4 Sensor.A entity_id: must be a domain, a dot and a ", "6 sensor.a time: is more than 10 minutes ahead",
		"8 sensor.a time: is older than what is kept, wh", "9 sensor.a state: must be text of at most 255 ch",
		"10 <nil> : must be an object", "11 sensor.a state: is empty",
	}; !slices.Equal(why, want) {
		t.Errorf("got %q", why)
	}
	if got := c.statesOf("sensor.a"); !slices.Equal(got, []string{"old", "1", "2", "soon"}) {
		t.Errorf("kept: %q", got)
	}
	if again := c.tell(items...); again["stored"] != 0.0 || again["duplicates"] != 5.0 {
		t.Errorf("again: %v", again)
	}
	if h := c.row("/health")["dependencies"].(map[string]any)["history"].(map[string]any); h["stored"] != 4.0 || h["duplicates"] != 6.0 {
		t.Errorf("%v", h)
	}
	if empty := c.tell(); fmt.Sprint(empty["outcomes"], empty["rejected"]) != "[] []" {
		t.Errorf("nothing: %v", empty)
	}
}

// States follow the entity when it is renamed, and lines are as good as a list.
func TestIntakeInLinesFollowsTheEntity(t *testing.T) {
	t.Parallel()
	c, now := remembering(t), time.Now()
	c.pushOnly("entities", `[{"entity_id":"sensor.a","id":"1"}]`)
	lines := func(items ...string) map[string]any {
		return c.do("POST", "/api/v1/events", strings.Join(items, "\n"), "Content-Type: application/x-ndjson").want(200).json()
	}
	lines(state("sensor.a", "1", now.Add(-2*time.Minute)))
	time.Sleep(5 * time.Millisecond) // names are told apart by the millisecond
	c.pushOnly("entities", `[{"entity_id":"sensor.b","id":"1"}]`)
	got := lines(state("sensor.a", "late", now.Add(-time.Minute)), "{", "", state("sensor.b", "2", time.Now()))
	if fmt.Sprint(got["outcomes"]) != "[stored rejected stored]" {
		t.Errorf("%v", got)
	}
	if got := c.statesOf("sensor.b"); !slices.Equal(got, []string{"1", "late", "2"}) {
		t.Errorf("%q", got)
	}
}

func TestIntakeRefuses(t *testing.T) {
	t.Parallel()
	c := remembering(t)
	const ours = "/api/v1/events"
	good := state("sensor.a", "1", time.Now())
	for name, a := range map[string]struct {
		response
		status int
	}{
		"no type":      {c.do("POST", ours, good), 415},
		"a form":       {c.do("POST", ours, good, "Content-Type: application/x-www-form-urlencoded"), 415},
		"no JSON":      {c.do("POST", ours, `[{"entity_id"`, "Content-Type: application/json"), 400},
		"two objects":  {c.do("POST", ours, `{},{}`, "Content-Type: application/json"), 400},
		"no gzip":      {c.do("POST", ours, good, "Content-Type: application/x-ndjson", "Content-Encoding: gzip"), 400},
		"a parameter":  {c.do("POST", ours+"?entity_id=sensor.a", good, "Content-Type: application/json"), 422},
		"not to write": {c.do("PUT", ours, good, "Content-Type: application/json"), 405},
	} {
		a.problem(a.status)
		if got := c.statesOf("sensor.a"); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A history that cannot be written is a 503, whatever the metadata does, and the other way round nothing is lost.
func TestIntakeOutages(t *testing.T) {
	t.Parallel()
	closed := inMemory(t)
	item := "[" + state("sensor.a", "1", time.Now()) + "]"
	a := closed.do("POST", "/api/v1/events", item, "Content-Type: application/json")
	if p := a.problem(503); p["reason"] != string(db.Opening) || a.header.Get("Retry-After") == "" {
		t.Errorf("%s", a.body)
	}
	d := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	past := remembering(t).past
	c := serveDB(t, d, func(c *Config) { c.History = past })
	if got := c.do("POST", "/api/v1/events", item, "Content-Type: application/json").want(200).json(); got["stored"] != 1.0 {
		t.Errorf("%v", got)
	}
}
