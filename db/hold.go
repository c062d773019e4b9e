package db

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrHeld says that another process has the database open.
var ErrHeld = errors.New("the database is open in another process")

// Hold says to other processes that a database file is in use. It is a lock on a file of its own beside the
// database, as locks of SQLite's files are SQLite's alone, and it ends with the process at the latest.
type Hold struct{ file *os.File }

const lockSuffix = ".lock"

// HoldFile holds the database file at path together with others who do or, where exclusive, alone. The error is
// ErrHeld where others are in the way. Any other error says that nothing can be held there.
func HoldFile(path string, exclusive bool) (*Hold, error) {
	name := resolved(path) + lockSuffix
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		held, err := lockFile(f, exclusive)
		if err == nil && isAt(f, name) {
			return &Hold{f}, nil
		}
		f.Close()
		if held {
			return nil, ErrHeld
		}
		if err != nil {
			return nil, err
		}
	}
}

// isAt says whether an open file is still the one at a path: the last holder removes it.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(open, there)
}

// Release ends the hold. The last one removes the file.
func (h *Hold) Release() {
	if h == nil {
		return
	}
	if _, err := lockFile(h.file, true); err == nil {
		os.Remove(h.file.Name())
	}
	h.file.Close()
}

// resolved is where the file at path is, or would be, links followed.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(folder, filepath.Base(path))
	}
	return path
}

// hold holds the file for as long as d lives. Where that cannot be, such as on a read-only file system, a restore
// cannot be either.
func (d *DB) hold() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.held != nil || d.closed {
		return nil
	}
	held, err := HoldFile(d.config.Path, false)
	if errors.Is(err, ErrHeld) {
		return unavailable(Locked, nil, "a backup is being restored")
	}
	d.held = held
	return nil
}

// Staged is what the path of a database is followed by while a backup is about to take its place.
const Staged = ".restoring"

// errCutOff keeps a database from being made anew, empty, in the middle of a restore.
func errCutOff(path string) error {
	if _, err := os.Stat(resolved(path) + Staged); !errors.Is(err, fs.ErrNotExist) {
		return unavailable(Missing, err, "a restore was cut off: restart data-api, which finishes it")
	}
	return nil
}
