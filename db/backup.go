package db

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// pagesPerStep bounds how long a step of a copy holds its lock.
const pagesPerStep = 1000

// copyFile makes a consistent copy of the database at destination by SQLite's backup API, which sees
// what is still in the -wal and gets along with other processes. The copy appears whole or not at all.
func copyFile(ctx context.Context, c *sql.Conn, destination string) error {
	partial := destination + ".partial"
	if err := os.Remove(partial); err != nil && !os.IsNotExist(err) {
		return err
	}
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	file.Close()
	err = c.Raw(func(driverConn any) error { return backup(ctx, driverConn, partial) })
	if err == nil {
		err = os.Rename(partial, destination)
	}
	if err != nil {
		os.Remove(partial)
		return fmt.Errorf("copy to %s: %w", destination, err)
	}
	return nil
}

func backup(ctx context.Context, driverConn any, destination string) error {
	b, err := driverConn.(full).NewBackup(destination)
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

// keepNewest removes all but the newest n files that match pattern.
func keepNewest(n int, pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) <= n {
		return err
	}
	slices.Sort(files) // names end in a time
	for _, old := range files[:len(files)-n] {
		if err := os.Remove(old); err != nil {
			return err
		}
	}
	return nil
}
