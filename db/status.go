package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"time"
)

// Integrity is the result of SQLite's check of all pages. The zero value says that none was made yet.
type Integrity struct {
	CheckedAt time.Time
	Problem   string // "" where the check found nothing
}

// Status is the truth about the database at one moment.
type Status struct {
	Reason      Reason // why it does not serve all requests; "" where it does
	Detail      string // a sentence to Reason
	Readable    bool   // whether reads succeed
	Writable    bool   // whether writes should
	Path        string
	JournalMode string // "wal", "memory", …; "" where it cannot be read
	Schema      string // newest migration; "" where it cannot be read
	Size        int64  // bytes of the main file
	LogSize     int64  // bytes of the -wal
	Integrity   Integrity
	Reads       Stats
	Writes      Stats
}

// Status reads real tables and the newest migration, and tells what it saw and what the watch knows.
func (d *DB) Status(ctx context.Context) Status {
	s := Status{Path: d.config.Path, Reads: d.reader.stats(), Writes: d.writer.stats()}
	if id, err := identify(d.config.Path); err == nil && id.file != nil {
		s.Size = id.file.Size()
		s.LogSize = sizeOf(id.wal)
	}
	d.mu.Lock()
	s.Integrity = d.integrity
	writeFailure := d.lastWrite
	d.mu.Unlock()

	var one, other int
	err := d.reader.one(ctx, d.config.Kind.Probe(), &s.Schema, &one, &other)
	if err == nil {
		err = d.reader.one(ctx, "PRAGMA journal_mode", &s.JournalMode)
	}
	if err != nil {
		s.Reason, s.Detail = describe(err)
		return s
	}
	s.Readable = true
	t := d.present.Load()
	switch {
	case t == nil || t.readOnly:
		s.Reason, s.Detail = ReadOnly, "the database is on a read-only file system: reads only"
	case s.Integrity.Problem != "":
		s.Reason, s.Detail, s.Writable = Corrupt, "pages of the database file are damaged: "+putBack, true
	case writeFailure != nil:
		s.Reason, s.Detail = describe(writeFailure)
	default:
		s.Writable = true
	}
	return s
}

// putBack is what to do about a file that is damaged, which is never moved or replaced but by a restore.
const putBack = "stop data-api, run data-api restore with a backup, which keeps the damaged file aside, and start it again"

func sizeOf(file os.FileInfo) int64 {
	if file == nil {
		return 0
	}
	return file.Size()
}

func describe(err error) (Reason, string) {
	var u *Unavailable
	if errors.As(Classify(err), &u) {
		return u.Reason, u.Detail
	}
	return Failed, "the database cannot be read"
}

func (d *DB) noteWriteFailure(err error) {
	d.mu.Lock()
	d.lastWrite = err
	d.mu.Unlock()
}

// probe reads the newest migration and rows of the large tables by a connection with nothing cached, which it returns.
func probe(ctx context.Context, t *target) (*conn, error) {
	c, err := t.connect(t.reader)
	if err != nil {
		return nil, err
	}
	rows, err := c.QueryContext(ctx, t.kind.Probe(), nil)
	if err == nil {
		err = errors.Join(rows.Next(make([]driver.Value, len(rows.Columns()))), rows.Close())
	}
	if err != nil {
		c.Close()
		return nil, Classify(err)
	}
	return c, nil
}
