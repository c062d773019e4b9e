package db

import (
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	datasql "dataapi/sql"
)

// Config says which file holds a database and how it is opened.
type Config struct {
	Path        string        // of the file, or Memory
	Timeout     time.Duration // how long a writer waits for another process's lock
	CacheSize   int64         // page cache of the process, as PRAGMA cache_size takes it: pages, or KiB if negative
	Synchronous string        // OFF, NORMAL, FULL or EXTRA
	Kind        datasql.Kind  // what the file holds
	KeepLog     time.Duration // how long commits may stay in the log before they are moved into the file
}

// Memory is the path of a database that lives and dies with the DB, for tests.
const Memory = ":memory:"

// DefaultConfig returns the settings that are meant for a home, for the file at path.
func DefaultConfig(path string) Config {
	return Config{Path: path, Timeout: 30 * time.Second, CacheSize: -64000, Synchronous: "NORMAL"}
}

// ParseURL returns the path in a DATABASE_URL. It takes dbmate's forms as dbmate reads them
// (sqlite:rel.db, sqlite:/abs.db, sqlite:///abs.db, sqlite://abs-too.db, with %20 for a space; what follows
// a ? is for dbmate and left out) and SQLAlchemy's, which the service before this one used
// (sqlite+aiosqlite:///rel.db, sqlite+aiosqlite:////abs.db, in which % is a character like others).
func ParseURL(databaseURL string) (string, error) {
	scheme, rest, _ := strings.Cut(databaseURL, ":")
	rest, _, _ = strings.Cut(rest, "?")
	path := ""
	switch {
	case scheme == "sqlite" || scheme == "sqlite3":
		path = rest
		if after, absolute := strings.CutPrefix(rest, "//"); absolute {
			path = "/" + strings.TrimLeft(after, "/")
		}
		if unescaped, err := url.PathUnescape(path); err == nil {
			path = unescaped
		}
	case strings.HasPrefix(scheme, "sqlite+"):
		path, _ = strings.CutPrefix(rest, "///")
		if path == rest {
			path = ""
		}
	}
	if path == Memory {
		return Memory, nil
	}
	if name := filepath.Base(path); path == "" || strings.HasSuffix(path, "/") || name == "." || name == ".." || strings.ContainsRune(path, 0) {
		return "", fmt.Errorf("%q is not the URL of a SQLite file, such as sqlite:data/metadata.db", databaseURL)
	}
	return filepath.Clean(path), nil
}

// readers is the size of the read pool: more connections than cores gain nothing.
func readers() int { return min(4, max(2, runtime.GOMAXPROCS(0))) }

// A reader waits for a lock only while another process holds the whole file, so it waits less long.
const readerTimeout = 5 * time.Second

// dsn returns the driver's name of the database; pragmas ride in it, so that each connection has them.
func (c Config) dsn(timeout time.Duration, query ...string) string {
	share := c.CacheSize / int64(readers()+1)
	return c.smallDSN(timeout, append(query, "_pragma=cache_size("+strconv.FormatInt(share, 10)+")", "_pragma=temp_store(MEMORY)")...)
}

// smallDSN does without the size of the cache, for which SQLite reads the schema, and then keeps it.
func (c Config) smallDSN(timeout time.Duration, query ...string) string {
	values := append(query, "_dqs=0", "_pragma=busy_timeout("+strconv.FormatInt(timeout.Milliseconds(), 10)+")")
	if c.Path == Memory {
		return "file::memory:?" + strings.Join(values, "&")
	}
	return "file:" + (&url.URL{Path: c.Path}).EscapedPath() + "?" + strings.Join(values, "&")
}

// writerDSN opens the file for writing. Commits leave the main file alone: only the watch moves the log
// into it, so that any other change of the file is seen to be somebody else's.
func (c Config) writerDSN() string {
	query := []string{"_txlock=immediate", "_pragma=foreign_keys(1)"}
	if c.Path != Memory {
		query = append(query, "_pragma=journal_mode(WAL)", "_pragma=synchronous("+c.Synchronous+")", "_pragma=wal_autocheckpoint(0)")
	}
	return c.dsn(c.Timeout, query...)
}

// openingDSN opens the file as it is: the journal mode would be written into it, whosever it is.
func (c Config) openingDSN(timeout time.Duration) string {
	return c.dsn(timeout, "_txlock=immediate", "_pragma=foreign_keys(1)")
}

// readerDSN opens the file for reading only. immutable is for a file that nobody can write: SQLite then
// needs no -shm beside it, and looks for no changes.
func (c Config) readerDSN(immutable bool) string {
	return c.dsn(min(c.Timeout, readerTimeout), readOnly(immutable)...)
}

// counterDSN opens the file to count commits, for which no schema is needed. It waits for no lock: who asks can do
// without.
func (c Config) counterDSN(immutable bool) string {
	return c.smallDSN(0, readOnly(immutable)...)
}

func readOnly(immutable bool) []string {
	query := []string{"mode=ro", "_pragma=query_only(1)"}
	if immutable {
		query = append(query, "immutable=1")
	}
	return query
}
