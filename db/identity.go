package db

import (
	"os"
	"path/filepath"
	"time"
)

// identity tells a database file from another that stands in its place. The file is only looked at
// from outside: opening and closing it by any other way than SQLite's would drop SQLite's locks.
type identity struct {
	path string      // of the file itself, links followed: SQLite keeps the log beside it
	file os.FileInfo // nil in memory
	wal  os.FileInfo // nil where there is none
}

// identify looks at the file at path. The error says why it cannot be seen.
func identify(path string) (identity, error) {
	if path == Memory {
		return identity{}, nil
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return identity{}, err
	}
	file, err := os.Stat(path)
	if err != nil {
		return identity{}, err
	}
	wal, err := os.Stat(path + "-wal")
	if err != nil {
		wal = nil
	}
	return identity{path: path, file: file, wal: wal}, nil
}

// glance looks at the main file only. What cannot be seen is no file.
func glance(path string) identity {
	file, err := os.Stat(path)
	if err != nil {
		return identity{}
	}
	return identity{file: file}
}

// sameFile says whether both are one file, whatever was written to it.
func (i identity) sameFile(other identity) bool {
	return i.file == nil || other.file != nil && os.SameFile(i.file, other.file)
}

// sameContent says whether the main file was left alone between the two looks.
func (i identity) sameContent(other identity) bool { return sameBytes(i.file, other.file) }

// sameLog says whether the -wal was left alone between the two looks.
func (i identity) sameLog(other identity) bool { return sameBytes(i.wal, other.wal) }

// lostLog says whether the -wal was removed or replaced between the two looks.
func (i identity) lostLog(other identity) bool {
	return i.wal != nil && (other.wal == nil || !os.SameFile(i.wal, other.wal))
}

func sameBytes(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// setAsideLog renames the -wal of a file that was open and is no longer there, because SQLite would
// replay it into the file that took its place. What it held belongs to the old file. It says whether
// there was one.
func setAsideLog(old, now identity) (bool, error) {
	if old.wal == nil || now.wal == nil || !os.SameFile(old.wal, now.wal) {
		return false, nil
	}
	if err := os.Rename(now.path+"-wal", now.path+"-wal.replaced-"+time.Now().UTC().Format(stamp)); err != nil {
		return false, err
	}
	if err := os.Remove(now.path + "-shm"); err != nil && !os.IsNotExist(err) {
		return true, err
	}
	return true, nil
}

// stamp is how files that are kept are numbered: in the order of time.
const stamp = "20060102T150405.000"
