package db

import (
	"os"
	"time"
)

// identity tells a database file from another that stands in its place. The file is only looked at
// from outside: opening and closing it by any other way than SQLite's would drop SQLite's locks.
type identity struct {
	file os.FileInfo // nil in memory
	wal  os.FileInfo // nil where there is none
}

// identify looks at the file at path. The error says why it cannot be seen.
func identify(path string) (identity, error) {
	if path == Memory {
		return identity{}, nil
	}
	file, err := os.Stat(path)
	if err != nil {
		return identity{}, err
	}
	wal, err := os.Stat(path + "-wal")
	if err != nil {
		wal = nil
	}
	return identity{file: file, wal: wal}, nil
}

// sameFile says whether both are one file, whatever was written to it.
func (i identity) sameFile(other identity) bool {
	return i.file == nil || os.SameFile(i.file, other.file)
}

// sameContent says whether the main file was left alone between the two looks.
func (i identity) sameContent(other identity) bool {
	return i.file == nil || i.file.Size() == other.file.Size() && i.file.ModTime().Equal(other.file.ModTime())
}

// setAsideLog renames a -wal that belonged to a file which is no longer there, because SQLite would
// replay it into the file that took its place. What it held belongs to the old file.
// If the file is still the same one, the log is its own and stays.
func setAsideLog(path string, old identity) (bool, error) {
	now, err := identify(path)
	if err != nil || old.sameFile(now) || old.wal == nil || now.wal == nil || !os.SameFile(old.wal, now.wal) {
		return false, nil
	}
	if err := os.Rename(path+"-wal", path+"-wal.replaced-"+time.Now().UTC().Format(stamp)); err != nil {
		return false, err
	}
	if err := os.Remove(path + "-shm"); err != nil && !os.IsNotExist(err) {
		return true, err
	}
	return true, nil
}

// stamp is how files that are kept are numbered: in the order of time.
const stamp = "20060102T150405.000"
