package hass

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"

	"dataapi/db"
)

// openFile opens the database file at path, which is closed when the test ends.
func openFile(t testing.TB, path string) *db.DB {
	t.Helper()
	d := db.Prepare(db.DefaultConfig(path), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// openNew opens a new database file in a folder of its own.
func openNew(t testing.TB) *db.DB {
	t.Helper()
	return openFile(t, filepath.Join(t.TempDir(), "metadata.db"))
}

// openMemory opens a new database in memory.
func openMemory(t testing.TB) *db.DB {
	t.Helper()
	return openFile(t, db.Memory)
}

// try takes a JSON list into the database in a transaction of its own.
func try(ctx context.Context, d *db.DB, kind Kind, list string) (result Result, err error) {
	batch, err := ReadBatch([]byte(list))
	if err != nil {
		return result, err
	}
	err = d.Write(ctx, func(q *db.Queries) (err error) {
		result, err = Apply(ctx, q, kind, batch, nil)
		return err
	})
	return result, err
}

// take is try for a batch that must go well as a whole; entries may still be rejected.
func take(t testing.TB, d *db.DB, kind Kind, list string) Result {
	t.Helper()
	result, err := try(t.Context(), d, kind, list)
	if err != nil {
		t.Fatalf("%s %s: %v", kind, list, err)
	}
	return result
}

// counts writes a result as created/updated/unchanged/rejected, of which the last counts rejections.
func counts(r Result) string {
	return fmt.Sprintf("%d/%d/%d/%d", r.Created, r.Updated, r.Unchanged, len(r.Rejected))
}

func wantCounts(t testing.TB, r Result, want string) {
	t.Helper()
	if got := counts(r); got != want {
		t.Errorf("created/updated/unchanged/rejected %s, want %s; rejected: %s", got, want, rejections(r))
	}
}

// rejections writes what was refused, one entry a line.
func rejections(r Result) string {
	var text string
	for _, j := range r.Rejected {
		id := "-"
		if j.ID != nil {
			id = *j.ID
		}
		text += fmt.Sprintf("%d %s %s: %s\n", j.Index, id, j.Field, j.Reason)
	}
	return text
}

// entitiesOf lists all entities by the accessor, in the order of their entity_id.
func entitiesOf(t testing.TB, d *db.DB) []db.Entity {
	t.Helper()
	rows, err := d.ListEntities(t.Context(), db.ListEntitiesParams{Lim: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func devicesOf(t testing.TB, d *db.DB) []db.Device {
	t.Helper()
	rows, err := d.ListDevices(t.Context(), db.ListDevicesParams{Lim: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// deref is the text, or "<null>".
func deref(s *string) string {
	if s == nil {
		return "<null>"
	}
	return *s
}
