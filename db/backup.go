package db

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	if err = backup(ctx, dsn, partial.Name()); err == nil {
		err = os.Rename(partial.Name(), destination)
	}
	if err != nil {
		os.Remove(partial.Name())
		return fmt.Errorf("copy to %s: %w", destination, err)
	}
	return nil
}

func backup(ctx context.Context, dsn, destination string) error {
	pool := newPool(rawConnector(dsn), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Raw(func(driverConn any) error {
		b, err := driverConn.(full).NewBackup("file:" + (&url.URL{Path: destination}).EscapedPath())
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err == nil {
				more, err = b.Step(pagesPerStep)
			}
		}
		return cmp.Or(err, b.Finish())
	})
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
