package db

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	datasql "dataapi/sql"
)

// dbmateCommand runs dbmate's own command, as people do by hand, and returns what it prints.
func dbmateCommand(t *testing.T, path string, args ...string) string {
	t.Helper()
	program := ""
	for _, candidate := range []string{os.Getenv("DBMATE"), "dbmate", "../bin/dbmate", "/tmp/bin/dbmate"} {
		if found, err := exec.LookPath(candidate); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("needs the dbmate command: in the PATH, in bin/, or named by DBMATE")
	}
	cmd := exec.Command(program, append([]string{"--migrations-dir", "../sql/migrations", "--no-dump-schema"}, args...)...)
	cmd.Env = append(os.Environ(), "DATABASE_URL=sqlite:"+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("dbmate %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestDbmateAcceptsOurFile(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	before := dump(t, d)
	status := dbmateCommand(t, path, "status", "--exit-code")
	if !strings.Contains(status, "Pending: 0") || strings.Contains(status, "[ ]") {
		t.Errorf("status: %s", status)
	}
	want(t, "what up applies", strings.Count(dbmateCommand(t, path, "up"), "Applied"), 0)
	mustAddFloors(t, d, "b")
	want(t, "floors", floors(d), "a b")
	want(t, "schema", dump(t, d), before)
}

func TestWeAcceptDbmatesFile(t *testing.T) {
	path := fileIn(t)
	all, err := migrations(datasql.OfMetadata)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "what up applies", strings.Count(dbmateCommand(t, path, "up"), "Applied"), len(all))
	d := opened(t, DefaultConfig(path))
	want(t, "schema", dump(t, d), dump(t, inMemory(t)))
	mustAddFloors(t, d, "a")
	want(t, "journal", d.Status(ctx).JournalMode, "wal")
	d.Close()
	want(t, "files", filesIn(t, path), "metadata.db")
}

func TestWhatDbmateRolledBackIsDoneAgain(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	d.Close()
	dbmateCommand(t, path, "rollback")
	d = opened(t, DefaultConfig(path))
	want(t, "floors", floors(d), "a")
	want(t, "copies", len(copiesOf(t, path)), 1)
	want(t, "schema", dump(t, d), dump(t, inMemory(t)))
}
