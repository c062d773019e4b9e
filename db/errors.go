package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	lib "modernc.org/sqlite/lib"
)

// What can be wrong with an answer of this package. Everything else is a bug.
var (
	// ErrNotFound says that no row has the id.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a constraint of the schema refused a write.
	ErrConflict = errors.New("refused by a constraint of the database")
	// ErrUnavailable says that the database cannot do it now, and that a later try may succeed.
	// errors.As gives the Unavailable that tells why.
	ErrUnavailable = errors.New("database unavailable")
	// ErrGone says that what follows a position in the change log cannot be told without a gap. errors.As
	// gives the Gone that tells why.
	ErrGone = errors.New("not in the change log")
)

// Reason names a cause of ErrUnavailable or of ErrGone, for people and programs.
type Reason string

// The causes that are told apart.
const (
	Opening  Reason = "opening"   // not opened yet
	Missing  Reason = "missing"   // the file, or its folder, is not there or may not be seen
	ReadOnly Reason = "read_only" // the file system or the file allows no writes
	Locked   Reason = "locked"    // another process holds the lock for longer than SQLITE_TIMEOUT
	DiskFull Reason = "disk_full" // no space left, or a quota reached
	Corrupt  Reason = "corrupt"   // not a database, or damaged pages
	Foreign  Reason = "foreign"   // a database, but not one of ours
	Newer    Reason = "newer"     // migrated by a newer data-api
	Failed   Reason = "failed"    // anything else, input and output errors among them
	Closed   Reason = "closed"    // shut down
)

// The causes of ErrGone.
const (
	Pruned   Reason = "pruned"    // it is older than what the log keeps
	OtherLog Reason = "other_log" // it is of another file's log, or of a copy that went another way
	Beyond   Reason = "beyond"    // it is newer than the newest change: the file was put back to an older state
)

// Gone is the ErrGone of one cause. Detail is a sentence for people.
type Gone struct {
	Reason Reason
	Detail string
}

func (g *Gone) Error() string { return g.Detail }

// Is makes errors.Is(err, ErrGone) hold.
func (g *Gone) Is(target error) bool { return target == ErrGone }

// Unavailable is the ErrUnavailable of one cause. Detail is a sentence for people, without SQL.
type Unavailable struct {
	Reason Reason
	Detail string
	Err    error // what the driver said, for the log; may be nil
}

func (u *Unavailable) Error() string {
	if u.Err == nil {
		return u.Detail
	}
	return u.Detail + ": " + u.Err.Error()
}

// Is makes errors.Is(err, ErrUnavailable) hold.
func (u *Unavailable) Is(target error) bool { return target == ErrUnavailable }

func (u *Unavailable) Unwrap() error { return u.Err }

func unavailable(r Reason, err error, detail string, args ...any) *Unavailable {
	return &Unavailable{Reason: r, Detail: fmt.Sprintf(detail, args...), Err: err}
}

// Classify turns what database/sql and the driver report into the errors of this package, by code and
// never by text. Errors that it does not know, those of a context among them, come back as they are.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	var u *Unavailable
	var s interface{ Code() int } // the driver's, or ours
	switch {
	case errors.As(err, &u), errors.Is(err, ErrConflict), errors.Is(err, ErrNotFound):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, sql.ErrConnDone), errors.Is(err, sql.ErrTxDone), errors.Is(err, driver.ErrBadConn):
		return unavailable(Failed, err, "the connection to the database was lost")
	case errors.As(err, &s):
		return classifyCode(s.Code(), err)
	}
	return err
}

// classifyCode maps SQLite's result codes (https://sqlite.org/rescode.html).
func classifyCode(code int, err error) error {
	switch code & 0xff {
	case lib.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", ErrConflict, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return unavailable(Locked, err, "the database is locked by another process")
	case lib.SQLITE_FULL:
		return unavailable(DiskFull, err, "the disk that holds the database is full")
	case lib.SQLITE_READONLY:
		return unavailable(ReadOnly, err, "the database can only be read")
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return unavailable(Corrupt, err, "the database file is damaged: "+putBack)
	case lib.SQLITE_ERROR:
		if strings.Contains(err.Error(), "no such table") { // all that are asked for were there: it was just overwritten
			return unavailable(Corrupt, err, "the database file is damaged: "+putBack)
		}
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return unavailable(Missing, err, "the database file cannot be opened")
	case lib.SQLITE_IOERR, lib.SQLITE_NOMEM, lib.SQLITE_PROTOCOL, lib.SQLITE_NOLFS:
		return unavailable(Failed, err, "the database file cannot be read or written")
	}
	return err
}

// reasonOf returns the cause of an ErrUnavailable, or "".
func reasonOf(err error) Reason {
	var u *Unavailable
	if errors.As(Classify(err), &u) {
		return u.Reason
	}
	return ""
}
