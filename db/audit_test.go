package db

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
)

// unread is an index that neither a probe nor a list reads.
const unread = "name = 'entities_by_config_entry'"

// damage writes over the first pages of tables and indexes.
func damage(t *testing.T, path, which string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, page := range strings.Fields(shell(t, path, "SELECT rootpage FROM sqlite_schema WHERE "+which+" AND rootpage > 0;")) {
		number, err := strconv.ParseInt(page, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(bytes.Repeat([]byte{0xAA}, 4096), (number-1)*4096); err != nil {
			t.Fatal(err)
		}
	}
}

func wantDamageReported(t *testing.T, d *DB) {
	t.Helper()
	eventually(t, "the audit has found the page", func() bool { return d.Status(ctx).Integrity.Problem != "" })
	s := d.Status(ctx)
	want(t, "reason", s.Reason, Corrupt)
	want(t, "readable, for what can be read", s.Readable, true)
	want(t, "checked", s.Integrity.CheckedAt.IsZero(), false)
}

func TestDamagedPagesAreFoundByTheAudit(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		t.Parallel()
		path := fileIn(t)
		overwrite(t, path, databaseWith(t, "a"))
		damage(t, path, unread)
		wantDamageReported(t, running(t, DefaultConfig(path)))
	})
	t.Run("while it is open, and put right", func(t *testing.T) {
		t.Parallel()
		path := fileIn(t)
		d := serving(t, DefaultConfig(path))
		mustAddFloors(t, d, "a")
		eventually(t, "an audit", func() bool { return !d.Status(ctx).Integrity.CheckedAt.IsZero() })
		want(t, "found", d.Status(ctx).Integrity.Problem, "")
		logMoved(t, path)
		good := read(t, path)
		bad := fileIn(t)
		overwrite(t, bad, good)
		damage(t, bad, unread)
		overwrite(t, path, read(t, bad))
		wantDamageReported(t, d)
		overwrite(t, path, good)
		eventually(t, "it is whole again", func() bool { s := d.Status(ctx); return s.Reason == "" && s.Writable })
		wantServed(t, d, "a")
	})
}

func TestAFileThatIsCutShort(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	mustAddFloors(t, d, "a")
	logMoved(t, path)
	good := read(t, path)
	if err := os.Truncate(path, int64(len(good)/2)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Status says so", func() bool { return d.Status(ctx).Reason == Corrupt })
	overwrite(t, path, good)
	wantServed(t, d, "a")
}

// It is not opened and closed in turns, as it would be if only the schema were looked at.
func TestAFileWhoseRowsCannotBeReadIsNotOpened(t *testing.T) {
	path := fileIn(t)
	overwrite(t, path, databaseWith(t, "a"))
	damage(t, path, "tbl_name = 'entities'")
	d := unopened(t, DefaultConfig(path))
	wantReason(t, "opening", d.Open(ctx), Corrupt)
	wantReason(t, "reading", second(d.ListFloors(ctx, ListFloorsParams{})), Corrupt)
}
