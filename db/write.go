package db

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// Write runs fn in one transaction on the writer and commits it. It and WriteRow are the only ways to write: all that
// fn does is stored, or, when it returns an error or panics or ctx ends before the commit, nothing.
// When Write returns nil, readers see the change and it survives a kill of the process.
// fn must use the queries that it is given, and nothing else of the DB.
func (d *DB) Write(ctx context.Context, fn func(*Queries) error) error {
	return d.Transact(ctx, indexed(ctx, fn))
}

// WriteRow is Write for a change of one row, or a few: where many write at a time, they share a commit. fn
// may be run twice, and when ctx ends while the commit is under way, it may be stored all the same.
func (d *DB) WriteRow(ctx context.Context, fn func(*Queries) error) error {
	return d.TransactRow(ctx, indexed(ctx, fn))
}

func indexed(ctx context.Context, fn func(*Queries) error) func(DBTX) error {
	return func(tx DBTX) error {
		q := New(tx)
		if err := fn(q); err != nil {
			return err
		}
		return q.index(ctx)
	}
}

// Transact is Write for a file of another kind, which has queries of its own.
func (d *DB) Transact(ctx context.Context, fn func(DBTX) error) error {
	t := d.present.Load()
	return d.settle(t, d.write(ctx, fn))
}

// TransactRow is WriteRow for a file of another kind.
func (d *DB) TransactRow(ctx context.Context, fn func(DBTX) error) error {
	t := d.present.Load()
	return d.settle(t, d.share(ctx, fn))
}

// settle says what came of a write that began when t was the present target.
func (d *DB) settle(t *target, err error) error {
	err = Classify(err)
	if err == nil && t != nil && t.displaced() {
		err = unavailable(Missing, nil, "the database file was moved or replaced during the write")
	}
	d.feed.committed() // or not: the feed sees that by itself
	switch reasonOf(err) {
	case "":
		if err == nil {
			d.noteWriteFailure(nil)
		}
	case DiskFull, ReadOnly, Corrupt, Failed:
		if d.present.Load() != nil {
			d.noteWriteFailure(err)
		}
	}
	return err
}

func (d *DB) write(ctx context.Context, fn func(DBTX) error) error {
	start := time.Now()
	t, err := transact(ctx, d.writer, d.begin)
	if err != nil {
		d.writer.observe(start, err)
		return err
	}
	defer t.end()
	err = fn(t)
	if err == nil {
		err = t.broken
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = t.tx.Commit()
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // which ended the transaction, whatever it looked like to who was in the middle of it
	}
	d.writer.observe(start, err)
	return err
}

// begin begins a transaction. While one file follows another it waits.
func (d *DB) begin(ctx context.Context) (*sql.Tx, error) {
	for end := time.Now().Add(reopenWait); ; time.Sleep(time.Millisecond) {
		tx, err := d.beginNow(ctx)
		if err != errReopening || ctx.Err() != nil || time.Now().After(end) {
			return tx, err
		}
	}
}

// beginNow is begin without waiting. Where the file or its log was changed from outside, there is nothing to begin
// until the watch, if there is one, has seen it: what the connection remembers of the file must not be written over
// what is there now.
func (d *DB) beginNow(ctx context.Context) (tx *sql.Tx, err error) {
	err = patiently(func() (err error) {
		tx, err = d.writer.pool.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	if t := d.present.Load(); t == nil || t.displaced() || t.lostLog() || d.watched.Load() && t.changed() {
		tx.Rollback()
		return nil, errReopening
	}
	return tx, nil
}

// tryWriting commits a change that changes nothing.
func (d *DB) tryWriting(ctx context.Context) error {
	tx, err := d.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "PRAGMA user_version = "+strconv.Itoa(version)); err != nil {
		return err
	}
	return tx.Commit()
}
