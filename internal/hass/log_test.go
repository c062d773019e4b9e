package hass

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
)

// rowsNow are all rows as the change log shows them.
const rowsNow = `
SELECT 'floor', document FROM floors_as_json UNION ALL SELECT 'label', document FROM labels_as_json
UNION ALL SELECT 'area', document FROM areas_as_json UNION ALL SELECT 'config_entry', document FROM config_entries_as_json
UNION ALL SELECT 'device', document FROM devices_as_json UNION ALL SELECT 'entity', document FROM entities_as_json`

// idOf is the id in a document of a kind.
func idOf(t *testing.T, kind, document string) string {
	t.Helper()
	member := map[string]string{"config_entry": "entry_id"}[kind]
	var members map[string]any
	if err := json.Unmarshal([]byte(document), &members); err != nil {
		t.Fatal(err)
	}
	id, _ := members[orElse(member, kind+"_id")].(string)
	return kind + " " + id
}

// replay is a home that is made from the change log alone.
type replay struct {
	rows map[string]string // kind and id -> document
	at   db.Position
}

// follow takes what is new in the log.
func (r *replay) follow(t *testing.T, d *db.DB) {
	t.Helper()
	page, err := d.ChangesBetween(t.Context(), db.ChangeQuery{Since: db.Bound{Position: r.at}, Limit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	r.at = page.Next
	for _, c := range page.Changes {
		if c.Before != "" {
			id := idOf(t, c.Kind, string(c.Before))
			if r.rows[id] != string(c.Before) {
				t.Fatalf("change %d of %s, before: %s\nreplayed: %s", c.Seq, id, c.Before, r.rows[id])
			}
			delete(r.rows, id)
		}
		if c.After != "" {
			id := idOf(t, c.Kind, string(c.After))
			if r.rows[id] != "" {
				t.Fatalf("change %d: there is a %s already", c.Seq, id)
			}
			r.rows[id] = string(c.After)
		}
	}
}

// hold compares the home with the rows as they stand.
func (r *replay) hold(t *testing.T, d *db.DB, shell *sql.DB, after string) {
	t.Helper()
	r.follow(t, d)
	rows, err := shell.Query(rowsNow)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	there := 0
	for rows.Next() {
		var kind, document string
		if err := rows.Scan(&kind, &document); err != nil {
			t.Fatal(err)
		}
		there++
		if id := idOf(t, kind, document); r.rows[id] != document {
			t.Fatalf("%s is\n%s\nand by the log\n%s\nafter %s", id, document, r.rows[id], after)
		}
	}
	if there != len(r.rows) {
		t.Fatalf("there are %d rows, and %d by the log, after %s", there, len(r.rows), after)
	}
}

// dice makes registries at random, of so few ids that they keep meeting each other.
type dice struct{ *rand.Rand }

func (d dice) some(n int, entry func(i int) string) string {
	var entries []string
	for _, i := range d.Perm(n)[:d.IntN(n+1)] {
		entries = append(entries, entry(i))
	}
	return "[" + strings.Join(entries, ",") + "]"
}

func (d dice) ref(prefix string, n int) string {
	if d.IntN(4) == 0 {
		return "null"
	}
	return fmt.Sprintf(`"%s%d"`, prefix, d.IntN(n))
}

func (d dice) registry(kind Kind) string {
	name := func() string { return d.ref("Name ", 5) }
	switch kind {
	case Floors:
		return d.some(3, func(i int) string { return fmt.Sprintf(`{"floor_id":"f%d","name":"F %d"}`, i, d.IntN(3)) })
	case Labels:
		return d.some(3, func(i int) string { return fmt.Sprintf(`{"label_id":"l%d","name":"L %d"}`, i, d.IntN(3)) })
	case Areas:
		return d.some(4, func(i int) string { return fmt.Sprintf(`{"area_id":"a%d","name":"A","floor_id":%s}`, i, d.ref("f", 4)) })
	case ConfigEntries:
		return d.some(3, func(i int) string { return fmt.Sprintf(`{"entry_id":"c%d","domain":"d%d","title":"T"}`, i, d.IntN(2)) })
	case Devices:
		return d.some(6, func(i int) string {
			return fmt.Sprintf(`{"id":"d%d","name":%s,"name_by_user":%s,"area_id":%s,"via_device_id":%s,"parent_device_id":%s,"config_entry_id":%s}`,
				i, name(), name(), d.ref("a", 5), d.ref("d", 7), d.ref("d", 7), d.ref("c", 4))
		})
	default:
		ids := d.Perm(8)
		return d.some(8, func(i int) string {
			return fmt.Sprintf(`{"entity_id":"light.e%d","id":"r%d","has_entity_name":true,"original_name":%s,"name":%s,"device_id":%s,"area_id":%s,"labels":["l%d"]}`,
				ids[i], i, name(), name(), d.ref("d", 7), d.ref("a", 5), d.IntN(4))
		})
	}
}

// statement is one as somebody types it into the sqlite3 shell.
func (d dice) statement() string {
	return []string{
		fmt.Sprintf("DELETE FROM devices WHERE device_id = 'd%d'", d.IntN(6)),
		fmt.Sprintf("DELETE FROM areas WHERE area_id = 'a%d'", d.IntN(5)),
		fmt.Sprintf("DELETE FROM entities WHERE entity_id = 'light.e%d'", d.IntN(8)),
		fmt.Sprintf("UPDATE OR IGNORE entities SET entity_id = 'light.e%d' WHERE entity_id = 'light.e%d'", d.IntN(9), d.IntN(9)),
		fmt.Sprintf("UPDATE devices SET name_by_user = 'By hand %d', area_id = 'a%d' WHERE device_id = 'd%d'", d.IntN(3), d.IntN(5), d.IntN(6)),
	}[d.IntN(5)]
}

// Whatever is pushed, put or typed, in whatever order, the change log tells the registry as it stands.
func TestTheLogTellsTheHome(t *testing.T) {
	kinds := []Kind{Floors, Labels, Areas, ConfigEntries, Devices, Entities}
	for range 4 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "metadata.db")
			d, die, home := openFile(t, path), dice{rand.New(rand.NewPCG(seed, 0))}, replay{rows: map[string]string{}}
			shell, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(0)")
			if err != nil {
				t.Fatal(err)
			}
			defer shell.Close()
			for range 120 {
				var step string
				if die.IntN(3) == 0 {
					step = die.statement()
					if _, err := shell.Exec(step); err != nil {
						t.Fatalf("%s: %v", step, err)
					}
				} else {
					step = die.put(t, d, kinds)
				}
				home.hold(t, d, shell, step)
			}
		})
	}
}

// put takes some registries at random, as a whole or as what is new in them, and says which.
func (d dice) put(t *testing.T, to *db.DB, kinds []Kind) string {
	t.Helper()
	whole, step := d.IntN(2) == 0, ""
	var all []Storage
	for _, kind := range kinds {
		if d.IntN(2) == 0 {
			continue
		}
		text := d.registry(kind)
		batch, err := ReadBatch([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Storage{Kind: kind, Batch: batch, Whole: whole})
		step += fmt.Sprintf("%s (whole: %v): %s\n", kind, whole, text)
	}
	if _, err := Import(t.Context(), to, all, How{Force: true}); err != nil {
		t.Fatalf("%s%v", step, err)
	}
	return step
}
