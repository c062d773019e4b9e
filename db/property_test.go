package db

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
)

// disagreements lists the rows whose derived columns are not what follows from the registries' own.
const disagreements = `
SELECT 'device', d.device_id FROM devices AS d JOIN devices_resolved AS r ON r.key = d.key
WHERE (d.area_key, d.floor_key, d.via_device_key, d.parent_device_key, d.config_entry_key, d.effective_manufacturer, d.effective_integration)
  IS NOT (r.area_key, r.floor_key, r.via_device_key, r.parent_device_key, r.config_entry_key, r.effective_manufacturer, r.effective_integration)
UNION ALL
SELECT 'entity', e.entity_id FROM entities AS e JOIN entities_resolved AS r ON r.key = e.key
WHERE (e.device_key, e.area_key, e.floor_key, e.config_entry_key, e.device_name, e.device_manufacturer, e.device_model)
  IS NOT (r.device_key, r.area_key, r.floor_key, r.config_entry_key, r.device_name, r.device_manufacturer, r.device_model)
UNION ALL
SELECT 'floor of ' || x.kind, x.id FROM (
  SELECT 'device' AS kind, device_id AS id, area_key, floor_key FROM devices UNION ALL SELECT 'entity', entity_id, area_key, floor_key FROM entities
) AS x LEFT JOIN areas AS a ON a.key = x.area_key WHERE x.floor_key IS NOT a.floor_key
UNION ALL
SELECT 'make of entity', e.entity_id FROM entities AS e LEFT JOIN devices AS d ON d.key = e.device_key
WHERE (e.device_manufacturer, e.device_model) IS NOT (d.effective_manufacturer, coalesce(d.model, iif(d.key IS NULL, NULL, 'Unknown')))
UNION ALL
SELECT 'id of label', k.device_id FROM device_labels AS k LEFT JOIN devices AS d ON d.key = k.device_key WHERE k.device_id IS NOT d.device_id
UNION ALL
SELECT 'id of label', k.entity_id FROM entity_labels AS k LEFT JOIN entities AS e ON e.key = k.entity_key WHERE k.entity_id IS NOT e.entity_id
UNION ALL
SELECT 'floor of area', a.area_id FROM areas AS a LEFT JOIN floors AS f ON f.floor_id = a.floor_id WHERE a.floor_key IS NOT f.key
UNION ALL
SELECT 'unknown floor', floor_id FROM areas WHERE floor_id IS NOT NULL AND floor_id NOT IN (SELECT floor_id FROM floors)
UNION ALL
SELECT 'unknown area', area_id FROM (SELECT area_id FROM devices UNION ALL SELECT area_id FROM entities)
WHERE area_id IS NOT NULL AND area_id NOT IN (SELECT area_id FROM areas)
UNION ALL
SELECT 'unknown label', j.value FROM (SELECT labels FROM areas UNION ALL SELECT labels FROM devices UNION ALL SELECT labels FROM entities) AS x, json_each(x.labels) AS j
WHERE j.value NOT IN (SELECT label_id FROM labels)
UNION ALL
SELECT 'labels of ' || kind, group_concat(label_key || '-' || row_key) FROM (
  SELECT kind, label_key, row_key FROM (
    SELECT 'stored' AS source, 'area' AS kind, label_key, area_key AS row_key FROM area_labels
    UNION ALL SELECT 'stored', 'device', label_key, device_key FROM device_labels
    UNION ALL SELECT 'stored', 'entity', label_key, entity_key FROM entity_labels
    UNION ALL SELECT DISTINCT 'json', 'area', l.key, x.key FROM areas AS x, json_each(x.labels) AS j JOIN labels AS l ON l.label_id = j.value
    UNION ALL SELECT DISTINCT 'json', 'device', l.key, x.key FROM devices AS x, json_each(x.labels) AS j JOIN labels AS l ON l.label_id = j.value
    UNION ALL SELECT DISTINCT 'json', 'entity', l.key, x.key FROM entities AS x, json_each(x.labels) AS j JOIN labels AS l ON l.label_id = j.value
  ) GROUP BY kind, label_key, row_key HAVING count(*) <> 2
) GROUP BY kind
UNION ALL
SELECT 'foreign key', "table" || ' ' || rowid FROM pragma_foreign_key_check`

func TestDerivedColumnsFollowWhateverIsWritten(t *testing.T) {
	for seed, foreignKeys := range []string{"ON", "ON", "ON", "OFF"} {
		t.Run(fmt.Sprint(seed, " foreign keys ", foreignKeys), func(t *testing.T) {
			d := inMemory(t)
			execute(t, d, "PRAGMA foreign_keys = "+foreignKeys)
			wantAgreement(t, d, randomStatements(int64(seed), 500))
		})
	}
}

func wantAgreement(t *testing.T, d *DB, statements []string) {
	t.Helper()
	for i, s := range statements {
		execute(t, d, s)
		if wrong := rowsOf(t, d.writer, disagreements); wrong != "" {
			t.Fatalf("wrong: %s\nafter\n%s", wrong, strings.Join(statements[max(0, i-5):i+1], "\n"))
		}
	}
}

func TestDerivedColumnsFollowWhatTheShellWrites(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	statements := randomStatements(100, 300)
	if got := shell(t, path, strings.Join(statements, "\n")+"\n"+strings.TrimSpace(disagreements)+";"); got != "" {
		t.Errorf("wrong after %d statements of the shell: %s", len(statements), got)
	}
	wantAgreement(t, opened(t, DefaultConfig(path)), randomStatements(101, 50))
}

