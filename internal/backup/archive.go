package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// archive is a backup that is being written.
type archive struct {
	path string
	file *os.File
	tar  *tar.Writer
	manifest
}

// manifest is what a backup says of itself.
type manifest struct {
	Format    int       `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	Version   string    `json:"version"`
	Files     []File    `json:"files"`
}

const (
	format       = 1
	manifestName = "manifest.json"
)

func newArchive(path, version string) (*archive, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	m := manifest{Format: format, CreatedAt: time.Now().UTC().Truncate(time.Millisecond), Version: version, Files: []File{}}
	return &archive{path: path, file: f, tar: tar.NewWriter(f), manifest: m}, nil
}

func (a *archive) close() { a.file.Close() }

// add appends a file.
func (a *archive) add(ctx context.Context, path, name, schema string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := a.tar.WriteHeader(a.header(name, info.Size())); err != nil {
		return err
	}
	sum := sha256.New()
	if _, err := io.Copy(a.tar, io.TeeReader(stoppable{ctx, f}, sum)); err != nil {
		return err
	}
	a.Files = append(a.Files, File{name, schema, info.Size(), hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (a *archive) header(name string, size int64) *tar.Header {
	return &tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: a.CreatedAt.Truncate(time.Second)}
}

// finish writes the manifest, and makes sure that everything is on the disk.
func (a *archive) finish() error {
	text, err := json.MarshalIndent(a.manifest, "", "  ")
	if err != nil {
		return err
	}
	if err := a.tar.WriteHeader(a.header(manifestName, int64(len(text)))); err != nil {
		return err
	}
	_, err = a.tar.Write(text)
	return errors.Join(err, a.tar.Close(), a.file.Sync(), a.file.Close())
}

// member takes a file of a backup, all of which can be read from r, and returns the sum of what was read, or "" where
// it did not look.
type member func(ctx context.Context, h *tar.Header, r io.Reader) (sum string, err error)

// compare reads everything.
func compare(ctx context.Context, _ *tar.Header, r io.Reader) (string, error) {
	return take(ctx, io.Discard, r)
}

// glance reads as little as tells that nothing is missing.
func glance(context.Context, *tar.Header, io.Reader) (string, error) { return "", nil }

func take(ctx context.Context, to io.Writer, from io.Reader) (string, error) {
	sum := sha256.New()
	_, err := io.Copy(io.MultiWriter(to, sum), stoppable{ctx, from})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// read reads a backup, whose files it hands to each. The error is ErrBroken where it is not whole, or no backup.
func read(ctx context.Context, path string, each member) (b Backup, err error) {
	f, err := openFile(path)
	if err != nil {
		return b, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return b, err
	}
	found := map[string]File{}
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if err != nil {
			return b, broken(ctx, path, err)
		}
		if h.Name == manifestName {
			m, err := readManifest(r, found)
			if err != nil {
				return b, broken(ctx, path, err)
			}
			return Backup{info.Name(), m.CreatedAt, info.Size(), true, m.Version, m.Files}, nil
		}
		sum, err := each(ctx, h, r)
		if err != nil {
			return b, broken(ctx, path, err)
		}
		found[h.Name] = File{Name: h.Name, Bytes: h.Size, SHA256: sum}
	}
}

// openFile opens a file for reading. What is none, such as a pipe, might keep who opens it waiting for ever.
func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w: it is no file", path, ErrBroken)
	}
	return os.Open(path)
}

// readManifest reads the manifest, which has to tell of just what was found before it.
func readManifest(r io.Reader, found map[string]File) (m manifest, err error) {
	if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(&m); err != nil {
		return m, err
	}
	if m.Format != format {
		return m, fmt.Errorf("it is of format %d, which a newer data-api wrote: this one knows format %d", m.Format, format)
	}
	if len(m.Files) != len(found) {
		return m, errors.New("it does not hold the files that it says it does")
	}
	for _, want := range m.Files {
		got, ok := found[want.Name]
		if !ok || got.Bytes != want.Bytes || got.SHA256 != "" && got.SHA256 != want.SHA256 {
			return m, fmt.Errorf("%s in it is not what was put there", want.Name)
		}
		delete(found, want.Name) // one that is named twice would stand for one that is not named
	}
	return m, nil
}

// broken says that a file is no whole backup, unless it is the caller who gave up, or the disk.
func broken(ctx context.Context, path string, err error) error {
	var disk *os.PathError
	if ctx.Err() != nil || errors.As(err, &disk) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it is cut off")
	}
	return fmt.Errorf("%s: %w: %w", path, ErrBroken, err)
}

// stoppable is a reader that fails when its context ends.
type stoppable struct {
	ctx context.Context
	io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(p)
}
