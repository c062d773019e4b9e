package db

import (
	"context"
	"database/sql"
	"time"
)

// Read runs fn on one state of the database: of what is written meanwhile it sees nothing. fn must use the
// queries that it is given, and nothing else of the DB.
func (d *DB) Read(ctx context.Context, fn func(*Queries) error) error {
	return d.readBy(ctx, d.reader.pool, fn)
}

// beginner is a pool, or one connection of a pool.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

func (d *DB) readBy(ctx context.Context, by beginner, fn func(*Queries) error) error {
	start := time.Now()
	t, err := transact(ctx, d.reader, func(ctx context.Context) (tx *sql.Tx, err error) {
		err = patiently(func() (err error) {
			tx, err = by.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
			return err
		})
		return tx, err
	})
	if err != nil {
		d.reader.observe(start, err)
		return Classify(err)
	}
	defer t.end()
	return Classify(fn(New(t)))
}
