package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/amacneil/dbmate/v2/pkg/dbmate"

	datasql "dataapi/sql"
)

// migration is a dbmate file: its version is the digits before the first underscore of its name.
type migration struct {
	version string
	file    string
	text    *dbmate.Migration
}

// migrations returns the files that make a database of the kind, in their order.
func migrations(kind datasql.Kind) ([]migration, error) {
	files, folder := kind.Migrations()
	entries, err := files.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, e := range entries {
		version, _, _ := strings.Cut(e.Name(), "_")
		all = append(all, migration{version, e.Name(), &dbmate.Migration{FS: files, FilePath: path.Join(folder, e.Name())}})
	}
	return all, nil
}

// up is what it does. It is read as dbmate reads it; what dbmate does badly on SQLite (no transaction, more than one up
// block) is refused.
func (m migration) up() (string, error) {
	parsed, err := m.text.Parse()
	if err != nil {
		return "", err
	}
	if len(parsed) != 1 || !parsed[0].UpOptions.Transaction() {
		return "", errors.New("needs one up block, in a transaction")
	}
	return parsed[0].Up, nil
}

// schema is what a database file holds, seen from the migrations of this binary.
type schema struct {
	applied     []string    // versions, in order
	pending     []migration // what this binary would add
	empty       bool        // no tables at all, but perhaps dbmate's own
	predecessor bool        // the file of the service before this one
}

// inspect reads what the database holds. The error is ErrUnavailable with Newer where a version is
// applied that this binary does not have, and with Foreign where the tables are somebody else's.
func inspect(ctx context.Context, c *sql.Conn, kind datasql.Kind) (schema, error) {
	var s schema
	all, err := migrations(kind)
	if err != nil {
		return s, err
	}
	tables, err := column(ctx, c, datasql.Admin("list_tables"))
	if err != nil {
		return s, err
	}
	if slices.Contains(tables, versionsTable) {
		if s.applied, err = column(ctx, c, datasql.Admin("list_versions")); err != nil {
			return s, err
		}
	}
	for _, m := range all {
		if !slices.Contains(s.applied, m.version) {
			s.pending = append(s.pending, m)
		}
	}
	tables = slices.DeleteFunc(tables, func(name string) bool { return name == versionsTable })
	if len(s.pending) == len(all) { // nothing of ours
		return s, s.judgeOthers(ctx, c, kind, tables)
	}
	return s, s.judgeNewer(all)
}

const versionsTable = "schema_migrations" // as dbmate calls it, and others do too

// judgeOthers says what a file is that has none of our migrations.
func (s *schema) judgeOthers(ctx context.Context, c *sql.Conn, kind datasql.Kind, tables []string) error {
	s.empty = len(tables) == 0 && len(s.applied) == 0
	if s.empty {
		return nil
	}
	if kind == datasql.OfMetadata {
		if err := c.QueryRowContext(ctx, datasql.Admin("is_predecessor")).Scan(&s.predecessor); err != nil {
			return err
		}
	}
	switch {
	case len(s.applied) > 0:
		return unavailable(Foreign, nil, "the file is a SQLite database with other migrations than data-api's (%s, …): "+
			"it is of another program, or of a data-api from before its first release", s.applied[0])
	case !s.predecessor:
		return unavailable(Foreign, nil, "the file is a SQLite database with other tables than data-api's (%s, …)",
			append(tables, versionsTable)[0])
	}
	return nil
}

func (s *schema) judgeNewer(all []migration) error {
	for _, version := range s.applied {
		if !slices.ContainsFunc(all, func(m migration) bool { return m.version == version }) {
			return unavailable(Newer, nil, "the database was migrated to %s by a newer data-api: install that version or a later one", version)
		}
	}
	return nil
}

// migrate applies what is pending in one transaction, so that a file has either the old schema or the
// new one, and returns the file names of what it applied. A second process that does the same waits at
// BEGIN and then finds nothing to do. Foreign keys are off meanwhile, as they are under the dbmate
// command, and checked before the commit. before is called, if it is not nil, when nobody else can write
// and nothing has been changed.
func migrate(ctx context.Context, c *sql.Conn, kind datasql.Kind, before func(context.Context, schema) error) (applied []string, err error) {
	if _, err := c.ExecContext(ctx, "PRAGMA foreign_keys = OFF"); err != nil {
		return nil, err
	}
	defer c.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = ON")
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // after the commit it does nothing
	s, err := inspect(ctx, c, kind)
	if err != nil || len(s.pending) == 0 {
		return nil, err
	}
	if before != nil {
		if err := before(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := applyAll(ctx, tx, s); err != nil {
		return nil, err
	}
	for _, m := range s.pending {
		applied = append(applied, m.file)
	}
	return applied, tx.Commit()
}

func applyAll(ctx context.Context, tx *sql.Tx, s schema) error {
	if s.predecessor {
		if _, err := tx.ExecContext(ctx, datasql.Admin("predecessor_before")); err != nil {
			return fmt.Errorf("predecessor's tables: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, datasql.Admin("create_versions")); err != nil {
		return err
	}
	for _, m := range s.pending {
		if err := m.apply(ctx, tx); err != nil {
			return fmt.Errorf("%s: %w", m.file, err)
		}
	}
	if s.predecessor {
		if _, err := tx.ExecContext(ctx, datasql.Admin("predecessor_after")); err != nil {
			return fmt.Errorf("predecessor's rows: %w", err)
		}
	}
	var broken int
	if err := tx.QueryRowContext(ctx, datasql.Admin("foreign_key_violations")).Scan(&broken); err != nil {
		return err
	}
	if broken > 0 {
		return fmt.Errorf("%w: %d rows would refer to nothing", ErrConflict, broken)
	}
	return nil
}

func (m migration) apply(ctx context.Context, tx *sql.Tx) error {
	text, err := m.up()
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, datasql.Admin("record_version"), m.version)
	return err
}

// column returns the one text column of a query.
func column(ctx context.Context, c *sql.Conn, query string) ([]string, error) {
	rows, err := c.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}
