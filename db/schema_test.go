package db

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/amacneil/dbmate/v2/pkg/dbmate"

	datasql "dataapi/sql"
)

var update = flag.Bool("update", false, "rewrite sql/schema.sql from the migrations")

const schemaHead = `-- The schema as the migrations make it, for people to read. Nothing reads this file but a test:
-- change sql/migrations, then run go test ./db -run TestSchemaFile -update
`

func TestSchemaFile(t *testing.T) {
	const path = "../sql/schema.sql"
	made := schemaHead + dump(t, inMemory(t))
	if *update {
		if err := os.WriteFile(path, []byte(made), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if string(read(t, path)) != made {
		t.Errorf("%s is not what the migrations make: go test ./db -run TestSchemaFile -update", path)
	}
	if i := strings.IndexFunc(made, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
		t.Errorf("%s holds other than ASCII characters at byte %d", path, i)
	}
	if strings.Contains(made, "fts_") || strings.Contains(made, "schema_migrations") {
		t.Errorf("%s holds tables that are not ours to read", path)
	}
}

// dump returns the statements that make the schema of d.
func dump(t *testing.T, d *DB) string {
	t.Helper()
	rows, err := d.writer.pool.Query(datasql.Admin("dump_schema"))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var schema strings.Builder
	for rows.Next() {
		var statement string
		if err := rows.Scan(&statement); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(statement, "CREATE TABLE sqlite_") {
			continue // SQLite's own
		}
		if !strings.HasPrefix(statement, "CREATE INDEX") {
			schema.WriteString("\n")
		}
		schema.WriteString(statement + ";\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return schema.String()
}

// migrationFiles parses all migrations as dbmate does, down blocks included.
func migrationFiles(t *testing.T) []*dbmate.ParsedMigration {
	t.Helper()
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*dbmate.ParsedMigration
	for _, m := range all {
		blocks, err := (&dbmate.Migration{FS: datasql.Migrations, FilePath: "migrations/" + m.file}).Parse()
		if err != nil {
			t.Fatal(err)
		}
		if len(blocks) != 1 || strings.TrimSpace(blocks[0].Down) == "" || !blocks[0].DownOptions.Transaction() {
			t.Fatalf("%s: needs one up and one down block, both in a transaction", m.file)
		}
		parsed = append(parsed, blocks[0])
	}
	return parsed
}

func TestEachDownUndoesItsUp(t *testing.T) {
	d := emptied(t)
	ups, states := migrationFiles(t), []string{""}
	for _, m := range ups {
		execute(t, d, m.Up)
		states = append(states, sorted(dump(t, d)))
	}
	for i := len(ups) - 1; i >= 0; i-- {
		execute(t, d, ups[i].Down)
		want(t, "after undoing "+ups[i].Up[:min(len(ups[i].Up), 200)], sorted(dump(t, d)), states[i])
	}
	for i, m := range ups {
		execute(t, d, m.Up)
		want(t, "after doing it again", sorted(dump(t, d)), states[i+1])
	}
}

// sorted puts statements in an order: what was dropped and made again comes last in a schema.
func sorted(schema string) string {
	statements := strings.Split(schema, ";\n")
	slices.Sort(statements)
	return strings.Join(statements, ";\n")
}

// emptied returns a database in memory without our schema.
func emptied(t *testing.T) *DB {
	t.Helper()
	d := inMemory(t)
	ups := migrationFiles(t)
	for i := range ups {
		execute(t, d, ups[len(ups)-1-i].Down)
	}
	want(t, "what the downs leave", rowsOf(t, d.writer.pool, "SELECT name FROM sqlite_schema WHERE name NOT LIKE '%schema_migrations%' AND name NOT LIKE 'sqlite%'"), "")
	return d
}

func TestDownWithRowsInAllTables(t *testing.T) {
	d := inMemory(t)
	for _, statement := range randomStatements(1, 200) {
		execute(t, d, statement)
	}
	ups := migrationFiles(t)
	for i := range ups {
		execute(t, d, ups[len(ups)-1-i].Down)
	}
	want(t, "what the downs leave", dump(t, d), "")
}

// What a migration derives from the rows that are there is no change of theirs.
func TestMigratingRowsIsNoChange(t *testing.T) {
	const before = "20261128140000" // and what follows it
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	ups := migrationFiles(t)
	from := slices.IndexFunc(all, func(m migration) bool { return m.version == before })
	for seed := range int64(3) {
		d := inMemory(t)
		for i := len(ups) - 1; i >= from; i-- {
			execute(t, d, ups[i].Down)
		}
		for _, statement := range randomStatements(200+seed, 200) {
			execute(t, d, statement)
		}
		const told = `SELECT max(seq), count(*), (SELECT group_concat(updated_at) FROM (
			SELECT updated_at FROM areas UNION ALL SELECT updated_at FROM devices UNION ALL SELECT updated_at FROM entities)) FROM changes`
		was := rowsOf(t, d.writer, told)
		for _, m := range ups[from:] {
			execute(t, d, m.Up)
		}
		want(t, "changes and times", rowsOf(t, d.writer, told), was)
		want(t, "disagreements", rowsOf(t, d.writer, disagreements), "")
	}
}

func TestMigrationsAreNamedInOrder(t *testing.T) {
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, m := range all {
		if len(m.version) != len("20060102150405") || m.version <= last {
			t.Errorf("%s: wants a 14-digit stamp later than %s", m.file, last)
		}
		last = m.version
	}
}

func TestMigratingTwiceDoesNothing(t *testing.T) {
	d := inMemory(t)
	c, err := d.writer.pool.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	applied, err := migrate(ctx, c, datasql.OfMetadata, nil)
	if err != nil || len(applied) != 0 {
		t.Errorf("applied %v, %v; want nothing", applied, err)
	}
}

func TestGeneratedCodeHasTypes(t *testing.T) {
	files, err := filepath.Glob("*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	untyped := regexp.MustCompile(`(^|[^\w.])(interface\{\}|any\b|sql\.Null)`)
	for _, file := range append(files, "models.go", "querier.go") {
		for i, line := range strings.Split(string(read(t, file)), "\n") {
			if code, _, _ := strings.Cut(line, "//"); untyped.MatchString(code) {
				t.Errorf("%s:%d: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}
