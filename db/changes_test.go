package db

import (
	"fmt"
	"strings"
	"testing"
)

// states lists all rows as the change log keeps them.
const states = `
SELECT 'floor', key, document FROM floors_as_json
UNION ALL SELECT 'label', key, document FROM labels_as_json
UNION ALL SELECT 'area', key, document FROM areas_as_json
UNION ALL SELECT 'config_entry', key, document FROM config_entries_as_json
UNION ALL SELECT 'device', key, document FROM devices_as_json
UNION ALL SELECT 'entity', key, document FROM entities_as_json
UNION ALL SELECT 'preference', key, document FROM preferences_as_json`

// replayed is a registry that is made from the change log alone.
type replayed struct {
	seq  int64
	rows map[string]string // "kind key" -> document
}

// follow takes in what was logged since the last time, and holds each change to begin where the one before
// it ended.
func (r *replayed) follow(t *testing.T, d *DB) {
	t.Helper()
	rows, err := d.writer.pool.Query("SELECT v.seq, v.kind || ' ' || c.key, v.action, coalesce(v.before, ''), coalesce(v.after, '') FROM changes_view AS v JOIN changes AS c ON c.seq = v.seq WHERE v.seq > ? ORDER BY v.seq", r.seq)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var row, action, before, after string
		if err := rows.Scan(&r.seq, &row, &action, &before, &after); err != nil {
			t.Fatal(err)
		}
		wantAction := map[[2]bool]string{{false, true}: "created", {true, true}: "updated", {true, false}: "deleted"}[[2]bool{before != "", after != ""}]
		if action != wantAction || before != r.rows[row] || before == after {
			t.Errorf("change %d of %s: %s\nbefore  %s\nafter   %s\nreplay  %s", r.seq, row, action, before, after, r.rows[row])
		}
		if r.rows[row] = after; after == "" {
			delete(r.rows, row)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// hold compares the registry with the rows as they stand.
func (r *replayed) hold(t *testing.T, d *DB, after ...string) {
	t.Helper()
	r.follow(t, d)
	now := map[string]string{}
	rows, err := d.writer.pool.Query(states)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, key, document string
		if err := rows.Scan(&kind, &key, &document); err != nil {
			t.Fatal(err)
		}
		now[kind+" "+key] = document
		if r.rows[kind+" "+key] != document {
			t.Errorf("%s %s is\n%s\nand by the log\n%s", kind, key, document, r.rows[kind+" "+key])
		}
	}
	for row := range r.rows {
		if now[row] == "" {
			t.Errorf("%s is there by the log only", row)
		}
	}
	if t.Failed() {
		t.Fatalf("after\n%s", strings.Join(after, "\n"))
	}
}

func TestTheRegistryFollowsFromTheChangeLog(t *testing.T) {
	for seed, foreignKeys := range []string{"ON", "ON", "ON", "OFF"} {
		t.Run(fmt.Sprint(seed, " foreign keys ", foreignKeys), func(t *testing.T) {
			d, log := inMemory(t), replayed{rows: map[string]string{}}
			execute(t, d, "PRAGMA foreign_keys = "+foreignKeys)
			for _, s := range randomStatements(int64(200+seed), 500) {
				execute(t, d, s)
				log.hold(t, d, s)
			}
		})
	}
}

func TestTheChangeLogOfWhatTheShellWrites(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	shell(t, path, strings.Join(randomStatements(300, 300), "\n"))
	(&replayed{rows: map[string]string{}}).hold(t, opened(t, DefaultConfig(path)))
}
