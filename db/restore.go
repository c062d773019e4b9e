package db

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	datasql "dataapi/sql"
)

// Stage makes a verified copy ready to take the place of the database at path: it is brought up to date, and its
// change log becomes another one, as changes that came after the copy are not in it. It gets the rights of the file
// that it will follow. Nobody may have the copy open.
func Stage(ctx context.Context, copied, path string, kind datasql.Kind) error {
	if err := bringUpToDate(ctx, copied, kind); err != nil {
		return Classify(err)
	}
	if there, err := os.Stat(path); err == nil {
		giveTo(copied, there)
	} else if folder, err := os.Stat(filepath.Dir(path)); err == nil {
		giveTo(copied, folder)
	}
	return flush(copied)
}

func bringUpToDate(ctx context.Context, path string, kind datasql.Kind) error {
	pool := newPool(rawConnector(fileURI(path)+"?mode=rw&_txlock=immediate&_pragma=journal_mode(DELETE)"), 1)
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := migrate(ctx, c, kind, nil); err != nil {
		return err
	}
	if kind == datasql.OfMetadata {
		_, err = c.ExecContext(ctx, datasql.Admin("renew_log"))
	}
	return err
}

// Alone wants nobody else, of whatever program, to have the database at path open, and moves its log into it. The
// error is ErrHeld. A file that cannot be read is left as it is, and that is no error.
func Alone(ctx context.Context, path string) error {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	pool := newPool(rawConnector(fileURI(path)+"?mode=rw&_pragma=locking_mode(EXCLUSIVE)"), 1)
	defer pool.Close()
	_, err := pool.ExecContext(ctx, "BEGIN EXCLUSIVE")
	if reasonOf(err) == Locked {
		return ErrHeld
	}
	if err == nil {
		_, err = pool.ExecContext(ctx, "COMMIT")
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// The files that SQLite keeps beside a database while it is in use: what they hold belongs to it alone.
var companions = []string{"", "-wal", "-shm", "-journal"}

// setAside renames the database at path, and what SQLite keeps beside it, to another name, which it returns; "" where
// there is nothing.
func setAside(path string, at time.Time) (moved string, err error) {
	to := path + ".replaced-" + at.UTC().Format(stamp)
	for _, suffix := range companions {
		switch err := os.Rename(path+suffix, to+suffix); {
		case err == nil:
			moved = to
		case !errors.Is(err, fs.ErrNotExist):
			return moved, err
		}
	}
	return moved, nil
}

// Put gives the staged copy beside path its place, after what is there was set aside, under a name that tells the
// time at. It returns where that is now. A second call goes on where a first was cut off.
func Put(path string, at time.Time) (aside string, err error) {
	path = resolved(path)
	if _, err := os.Stat(path + Staged); errors.Is(err, fs.ErrNotExist) {
		return "", nil // it has its place already
	}
	if aside, err = setAside(path, at); err != nil {
		return aside, err
	}
	if err := os.Rename(path+Staged, path); err != nil {
		return aside, err
	}
	return aside, flush(filepath.Dir(path))
}

// StagedPath is where a copy is staged that is to take the place of the database at path.
func StagedPath(path string) string { return resolved(path) + Staged }

// RemoveStaged removes what was staged for path and what SQLite left beside it. It says whether there was anything.
func RemoveStaged(path string) (bool, error) {
	found, err := filepath.Glob(globQuoted(StagedPath(path)) + "*")
	for _, name := range found {
		err = errors.Join(err, os.Remove(name))
	}
	return len(found) > 0, err
}

// globQuoted is a path as a pattern that it alone matches.
func globQuoted(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
