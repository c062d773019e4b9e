package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// tarOf is a backup of one file, whose manifest is as given, or right where that is nil.
func tarOf(t testing.TB, content, manifestText []byte) []byte {
	t.Helper()
	if manifestText == nil {
		sum := sha256.Sum256(content)
		m := manifest{Format: format, CreatedAt: time.Unix(0, 0).UTC(), Files: []File{
			{Name: "metadata.db", Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])},
		}}
		var err error
		if manifestText, err = json.Marshal(m); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, member := range []struct {
		name string
		text []byte
	}{{"metadata.db", content}, {manifestName, manifestText}} {
		err := w.WriteHeader(&tar.Header{Name: member.name, Mode: 0o600, Size: int64(len(member.text)), Format: tar.FormatPAX})
		if _, more := w.Write(member.text); errors.Join(err, more) != nil {
			t.Fatal(err, more)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A manifest names each file once: else one would be put back of which nothing is said.
func TestManifestNamesEachFile(t *testing.T) {
	found := map[string]File{"a": {Name: "a"}, "b": {Name: "b"}}
	text := `{"format":1,"files":[{"name":"a"},{"name":"a"}]}`
	if m, err := readManifest(bytes.NewBufferString(text), found); err == nil {
		t.Errorf("taken: %+v", m)
	}
}

// Whatever a file holds: it is a backup whose files are what it says that they are, or it is refused as none.
func FuzzBackup(f *testing.F) {
	f.Add(tarOf(f, []byte("content"), nil), true)
	f.Add(tarOf(f, nil, nil), true)
	f.Add([]byte("content"), false)
	for _, text := range []string{"", "{}", "null", `{"format":1,"files":[{}]}`, `{"format":1,"files":null}`, `{"format":2}`, `{"format":1,"files":[{"name":"metadata.db","bytes":-1}]}`,
		`{"format":1,"files":[{"name":"metadata.db","bytes":7,"sha256":"00"}]}`} {
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		if !whole {
			data = tarOf(t, []byte("content"), data) // as its manifest
		}
		path := filepath.Join(t.TempDir(), "backup.tar")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		sums := map[string]string{}
		b, err := read(context.Background(), path, func(ctx context.Context, h *tar.Header, r io.Reader) (string, error) {
			sum, err := compare(ctx, h, r)
			sums[h.Name] = sum
			return sum, err
		})
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatalf("not refused as none: %v", err)
			}
			return
		}
		if len(b.Files) != len(sums) {
			t.Fatalf("it says %d files, and holds %d", len(b.Files), len(sums))
		}
		for _, file := range b.Files {
			if sums[file.Name] != file.SHA256 {
				t.Errorf("%s has %s, and says %s", file.Name, sums[file.Name], file.SHA256)
			}
		}
	})
}
