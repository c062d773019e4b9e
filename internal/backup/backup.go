// Package backup keeps copies of the files of data-api, and puts them back.
//
// A backup is one tar file, so that it is there whole or not at all, and can be moved as one. In it are the database
// files as SQLite wrote them, so that `tar xf` and sqlite3 can read it without data-api, and at the end manifest.json,
// which says what they are: a backup that is cut off has none. It holds secrets (those of webhooks, hashes of keys),
// so its owner alone may read it.
package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"dataapi/db"
	datasql "dataapi/sql"
)

// What is wrong with a backup, or in the way of one.
var (
	ErrBusy   = errors.New("a backup is being made already")
	ErrExists = errors.New("there is a file of this name already")
	ErrBroken = errors.New("the file is no whole backup")
)

// names are the files of a backup. What webhooks were sent is copied before the changes that it refers to.
var names = map[datasql.Kind]string{
	datasql.OfDeliveries: "webhooks.db", datasql.OfMetadata: "metadata.db", datasql.OfHistory: "history.db",
}

// Source is a database file, or what has it open. Copy makes a copy of it where nothing is yet; it fails with
// fs.ErrNotExist where there is no file, which is then no part of the backup.
type Source struct {
	Kind datasql.Kind
	Copy func(ctx context.Context, destination string) error
}

// Paths are where the database files are.
type Paths map[datasql.Kind]string

// inOrder are all kinds, in the order in which they are copied.
var inOrder = []datasql.Kind{datasql.OfDeliveries, datasql.OfMetadata, datasql.OfHistory}

// Sources copy the files at paths, which another process may have open, but not this one.
func (p Paths) Sources() (all []Source) {
	for _, kind := range inOrder {
		if path := p[kind]; path != db.Memory {
			all = append(all, Source{kind, func(ctx context.Context, to string) error { return db.CopyFile(ctx, path, to) }})
		}
	}
	return all
}

// Backup is a backup that was made.
type Backup struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	Bytes     int64     `json:"bytes"`
	Verified  bool      `json:"verified"` // whether it is what was verified when it was made
	Version   string    `json:"version"`  // of the data-api that made it
	Files     []File    `json:"files"`
}

// File is a database file in a backup.
type File struct {
	Name          string `json:"name"`
	SchemaVersion string `json:"schema_version"`
	Bytes         int64  `json:"bytes"`
	SHA256        string `json:"sha256"`
}

// Missing are the names of the files that are not in it, because they were not there.
func (b Backup) Missing() (missing []string) {
	for _, kind := range inOrder {
		if !slices.ContainsFunc(b.Files, func(f File) bool { return f.Name == names[kind] }) {
			missing = append(missing, names[kind])
		}
	}
	return missing
}

// Create copies the sources into a backup at path, verifies every copy and then what was written, and only then gives
// it its name. It never takes the place of another file, for which the error is ErrExists, unless force says so of a plain file.
func Create(ctx context.Context, sources []Source, path, version string, force bool) (b Backup, err error) {
	if there, err := os.Lstat(path); err == nil && !(force && there.Mode().IsRegular()) {
		return b, fmt.Errorf("%s: %w", path, ErrExists)
	}
	work, err := openWorkshop(filepath.Dir(path))
	if err != nil {
		return b, err
	}
	defer work.close()
	a, err := newArchive(work.file("backup.tar"), version)
	if err != nil {
		return b, err
	}
	defer a.close()
	for _, source := range sources {
		if err := work.add(ctx, a, source); err != nil {
			return b, &sourceError{names[source.Kind], err}
		}
	}
	if err := a.finish(); err != nil {
		return b, err
	}
	if b, err = read(ctx, a.path, compare); err != nil {
		return b, fmt.Errorf("what was written is not what was to be: %w", err)
	}
	b.Name = filepath.Base(path)
	return b, name(a.path, path, force)
}

// add copies a source, verifies the copy and puts it into the archive.
func (w *workshop) add(ctx context.Context, a *archive, source Source) error {
	copied := w.file(names[source.Kind])
	err := source.Copy(ctx, copied)
	if errors.Is(err, fs.ErrNotExist) && source.Kind != datasql.OfMetadata {
		return nil
	}
	if err != nil {
		return err
	}
	defer os.Remove(copied) // at once: there may be room for no more than two of the largest
	verified, err := db.Verify(ctx, copied)
	if err != nil {
		return fmt.Errorf("the copy is not whole: %w", err)
	}
	return a.add(ctx, copied, names[source.Kind], verified.Schema)
}

// name gives a file its name, whatever there is beside it, and makes sure that this is on the disk.
func name(written, path string, force bool) error {
	err := os.Link(written, path) // which never replaces anything
	if err != nil && !force {     // it is there, or the file system has no links
		if _, gone := os.Lstat(path); gone == nil {
			return fmt.Errorf("%s: %w", path, ErrExists)
		}
	}
	if err != nil {
		err = os.Rename(written, path)
	}
	if err != nil {
		return err
	}
	return flush(filepath.Dir(path))
}

// flush makes sure that the entries of a folder are on the disk. Not every file system has that.
func flush(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	f.Sync()
	return f.Close()
}
