package history_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// metadataOf opens a database that holds entities, as lists of the registry one after another.
func metadataOf(t *testing.T, lists ...string) *db.DB {
	t.Helper()
	d := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		register(t, d, list)
	}
	return d
}

func register(t *testing.T, d *db.DB, list string) {
	t.Helper()
	batch, err := hass.ReadBatch([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(t.Context(), func(q *db.Queries) error {
		r, err := hass.Apply(t.Context(), q, hass.Entities, batch, nil)
		if len(r.Rejected) > 0 {
			t.Fatal(r.Rejected)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(5 * time.Millisecond) // names are told apart by the millisecond
}

func moment() history.Micros { return history.At(time.Now()) }

// remembering returns an open store.
func remembering(t *testing.T) *embedded.Store {
	t.Helper()
	s := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { s.Close() })
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// take appends one point of each of the ids, and wants it to be stored.
func take(t *testing.T, d *db.DB, s history.Store, at history.Micros, state string, ids ...string) {
	t.Helper()
	var points []history.Point
	for _, id := range ids {
		points = append(points, history.Point{EntityID: id, Time: at, State: state})
	}
	outcomes, err := history.Take(t.Context(), d.Queries, s, points)
	if err != nil || slices.ContainsFunc(outcomes, func(o history.Outcome) bool { return o.Result != history.Stored }) {
		t.Fatal(outcomes, err)
	}
}

// statesOf are the states of an entity, by the id that it has now.
func statesOf(t *testing.T, d *db.DB, s history.Store, id string) (states []string) {
	t.Helper()
	series, err := history.Resolve(t.Context(), d.Queries, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range s.Range(t.Context(), history.Query{Series: series, Start: history.Always, End: history.Forever}) {
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, row.State)
	}
	return states
}

func wantStates(t *testing.T, d *db.DB, s history.Store, id string, want ...string) {
	t.Helper()
	if got := statesOf(t, d, s, id); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", id, got, want)
	}
}

// The past of an entity is its own under whatever names, also when another takes over a name that it had, when
// two swap theirs, and for points that come late or came before the registry.
func TestPastFollowsTheEntity(t *testing.T) {
	d, s := metadataOf(t), remembering(t)
	start := moment() - history.Hour
	take(t, d, s, start, "before", "sensor.a", "sensor.b", "sensor.x")
	register(t, d, `[{"entity_id":"sensor.a","id":"1"},{"entity_id":"sensor.b","id":"2"}]`)
	take(t, d, s, start+1, "first", "sensor.a", "sensor.b")
	register(t, d, `[{"entity_id":"sensor.b","id":"1"},{"entity_id":"sensor.a","id":"2"}]`)
	swapped := moment()
	take(t, d, s, swapped, "swapped", "sensor.a", "sensor.b")
	take(t, d, s, start+2, "late", "sensor.a")
	wantStates(t, d, s, "sensor.b", "before", "first", "late", "swapped")
	wantStates(t, d, s, "sensor.a", "before", "first", "swapped")
	register(t, d, `[{"entity_id":"sensor.c","id":"1"}]`)
	register(t, d, `[{"entity_id":"sensor.b","id":"3"}]`)
	taken := moment()
	take(t, d, s, taken, "taken", "sensor.b")
	take(t, d, s, taken, "moved", "sensor.c")
	wantStates(t, d, s, "sensor.c", "before", "first", "late", "swapped", "moved")
	wantStates(t, d, s, "sensor.b", "taken")
	wantStates(t, d, s, "sensor.x", "before")
}

// A point bears the name of its time, whatever it is called since, if the metadata knows it and can be asked.
func TestRename(t *testing.T) {
	d := metadataOf(t, `[{"entity_id":"sensor.a","id":"1"}]`, `[{"entity_id":"sensor.b","id":"1"}]`)
	before, after := moment()-history.Hour, moment()
	bound := func(id, registryID string, at history.Micros) history.Point {
		return history.Point{EntityID: id, RegistryID: registryID, Time: at}
	}
	points := []history.Point{bound("sensor.b", "1", before), bound("sensor.b", "1", after), bound("sensor.a", "1", after), bound("sensor.b", "", before), bound("sensor.x", "9", before)}
	closed := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { closed.Close() })
	for _, c := range []struct {
		d    *db.DB
		want []string
	}{
		{closed, []string{"sensor.b", "sensor.b", "sensor.a", "sensor.b", "sensor.x"}},
		{d, []string{"sensor.a", "sensor.b", "sensor.b", "sensor.b", "sensor.x"}},
	} {
		if err := history.Rename(t.Context(), c.d.Queries, points); err != nil {
			t.Fatal(err)
		}
		for i, p := range points {
			if p.EntityID != c.want[i] {
				t.Errorf("point %d: %s, want %s", i, p.EntityID, c.want[i])
			}
		}
	}
}

// A name that an entity without a registry id has is told by time as well.
func TestNamesWithoutRegistryIDs(t *testing.T) {
	d, s := metadataOf(t, `[{"entity_id":"sensor.a","platform":"p","unique_id":"1"}]`), remembering(t)
	take(t, d, s, moment()-history.Hour, "old", "sensor.a")
	register(t, d, `[{"entity_id":"sensor.b","platform":"p","unique_id":"1"}]`)
	register(t, d, `[{"entity_id":"sensor.a","platform":"p","unique_id":"2"}]`)
	now := moment()
	take(t, d, s, now, "new a", "sensor.a")
	take(t, d, s, now, "new b", "sensor.b")
	wantStates(t, d, s, "sensor.b", "old", "new b")
	wantStates(t, d, s, "sensor.a", "new a")
}

// While the metadata cannot be asked, points are taken by their names, and belong to their entities afterwards.
func TestTakeWithoutMetadata(t *testing.T) {
	d, s := metadataOf(t, `[{"entity_id":"sensor.a","id":"1"}]`), remembering(t)
	closed := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { closed.Close() })
	start := moment() - history.Hour
	take(t, closed, s, start, "without", "sensor.a")
	take(t, d, s, start+1, "with", "sensor.a")
	take(t, closed, s, start+2, "without", "sensor.a")
	wantStates(t, d, s, "sensor.a", "without", "with", "without")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if outcomes, err := history.Take(ctx, d.Queries, s, []history.Point{{EntityID: "a.b", Time: start, State: "x"}}); err == nil {
		t.Errorf("taken for nobody: %v", outcomes)
	}
}

// More points than one transaction takes are taken all, in their order, with an outcome each.
func TestTakeMany(t *testing.T) {
	d, s := metadataOf(t), remembering(t)
	points := make([]history.Point, 12_001)
	start := moment() - history.Hour
	for i := range points {
		points[i] = history.Point{EntityID: "sensor.a", Time: start + history.Micros(i), State: "x"}
	}
	points[7000].State = ""
	points[9000].Time = start
	outcomes, err := history.Take(t.Context(), d.Queries, s, points)
	if err != nil || len(outcomes) != len(points) {
		t.Fatal(len(outcomes), err)
	}
	for i, o := range outcomes {
		if want := map[int]history.Result{7000: history.Rejected, 9000: history.Duplicate}[i]; want != "" && o.Result != want || want == "" && o.Result != history.Stored {
			t.Errorf("%d: %v", i, o)
		}
	}
}
