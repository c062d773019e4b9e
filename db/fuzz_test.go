package db

import (
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzURL throws URLs at what finds the file in them: it is the same file when it is asked for by its path, and the
// driver opens that one and no other, with the settings that are ours.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{"sqlite:data/metadata.db", "sqlite:///abs.db", "sqlite://abs.db", "sqlite:a%20b.db?mode=ro", "sqlite+aiosqlite:///./rel.db", "sqlite+aiosqlite:////abs%20.db", "sqlite::memory:",
		"sqlite:", "postgres://x", "sqlite:..", "sqlite:a/..", "sqlite:%2e%2e", "sqlite:a%00b", "sqlite:a%3Fmode=memory", "sqlite:a%23b", "sqlite:%zz", "sqlite:a;b&c", "sqlite:file:x", "sqlite3:x", "sqlite:a%2Fb", "sqlite:a\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := ParseURL(text)
		if err != nil || path == Memory {
			return
		}
		if strings.ContainsRune(path, 0) {
			t.Errorf("%q is %q, which no file can be called", text, path)
		}
		if again, err := ParseURL("sqlite:" + (&url.URL{Path: path}).EscapedPath()); !strings.HasPrefix(path, "//") && (err != nil || again != path) {
			t.Errorf("%q is %q, and that is %q, %v", text, path, again, err)
		}
		name := strings.TrimPrefix(DefaultConfig(path).writerDSN(), "file:")
		escaped, query, _ := strings.Cut(name, "?")
		if back, err := url.PathUnescape(escaped); err != nil || back != path || strings.Contains(escaped, "#") || !strings.Contains(query, "_txlock=immediate") {
			t.Errorf("%q is opened as %q", path, name)
		}
	})
}

// The driver makes the file that is asked for, whatever its name.
func TestFilesOfAnyName(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory", "a#b", "a%20b", "ü", "a&b;c", "file:x", `a"b'c`, "a\nb", ":memory:x"} {
		path := filepath.Join(t.TempDir(), name)
		d := opened(t, DefaultConfig(path))
		mustAddFloors(t, d, "a")
		want(t, "floors in "+name, floors(opened(t, DefaultConfig(path))), "a")
	}
}

// FuzzSearch looks for what people type, in a home in which a thing is called just so: it is found, first of all and
// among others; and nothing that is typed is an operator.
func FuzzSearch(f *testing.F) {
	for _, seed := range []string{"Fenêtre du salon", `a" OR b`, "NEAR(a b)", "a*", "-a", "names : x", "客厅灯", "ไฟห้องนอน", "İstanbul", "ß", "ﬁn", "a\x00b", "e\u0301", "\u0301", "１２", "½", "a_b.c", "กา", "x\u200by", "ǅ", "ſ", "K", "ᄀ", "각", "\U0001d400", "\xf0Ž"} {
		f.Add(seed)
	}
	d := inMemory(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := NewSearch(text)
		if !ok {
			return
		}
		err := d.Write(ctx, func(q *Queries) error {
			if _, err := q.db.ExecContext(ctx, "INSERT INTO areas (area_id, name) VALUES ('there', ?), ('other', 'zzz')", strings.ToValidUTF8(text, "\ufffd")); err != nil {
				return err
			}
			if err := q.index(ctx); err != nil {
				return err
			}
			var there int64
			if err := q.db.QueryRowContext(ctx, "SELECT t.id FROM search_text AS t JOIN areas AS a ON t.id = 1099511627776 + a.key WHERE a.area_id = 'there'").Scan(&there); err != nil {
				return err
			}
			found, err := q.ListFound(ctx, ListFoundParams{Match: s.Match(), Most: 5})
			if err != nil {
				return err
			}
			if !slices.Contains(found, there) {
				t.Errorf("%q is not found by %s: %v", text, s.Match(), found)
			}
			rows, err := q.FindAnywhere(ctx, FindAnywhereParams{Words: s.text(), Match: s.Match(), Found: "[]", Most: candidates, Lim: 5})
			if err == nil && (len(rows) == 0 || rows[0].ID != "there") && !strings.HasPrefix("zzz", s.text()) {
				t.Errorf("%q is not found by %s: %v", text, s.Match(), rows)
			}
			return errors.Join(err, errUndo)
		})
		var e interface{ Code() int } // SQLite's
		if !errors.Is(err, errUndo) || errors.As(err, &e) {
			t.Errorf("%q, looked for by %s: %v", text, s.Match(), err)
		}
	})
}

var errUndo = errors.New("undo")