// dice makes statements at random about so few rows that they keep meeting each other.
type dice struct{ *rand.Rand }

func randomStatements(seed int64, n int) []string {
	d := dice{rand.New(rand.NewSource(seed))}
	statements := make([]string, n)
	for i := range statements {
		statements[i] = d.statement() + ";"
	}
	return statements
}

// pick returns prefix and one of n numbers as SQL text, or sometimes NULL where that is allowed.
func (d dice) pick(prefix string, n int) string { return fmt.Sprintf("'%s%d'", prefix, d.Intn(n)) }

func (d dice) maybe(prefix string, n int) string {
	if d.Intn(3) == 0 {
		return "NULL"
	}
	return d.pick(prefix, n)
}

func (d dice) list(prefix string, n int) string {
	var items []string
	for range d.Intn(4) {
		items = append(items, fmt.Sprintf(`"%s%d"`, prefix, d.Intn(n)))
	}
	return "'[" + strings.Join(items, ",") + "]'"
}

// registryColumn is a column of a table and what may be written to it.
type registryColumn struct {
	name  string
	value func(dice) string
}

// nouns are the tables: the column that identifies, the values it may have, and the others.
var nouns = []struct {
	table, id, prefix string
	ids, weight       int
	columns           []registryColumn
}{
	{"floors", "floor_id", "f", 3, 1, []registryColumn{{"name", name}}},
	{"labels", "label_id", "l", 4, 2, []registryColumn{{"name", name}}},
	{"areas", "area_id", "a", 5, 3, []registryColumn{{"name", name}, {"floor_id", reference("f", 3)}, {"labels", listOf("l", 4)}}},
	{"config_entries", "entry_id", "c", 4, 2, []registryColumn{{"domain", name}, {"title", name}}},
	{"devices", "device_id", "d", 7, 8, []registryColumn{
		{"name", reference("Device ", 3)}, {"name_by_user", reference("My device ", 3)}, {"manufacturer", reference("Maker ", 2)},
		{"area_id", reference("a", 5)}, {"via_device_id", reference("d", 7)}, {"parent_device_id", reference("d", 7)},
		{"config_entry_id", reference("c", 4)}, {"primary_config_entry", reference("c", 4)}, {"config_entries", listOf("c", 4)},
		{"integration", reference("domain", 3)}, {"identifiers", identifiers}, {"labels", listOf("l", 4)}, {"model", reference("m", 2)}, {"disabled_by", reference("user", 1)},
	}},
	{"entities", "entity_id", "light.e", 9, 8, []registryColumn{
		{"name", reference("Lamp ", 3)}, {"original_name", reference("Brightness ", 3)}, {"has_entity_name", bit},
		{"device_id", reference("d", 7)}, {"area_id", reference("a", 5)}, {"config_entry_id", reference("c", 4)},
		{"labels", listOf("l", 4)}, {"disabled_by", reference("user", 1)}, {"platform", name},
		{"entity_category", reference("category", 2)}, {"device_class", reference("class", 2)}, {"original_device_class", reference("class", 3)},
	}},
}

func name(d dice) string { return d.pick("Name ", 9) }

func bit(d dice) string { return fmt.Sprint(d.Intn(2)) }

func identifiers(d dice) string {
	return []string{"'[]'", `'[["zha","1"]]'`, `'[["mqtt","2"],["x","y"]]'`, `'["odd"]'`}[d.Intn(4)]
}

func reference(prefix string, n int) func(dice) string {
	return func(d dice) string { return d.maybe(prefix, n) }
}

func listOf(prefix string, n int) func(dice) string {
	return func(d dice) string { return d.list(prefix, n) }
}

func (d dice) statement() string {
	n := nouns[d.weighted()]
	id := d.pick(n.prefix, n.ids)
	c := n.columns[d.Intn(len(n.columns))]
	switch roll := d.Intn(100); {
	case roll < 45:
		return d.upsert(n.table, n.id, id, n.columns)
	case roll < 75:
		return fmt.Sprintf("UPDATE %s SET %s = %s WHERE %s = %s", n.table, c.name, c.value(d), n.id, id)
	case roll < 80:
		return fmt.Sprintf("UPDATE %s SET %s = %s WHERE key %% 2 = %s", n.table, c.name, c.value(d), bit(d))
	case roll < 84 && n.table == "entities":
		to := d.pick(n.prefix, n.ids)
		return fmt.Sprintf("UPDATE entities SET entity_id = %s WHERE entity_id = %s AND NOT EXISTS (SELECT 1 FROM entities WHERE entity_id = %s)", to, id, to)
	case roll == 99:
		return "DELETE FROM " + n.table
	default:
		return fmt.Sprintf("DELETE FROM %s WHERE %s = %s", n.table, n.id, id)
	}
}

func (d dice) weighted() int {
	total := 0
	for _, n := range nouns {
		total += n.weight
	}
	roll := d.Intn(total)
	for i, n := range nouns {
		if roll -= n.weight; roll < 0 {
			return i
		}
	}
	panic("unreachable")
}

func (d dice) upsert(table, idColumn, id string, columns []registryColumn) string {
	names, values, sets := []string{idColumn}, []string{id}, []string(nil)
	for _, c := range columns {
		names, values = append(names, c.name), append(values, c.value(d))
		sets = append(sets, c.name+" = excluded."+c.name)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s",
		table, strings.Join(names, ", "), strings.Join(values, ", "), idColumn, strings.Join(sets, ", "))
}
