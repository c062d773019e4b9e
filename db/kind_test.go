package db

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amacneil/dbmate/v2/pkg/dbmate"

	datasql "dataapi/sql"
)

// The migrations of the other kinds of files are such as dbmate can undo, too.
func TestDownsOfOtherKindsLeaveNothing(t *testing.T) {
	for kind, table := range map[datasql.Kind]string{datasql.OfHistory: "points", datasql.OfDeliveries: "deliveries"} {
		c := DefaultConfig(Memory)
		c.Kind = kind
		d := opened(t, c)
		if !strings.Contains(dump(t, d), "CREATE TABLE "+table) {
			t.Fatal("there is no table of", table)
		}
		all, err := migrations(kind)
		if err != nil {
			t.Fatal(err)
		}
		files, folder := kind.Migrations()
		for _, m := range slices.Backward(all) {
			blocks, err := (&dbmate.Migration{FS: files, FilePath: folder + "/" + m.file}).Parse()
			if err != nil {
				t.Fatal(err)
			}
			execute(t, d, blocks[0].Down)
		}
		want(t, "what the downs leave", strings.ReplaceAll(dump(t, d), "CREATE TABLE sqlite_sequence(name,seq);", ""), "")
	}
}

// A log is left to grow for KeepLog, unless it is large.
func TestKeepLog(t *testing.T) {
	for _, l := range []struct {
		size int64
		keep time.Duration
		want bool
	}{
		{0, 0, false},
		{4096, 0, true},
		{4096, time.Hour, false},
		{largeLog - 1, time.Hour, false},
		{largeLog, time.Hour, true},
		{4096, time.Second, true},
	} {
		path := filepath.Join(t.TempDir(), "wal")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, l.size); err != nil {
			t.Fatal(err)
		}
		wal, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		w := &watch{DB: unopenedOf(l.keep), emptied: time.Now().Add(-time.Minute)}
		if got := w.shouldMoveLog(&identity{wal: wal}); got != l.want {
			t.Errorf("%d bytes, to be kept %v: %v, want %v", l.size, l.keep, got, l.want)
		}
	}
}

func unopenedOf(keep time.Duration) *DB {
	return &DB{config: Config{KeepLog: keep}, log: slog.New(slog.DiscardHandler)}
}
