package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"dataapi/db"
	datasql "dataapi/sql"
)

// ErrServed says that a file that would be replaced is in use.
var ErrServed = errors.New("a process has the file open: stop data-api first, and whatever else reads it")

// Restored is a file that a restore put in place.
type Restored struct {
	Path   string
	Schema string // of what was restored, before it was brought up to date
	Aside  string // where the file is now that was there before; "" where there was none
}

// Restore puts the files of a backup in place of those at paths, or one file, where from is a database. Everything
// is copied and checked first; until then, and where anything is wrong, nothing is changed. Files that were there are
// kept beside. The error is ErrServed where a process has one of them open.
func Restore(ctx context.Context, paths Paths, from string) ([]Restored, error) {
	holds, err := paths.hold()
	if err != nil {
		return nil, err
	}
	defer release(holds)
	if _, err := paths.finish(); err != nil {
		return nil, err
	}
	r := restore{paths: paths}
	if err := r.stage(ctx, from); err != nil {
		for _, f := range r.files {
			db.RemoveStaged(f.Path)
		}
		return nil, err
	}
	return paths.commit(r.files)
}

// hold keeps all files from being opened.
func (p Paths) hold() (holds []*db.Hold, err error) {
	for _, kind := range inOrder {
		path := p[kind]
		if path == db.Memory {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return holds, err
		}
		h, err := db.HoldFile(path, true)
		if err != nil {
			release(holds)
			return nil, served(path, err)
		}
		holds = append(holds, h)
	}
	return holds, nil
}

func served(path string, err error) error {
	if errors.Is(err, db.ErrHeld) {
		err = ErrServed
	}
	return fmt.Errorf("%s: %w", path, err)
}

func release(holds []*db.Hold) {
	for _, h := range holds {
		h.Release()
	}
}

// restore is a restore that has not changed anything yet.
type restore struct {
	paths Paths
	files []Restored
}

// stage copies what is to be restored beside the files that it will replace, and checks it.
func (r *restore) stage(ctx context.Context, from string) error {
	kinds, err := r.copyFrom(ctx, from)
	if err != nil {
		return err
	}
	for i := range r.files {
		f := &r.files[i]
		staged := db.StagedPath(f.Path)
		v, err := db.Verify(ctx, staged)
		if err == nil && v.Kind != kinds[i] {
			err = errors.New("it is another kind of file than its name says")
		}
		if err == nil {
			err = db.Stage(ctx, staged, f.Path, v.Kind)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", from, names[kinds[i]], err)
		}
		f.Schema = v.Schema
		if database, err := isDatabase(f.Path); err != nil || !database {
			continue // nothing is there, or garbage, which SQLite is not to touch: it might remove what lies beside it
		}
		if err := db.Alone(ctx, f.Path); err != nil {
			return served(f.Path, err)
		}
	}
	return nil
}

func (r *restore) copyFrom(ctx context.Context, from string) (kinds []datasql.Kind, err error) {
	single, err := isDatabase(from)
	if err != nil {
		return nil, err
	}
	if single {
		return r.copyDatabase(ctx, from)
	}
	_, err = read(ctx, from, func(ctx context.Context, h *tar.Header, content io.Reader) (string, error) {
		kind, ok := kindOf(h.Name)
		if !ok || h.Typeflag != tar.TypeReg || slices.Contains(kinds, kind) {
			return "", fmt.Errorf("it holds %q, which no backup does", h.Name)
		}
		staged, err := r.begin(kind)
		if err != nil {
			return "", err
		}
		kinds = append(kinds, kind)
		return extract(ctx, staged, content)
	})
	return kinds, err
}

// begin notes that a file of the kind will be replaced, and says where the copy is to be.
func (r *restore) begin(kind datasql.Kind) (staged string, err error) {
	path := r.paths[kind]
	if path == db.Memory {
		return "", fmt.Errorf("%s would go into memory, where nothing is kept", names[kind])
	}
	if _, err := db.RemoveStaged(path); err != nil {
		return "", err
	}
	r.files = append(r.files, Restored{Path: path})
	return db.StagedPath(path), nil
}

// copyDatabase takes a database file by itself, such as a copy that was made before a migration.
func (r *restore) copyDatabase(ctx context.Context, from string) ([]datasql.Kind, error) {
	folder, err := os.MkdirTemp(filepath.Dir(r.paths[datasql.OfMetadata]), workshopPrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	copied := filepath.Join(folder, "copy.db")
	if err := db.CopyFile(ctx, from, copied); err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	v, err := db.Verify(ctx, copied)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	staged, err := r.begin(v.Kind)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(copied)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, err = extract(ctx, staged, f)
	return []datasql.Kind{v.Kind}, err
}

func extract(ctx context.Context, path string, content io.Reader) (sum string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	sum, err = take(ctx, f, content)
	return sum, errors.Join(err, f.Close())
}

// isDatabase says whether a file begins as those of SQLite do (https://sqlite.org/fileformat.html).
func isDatabase(path string) (bool, error) {
	f, err := openFile(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	magic := []byte("SQLite format 3\x00")
	begin := make([]byte, len(magic))
	if _, err := io.ReadFull(f, begin); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return bytes.Equal(begin, magic), nil
}

func kindOf(name string) (datasql.Kind, bool) {
	for kind, n := range names {
		if n == name {
			return kind, true
		}
	}
	return 0, false
}
