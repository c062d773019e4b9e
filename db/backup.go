package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	datasql "dataapi/sql"
)

// pagesPerStep bounds how long a step of a copy holds its lock.
const pagesPerStep = 1000

// copyFile makes a consistent copy of the database behind dsn at destination by SQLite's backup API,
// which sees what is still in the -wal and gets along with other processes. The copy appears whole or
// not at all.
func copyFile(ctx context.Context, dsn, destination string) error {
	partial, err := os.CreateTemp(filepath.Dir(destination), filepath.Base(destination)+".partial-")
	if err != nil {
		return err
	}
	partial.Close()
	if err = backup(ctx, newPool(rawConnector(dsn), 1), partial.Name()); err == nil {
		err = os.Rename(partial.Name(), destination)
	}
	if err != nil {
		os.Remove(partial.Name())
		return fmt.Errorf("copy to %s: %w", destination, err)
	}
	return nil
}

// backup copies the database behind the pool, which it closes, as it is when the copy begins. The transaction that reads it is open from
// the beginning to the end: otherwise each commit of others would have SQLite begin anew, for ever under load.
// Those others need not wait.
func backup(ctx context.Context, pool *sql.DB, destination string) error {
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	if _, err := column(ctx, c, datasql.Admin("list_tables")); err != nil { // it is the first to read that begins
		return err
	}
	return c.Raw(func(driverConn any) error { return copyPages(ctx, driverConn.(full), destination) })
}

func copyPages(ctx context.Context, source full, destination string) error {
	b, err := source.NewBackup(fileURI(destination))
	if err != nil {
		return err
	}
	for more := true; more && err == nil; {
		if err = ctx.Err(); err == nil {
			more, err = b.Step(pagesPerStep)
		}
	}
	return cmp.Or(err, b.Finish())
}

// fileURI is how SQLite takes a path, whatever characters are in it.
func fileURI(path string) string { return "file:" + (&url.URL{Path: path}).EscapedPath() }

// copyTries is how often a copy is begun anew because the file was opened anew meanwhile, as it is when another program
// moves the log into it.
const copyTries = 5

// CopyTo makes a copy of the database, as it is now, at destination, where nothing may be yet. It keeps nobody from
// writing, and ends however much is written. The error is ErrUnavailable where the database cannot be read.
func (d *DB) CopyTo(ctx context.Context, destination string) error {
	for tries, end := 1, time.Now().Add(reopenWait); ; {
		err := d.copyPresent(ctx, destination)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.Canceled): // by its end, in the middle of the copy
			tries, end, err = tries+1, time.Now().Add(reopenWait), errReopening
		case err != errReopening:
			return Classify(err)
		}
		if tries > copyTries || time.Now().After(end) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (d *DB) copyPresent(ctx context.Context, destination string) error {
	t := d.present.Load()
	if t == nil {
		return d.why()
	}
	return d.whileOpen(ctx, t, func(ctx context.Context) error {
		if t.path == "" {
			return d.copyMemory(ctx, destination)
		}
		return whole(destination, func() error { return backup(ctx, t.pool(), destination) })
	})
}

// copyMemory copies by the one connection there is.
func (d *DB) copyMemory(ctx context.Context, destination string) error {
	c, err := d.writer.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return whole(destination, func() error {
		return c.Raw(func(driverConn any) error { return copyPages(ctx, driverConn.(full), destination) })
	})
}

// CopyFile is CopyTo of a file that this process does not have open. What is still in its -wal is in the copy.
func CopyFile(ctx context.Context, path, destination string) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	dsn := fileURI(path) + "?_pragma=busy_timeout(5000)&mode="
	copied := func(mode string) error {
		return whole(destination, func() error { return backup(ctx, newPool(rawConnector(dsn+mode), 1), destination) })
	}
	err := copied("rw")
	if r := reasonOf(err); r == ReadOnly || r == Missing { // it may not be written, nor may its folder
		if log, e := os.Stat(path + "-wal"); e != nil || log.Size() == 0 {
			err = copied("ro&immutable=1")
		}
	}
	return Classify(err)
}

// whole makes a file for its owner only, has write write it, and makes sure that it is on the disk. Where that
// fails, nothing is left of it.
func whole(path string, write func() error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	if err = write(); err == nil {
		err = flush(path)
	}
	if err != nil {
		os.Remove(path)
		os.Remove(path + "-journal")
	}
	return err
}

// flush writes a file that nobody has open, or the entries of a folder, to the disk.
func flush(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return cmp.Or(f.Sync(), f.Close())
}

// keepNewest removes all but the newest n files whose names are prefix and a stamp.
func keepNewest(n int, prefix string) error {
	folder, start := filepath.Split(prefix)
	entries, err := os.ReadDir(cmp.Or(folder, "."))
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if after, ok := strings.CutPrefix(e.Name(), start); ok && len(after) == len(stamp) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	for _, old := range names[:max(0, len(names)-n)] {
		if err := os.Remove(filepath.Join(folder, old)); err != nil {
			return err
		}
	}
	return nil
}
