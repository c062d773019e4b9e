// Package deliveries is the file that holds what webhooks were sent and how far each has come: the queries
// that sqlc makes of sql/deliveries, on a database that is opened, migrated, watched and written as the
// metadata is (package db).
package deliveries

import (
	"context"
	"log/slog"

	"dataapi/db"
	datasql "dataapi/sql"
)

// DB is the file of deliveries. What db.DB promises of the metadata holds here too.
type DB struct {
	*Queries
	*file
}

// file is the machinery without the queries of the metadata.
type file struct{ db *db.DB }

// Prepare returns a DB that is not open yet: Open opens it once, Run opens it and keeps it open.
func Prepare(config db.Config, log *slog.Logger) *DB {
	config.Kind = datasql.OfDeliveries
	d := db.Prepare(config, log)
	return &DB{Queries: New(d.Reader()), file: &file{d}}
}

// Write runs fn in one transaction and commits it, as db.DB.Write does.
func (f *file) Write(ctx context.Context, fn func(*Queries) error) error {
	return f.db.Transact(ctx, func(tx db.DBTX) error { return fn(New(tx)) })
}

// WriteRow is Write for a few rows: where many write at a time, they share a commit, as with db.DB.WriteRow.
func (f *file) WriteRow(ctx context.Context, fn func(*Queries) error) error {
	return f.db.TransactRow(ctx, func(tx db.DBTX) error { return fn(New(tx)) })
}

// Open opens the file once.
func (f *file) Open(ctx context.Context) error { return f.db.Open(ctx) }

// Run opens the file and keeps it open until ctx ends.
func (f *file) Run(ctx context.Context) error { return f.db.Run(ctx) }

// Close ends all connections for good.
func (f *file) Close() error { return f.db.Close() }

// Status is the truth about the file.
func (f *file) Status(ctx context.Context) db.Status { return f.db.Status(ctx) }

// Generation is another value whenever another file was opened, or the same one anew: what was remembered
// of the one before may be wrong.
func (f *file) Generation() any { return f.db.Generation() }

// CopyTo makes a copy of the file, as it is now, where nothing may be yet.
func (f *file) CopyTo(ctx context.Context, destination string) error {
	return f.db.CopyTo(ctx, destination)
}
