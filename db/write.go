package db

import (
	"context"
	"database/sql"
	"time"
)

// Write runs fn in one transaction on the writer and commits it. It is the only way to write: all that
// fn does is stored, or, when it returns an error or panics or ctx ends before the commit, nothing.
// When Write returns nil, readers see the change and it survives a kill of the process.
// fn must use the queries that it is given, and nothing else of the DB.
func (d *DB) Write(ctx context.Context, fn func(*Queries) error) error {
	err := Classify(d.write(ctx, fn))
	switch reasonOf(err) {
	case "":
		if err == nil {
			d.commits.Add(1)
			d.noteWriteFailure(nil)
		}
	case DiskFull, ReadOnly, Corrupt, Failed:
		if d.present.Load() != nil {
			d.noteWriteFailure(err)
		}
	}
	return err
}

func (d *DB) write(ctx context.Context, fn func(*Queries) error) error {
	start := time.Now()
	tx, err := d.writer.pool.BeginTx(ctx, nil)
	if err != nil {
		d.writer.observe(start, err)
		return err
	}
	defer tx.Rollback() // after the commit it does nothing
	err = fn(New(&transaction{tx: tx, pool: d.writer, statements: map[string]*sql.Stmt{}}))
	if err == nil {
		err = tx.Commit()
	}
	d.writer.observe(start, err)
	return err
}
