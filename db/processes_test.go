package db

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	datasql "dataapi/sql"
)

// openOnce is a role: it opens the database at args[0], makes sure that it serves, and ends.
func openOnce(args []string) error {
	d := Prepare(DefaultConfig(args[0]), slog.New(slog.NewTextHandler(os.Stdout, nil)))
	defer d.Close()
	if err := d.Open(ctx); err != nil {
		return err
	}
	if s := d.Status(ctx); !s.Writable {
		return fmt.Errorf("not writable: %+v", s)
	}
	return nil
}

// writeForEver is a role: it stores one floor after another and prints each as soon as it is acknowledged.
func writeForEver(args []string) error {
	d := Prepare(DefaultConfig(args[0]), slog.New(slog.DiscardHandler))
	if err := d.Open(ctx); err != nil {
		return err
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%06d", args[1], i)
		if err := addFloor(d, id); err != nil {
			return err
		}
		fmt.Println(id)
	}
}

// together runs n processes that open the database at path, and returns what all of them printed.
func together(t *testing.T, n int, path string) string {
	t.Helper()
	var processes []*exec.Cmd
	for range n {
		cmd := again(t, "open", path)
		cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, cmd)
	}
	printed := ""
	for _, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a process of %d: %v: %s", n, err, cmd.Stderr)
		}
		printed += fmt.Sprint(cmd.Stdout)
	}
	return printed
}

func TestProcessesThatMigrateAtOnce(t *testing.T) {
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 8} {
		for name, before := range map[string]func(t *testing.T, path string){
			"no file":           func(*testing.T, string) {},
			"an empty file":     func(t *testing.T, path string) { overwrite(t, path, nil) },
			"an older database": func(t *testing.T, path string) { overwrite(t, path, olderDatabase(t)) },
			"the predecessor's": func(t *testing.T, path string) { overwrite(t, path, predecessor(t)) },
		} {
			t.Run(fmt.Sprint(n, " and ", name), func(t *testing.T) {
				t.Parallel()
				path := fileIn(t)
				before(t, path)
				printed := together(t, n, path)
				want(t, "migrations", strings.Count(printed, "database migrated"), 1)
				d := opened(t, DefaultConfig(path))
				want(t, "versions", rowsOf(t, d.writer, "SELECT count(*) FROM schema_migrations"), fmt.Sprint(len(all)))
				want(t, "schema", dump(t, d), dump(t, inMemory(t)))
				copies, err := filepath.Glob(path + ".before*")
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(name, "an older") || strings.HasPrefix(name, "the pre") {
					want(t, "copies", len(copies), 1)
					wantUnmigrated(t, copies[0])
				} else {
					want(t, "copies", len(copies), 0)
				}
				wantOnly(t, path)
			})
		}
	}
}

// wantUnmigrated holds a copy to be a whole database that does not have our newest migration.
func wantUnmigrated(t *testing.T, path string) {
	t.Helper()
	pool := newPool(rawConnector(DefaultConfig(path).readerDSN(false)), 1)
	defer pool.Close()
	want(t, "integrity of the copy", rowsOf(t, pool, "PRAGMA integrity_check"), "ok")
	want(t, "views in the copy", rowsOf(t, pool, "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"), "0")
	want(t, "devices in the copy", rowsOf(t, pool, "SELECT count(*) FROM devices"), "2")
}

// wantOnly holds the folder of the file at path to hold no leftovers.
func wantOnly(t *testing.T, path string) {
	t.Helper()
	for _, name := range strings.Fields(filesIn(t, path)) {
		if strings.Contains(name, "partial") || strings.Contains(name, "replaced") || strings.HasSuffix(name, "-journal") {
			t.Errorf("left over: %s", name)
		}
	}
}

func TestAcknowledgedWritesSurviveAKill(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	var acknowledged []string
	for round := range 3 {
		acknowledged = append(acknowledged, writeUntilKilled(t, path, fmt.Sprint(round), 40+60*round)...)
	}
	d := opened(t, DefaultConfig(path))
	stored := strings.Fields(floors(d))
	for _, id := range acknowledged {
		if _, ok := slices.BinarySearch(stored, id); !ok {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	if extra := len(stored) - len(acknowledged); extra < 0 || extra > 3 { // stored, and killed before it was said
		t.Errorf("%d acknowledged, %d stored", len(acknowledged), len(stored))
	}
	want(t, "integrity", rowsOf(t, d.writer, "PRAGMA integrity_check"), "ok")
}

// writeUntilKilled runs a writing process, kills it after n acknowledged writes, and returns these.
func writeUntilKilled(t *testing.T, path, name string, n int) (ids []string) {
	t.Helper()
	cmd := again(t, "write", path, name)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if ids = append(ids, lines.Text()); len(ids) == n {
			cmd.Process.Kill() // SIGKILL
		}
	}
	if len(ids) < n {
		t.Fatalf("the writer ended after %d rows", len(ids))
	}
	return ids
}
