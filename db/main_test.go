package db

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Some promises are about several processes. They are kept by this binary itself, started again with
// the name of a role in its environment.
const roleVariable = "DATAAPI_DB_TEST_ROLE"

var roles = map[string]func(args []string) error{
	"open":           openOnce,
	"write":          writeForEver,
	"hidden folder":  hiddenFolder,
	"protected file": protectedFile,
}

func TestMain(m *testing.M) {
	flag.Parse()
	if role := os.Getenv(roleVariable); role != "" {
		if err := roles[role](flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Set("test.parallel", "12") // the parallel tests wait for the watch, most of their time
	os.Exit(m.Run())
}

// again returns the command that runs this binary in a role.
func again(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

var ctx = context.Background()

// fileIn returns a path for a database in a folder of its own.
func fileIn(t *testing.T) string { return filepath.Join(t.TempDir(), "metadata.db") }

func unopened(t testing.TB, c Config) *DB {
	t.Helper()
	d := Prepare(c, slog.New(slog.NewTextHandler(t.Output(), nil)))
	t.Cleanup(func() { d.Close() })
	return d
}

// opened opens the database that c names, once, without a watch over it.
func opened(t testing.TB, c Config) *DB {
	t.Helper()
	d := unopened(t, c)
	if err := d.Open(ctx); err != nil {
		t.Fatal(err)
	}
	return d
}

// inMemory returns an empty database with our schema.
func inMemory(t testing.TB) *DB { return opened(t, DefaultConfig(Memory)) }

// running runs the database that c names until the test ends.
func running(t *testing.T, c Config) *DB {
	t.Helper()
	d := unopened(t, c)
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error("Run:", err)
		}
	})
	return d
}

// serving runs the database that c names and waits until it serves.
func serving(t *testing.T, c Config) *DB {
	t.Helper()
	d := running(t, c)
	eventually(t, "it serves", func() bool { return d.Status(ctx).Writable })
	return d
}

// recovery is how long a promised recovery may take here, on a busy machine.
const recovery = 20 * time.Second

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(recovery); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", recovery, what)
		}
	}
}

// exec runs statements on the writer, as any program may that opens the file.
func execute(t *testing.T, d *DB, statements string, args ...any) {
	t.Helper()
	if _, err := d.writer.pool.ExecContext(ctx, statements, args...); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// rowsOf returns the result of a query as the sqlite3 shell prints it.
func rowsOf(t *testing.T, pool interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, query string, args ...any) string {
	t.Helper()
	rows, err := pool.QueryContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, pointers := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	var lines []string
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(values))
		for i, v := range values {
			line[i] = v.String
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(lines, "\n")
}

// addFloor stores a floor the way the service does.
func addFloor(d *DB, id string) error {
	return d.Write(ctx, func(q *Queries) error { return storeFloor(q, id) })
}

func storeFloor(q *Queries, id string) error {
	return q.SaveFloor(ctx, SaveFloorParams{FloorID: id, Name: id, Aliases: "[]", Extra: "{}",
		CreatedAt: "2026-01-01T00:00:00.000000Z", UpdatedAt: "2026-01-01T00:00:00.000000Z"})
}

func mustAddFloors(t *testing.T, d *DB, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := addFloor(d, id); err != nil {
			t.Fatal(err)
		}
	}
}

// floors returns the ids of all floors, or the error in place of them.
func floors(d *DB) string {
	list, err := d.ListFloors(ctx, ListFloorsParams{Lim: 1e6})
	if err != nil {
		return err.Error()
	}
	ids := make([]string, len(list))
	for i, f := range list {
		ids[i] = f.FloorID
	}
	return strings.Join(ids, " ")
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantReason(t *testing.T, what string, err error, reason Reason) {
	t.Helper()
	if got := reasonOf(err); got != reason {
		t.Errorf("%s: reason %q, want %q (error: %v)", what, got, reason, err)
	}
}

// filesIn returns the names of what is in the folder of the file at path.
func filesIn(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// overwrite writes into the file that is at path, as cp does.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// exchange puts a new file in the place of the one at path, as mv does.
func exchange(t *testing.T, path string, content []byte) {
	t.Helper()
	overwrite(t, path+".new", content)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// databaseWith returns the bytes of a database of ours that holds these floors and nothing else.
func databaseWith(t *testing.T, ids ...string) []byte {
	t.Helper()
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, ids...)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, "files of a closed database", filesIn(t, path), "metadata.db")
	return read(t, path)
}

// shell runs a script in the sqlite3 command, which on Debian is SQLite 3.40 with foreign keys off, and
// returns what it prints.
func shell(t *testing.T, path, script string) string {
	t.Helper()
	cmd := shellCommand(t, path)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sqlite3: %v\n%s", err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func shellCommand(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("needs the sqlite3 command")
	}
	return exec.Command(program, "-batch", "-bail", "-cmd", ".timeout 5000", path)
}
