package db

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseURL(t *testing.T) {
	for url, path := range map[string]string{
		// as dbmate reads them
		"sqlite:data/metadata.db":                  "data/metadata.db",
		"sqlite:./x.db":                            "x.db",
		"sqlite:../x.db":                           "../x.db",
		"sqlite3:x.db":                             "x.db",
		"sqlite:/abs/x.db":                         "/abs/x.db",
		"sqlite:///abs/x.db":                       "/abs/x.db",
		"sqlite:////abs/x.db":                      "/abs/x.db",
		"sqlite://x.db":                            "/x.db",
		"sqlite://data/x.db":                       "/data/x.db",
		"sqlite:x.db?_journal_mode=WAL":            "x.db",
		"sqlite:my%20home.db":                      "my home.db",
		"sqlite:/a/what%3F%23%25.db":               "/a/what?#%.db",
		"sqlite:x#y.db":                            "x#y.db",
		"sqlite:100%.db":                           "100%.db",
		"sqlite:d%C3%A4t%C3%A4/gr\u00f6\u00dfe.db": "d\u00e4t\u00e4/gr\u00f6\u00dfe.db",
		"sqlite::memory:":                          Memory,
		// as SQLAlchemy reads them
		"sqlite+aiosqlite:///./data/metadata.db": "data/metadata.db",
		"sqlite+aiosqlite:///x.db":               "x.db",
		"sqlite+aiosqlite:////app/data/x.db":     "/app/data/x.db",
		"sqlite+pysqlite:///x.db?timeout=5":      "x.db",
		"sqlite+aiosqlite:///my%20home.db":       "my%20home.db",
	} {
		got, err := ParseURL(url)
		if err != nil || got != path {
			t.Errorf("ParseURL(%q) = %q, %v; want %q", url, got, err, path)
		}
	}
}

func TestParseURLRefusesWhatNamesNoFile(t *testing.T) {
	for _, url := range []string{
		"", "data/metadata.db", "/data/metadata.db", ":x.db", "sqlite", "sqlite:", "sqlite:?mode=ro", "sqlite://", "sqlite:/",
		"sqlite:///", "sqlite:data/", "sqlite:.", "sqlite:..", "sqlite:data/..", "postgres://host/db", "file:x.db",
		"sqlite+aiosqlite:", "sqlite+aiosqlite://", "sqlite+aiosqlite:///", "sqlite+aiosqlite:x.db", "sqlite+aiosqlite://x.db",
	} {
		if got, err := ParseURL(url); err == nil {
			t.Errorf("ParseURL(%q) = %q, want an error", url, got)
		}
	}
}

// oddNames are legal names of files that mean something else in a URL, a pattern or SQL.
var oddNames = []string{
	"with space.db", "per%20cent.db", "100%.db", "what?mode=ro.db", "hash#tag.db", "gr\u00f6\u00dfe \u00dc.db",
	"a&b=c;d+e.db", "[a-z]*.db", "[open.db", "quote'\".db", "file:x.db", "-x.db", "back\\slash.db",
}

func TestFilesOfAnyNameAreOpened(t *testing.T) {
	for _, name := range oddNames {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "f\u00f6lder ?#%", name)
			d := opened(t, DefaultConfig(path))
			mustAddFloors(t, d, "ground")
			want(t, "floors", floors(d), "ground")
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			want(t, "files", filesIn(t, path), name)
			want(t, "floors later", floors(opened(t, DefaultConfig(path))), "ground")
		})
	}
}

func TestRelativePathsAreOpened(t *testing.T) {
	t.Chdir(t.TempDir())
	mustAddFloors(t, opened(t, DefaultConfig("data/x.db")), "ground")
	if _, err := os.Stat("data/x.db"); err != nil {
		t.Error(err)
	}
}
