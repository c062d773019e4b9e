package db

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Statements belong into sql/. Pragmas and transaction control may be said in this folder too.
var (
	statement = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT|UPDATE|DELETE|EXPLAIN|VACUUM|ATTACH|DETACH|REINDEX|ANALYZE)\s` +
		`|(?i)\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|REPLACE\s+INTO|UPDATE\s+\S+\s+SET\s+\S+\s*=|DELETE\s+FROM|` +
		`(CREATE|DROP|ALTER)\s+(TEMP\s+|UNIQUE\s+|VIRTUAL\s+)*(TABLE|INDEX|VIEW|TRIGGER))\s`)
	control = regexp.MustCompile(`(?i)^\s*(PRAGMA|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)(\s|$)`)
)

func TestSQLTextIsRecognised(t *testing.T) {
	for _, text := range []string{
		"SELECT 1", "select * from devices", "\n  SELECT d.key\nFROM devices AS d", "INSERT INTO t VALUES (1)", "insert or replace into t values (1)",
		"UPDATE floors SET name = ?", "DELETE FROM floors", "CREATE TABLE t (a)", "create unique index i on t (a)", "DROP VIEW v",
		"ALTER TABLE t ADD COLUMN a", "WITH n AS (SELECT 1) SELECT * FROM n", "VACUUM INTO ?", "-- why\nSELECT 1 FROM t", "x; DELETE FROM t WHERE 1",
	} {
		if !statement.MatchString(text) {
			t.Errorf("not recognised: %q", text)
		}
	}
	for _, text := range []string{
		"the database file is gone", "select one of these", "insert coin", "pages from the file", "update to a newer version",
		"delete the file", "created", "PRAGMA journal_mode", "with spaces as they are", "areas", "", "DELETE", "/api/v1/areas DELETE",
	} {
		if statement.MatchString(text) {
			t.Errorf("taken for SQL: %q", text)
		}
	}
	for _, text := range []string{"PRAGMA user_version = 1", "BEGIN IMMEDIATE", "ROLLBACK"} {
		if !control.MatchString(text) {
			t.Errorf("not recognised: %q", text)
		}
	}
}

func TestNoSQLTextOutsideSQLFolder(t *testing.T) {
	seen := 0
	for _, file := range handwritten(t, "..") {
		seen++
		inDB := filepath.Dir(file) == filepath.Join("..", "db")
		for _, literal := range literals(t, file) {
			if statement.MatchString(literal.text) || control.MatchString(literal.text) && !inDB {
				t.Errorf("%s:%d: SQL outside sql/: %q", file, literal.line, literal.text)
			}
		}
	}
	if seen < 10 {
		t.Errorf("looked at %d files: is the tree here?", seen)
	}
}

// handwritten returns the Go files below root that are neither tests nor generated. InfluxQL, which reads
// like SQL, lives in files named after it.
func handwritten(t *testing.T, root string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch name := e.Name(); {
		case err != nil:
			return err
		case e.IsDir() && (name == "testdata" || name == "tools" || path != root && strings.HasPrefix(name, ".")):
			return fs.SkipDir
		case e.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"), strings.HasPrefix(name, "influx"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && !strings.HasPrefix(string(text), "// Code generated") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

type literal struct {
	line int
	text string
}

func literals(t *testing.T, file string) []literal {
	t.Helper()
	positions := token.NewFileSet()
	parsed, err := parser.ParseFile(positions, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []literal
	ast.Inspect(parsed, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, literal{positions.Position(l.Pos()).Line, text})
			}
		}
		return true
	})
	return all
}
