package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what went through a pool since the start.
type Stats struct {
	Queries int64
	Errors  int64
	Time    time.Duration // spent waiting for SQLite, until the first row
	Pool    sql.DBStats   // the connections
}

// prepared is the DBTX under the generated queries: a pool that prepares each SQL text once and then
// keeps it, and that counts.
type prepared struct {
	pool       *sql.DB
	statements sync.Map // SQL text -> *sql.Stmt

	queries, errors, nanoseconds atomic.Int64
}

func (p *prepared) stats() Stats {
	return Stats{Queries: p.queries.Load(), Errors: p.errors.Load(), Time: time.Duration(p.nanoseconds.Load()), Pool: p.pool.Stats()}
}

func (p *prepared) observe(start time.Time, err error) {
	p.queries.Add(1)
	p.nanoseconds.Add(int64(time.Since(start)))
	if err != nil {
		p.errors.Add(1)
	}
}

// run runs a query, and counts it.
func (p *prepared) run(query func() error) error {
	start := time.Now()
	err := patiently(query)
	p.observe(start, err)
	return err
}

// patiently tries again what got a connection to a file which is no longer the present one. Nothing has
// run then. database/sql tries three times by itself, which is too few under load.
func patiently(run func() error) error {
	err := run()
	for tries := 1; tries < 10 && errors.Is(err, driver.ErrBadConn); tries++ {
		err = run()
	}
	return err
}

func (p *prepared) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := p.statements.Load(text); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := p.pool.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	if other, loaded := p.statements.LoadOrStore(text, s); loaded {
		s.Close()
		return other.(*sql.Stmt), nil
	}
	return s, nil
}

// PrepareContext prepares a statement that the caller closes.
func (p *prepared) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return p.pool.PrepareContext(ctx, text)
}

// ExecContext runs a statement outside a transaction.
func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (result sql.Result, err error) {
	err = p.run(func() error {
		s, err := p.statement(ctx, text)
		if err == nil {
			result, err = s.ExecContext(ctx, args...)
		}
		return err
	})
	return result, err
}

// QueryContext runs a query; it ends when ctx does.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (rows *sql.Rows, err error) {
	err = p.run(func() error {
		s, err := p.statement(ctx, text)
		if err == nil {
			rows, err = s.QueryContext(ctx, args...)
		}
		return err
	})
	return rows, err
}

// QueryRowContext runs a query of one row. Such a query is short, so it is not made to end with ctx:
// watching a context costs a quarter of it.
func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) (row *sql.Row) {
	ctx = context.WithoutCancel(ctx)
	p.run(func() error {
		s, err := p.statement(ctx, text)
		if err == nil {
			row = s.QueryRowContext(ctx, args...)
			err = row.Err()
		}
		return err
	})
	if row == nil {
		row = p.pool.QueryRowContext(ctx, text, args...) // carries the error: a Row cannot be made here
	}
	return row
}

// one scans the row of a query of one row. Other than QueryRowContext it ends with ctx, also while it
// waits for a connection.
func (p *prepared) one(ctx context.Context, text string, dest ...any) error {
	rows, err := p.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), sql.ErrNoRows)
	}
	return rows.Scan(dest...)
}

// transaction is the DBTX of one transaction. It prepares each SQL text once.
type transaction struct {
	tx         *sql.Tx
	pool       *prepared
	statements map[string]*sql.Stmt
	broken     error           // after which SQLite may have ended the transaction by itself
	ctx        context.Context // after the end of which nothing more is done
	release    context.CancelFunc
}

// transact begins a transaction, for which it waits until ctx ends. Later that only ends the use of it: database/sql
// would roll back in another goroutine, and forget a statement that is being prepared at the moment. The connection of
// that would live on after it is closed.
func transact(ctx context.Context, pool *prepared, begin func(context.Context) (*sql.Tx, error)) (*transaction, error) {
	own, release := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, release)
	tx, err := begin(own)
	if !stop() && err == nil {
		tx.Rollback()
		err = ctx.Err()
	}
	if err != nil {
		release()
		return nil, cmp.Or(ctx.Err(), err)
	}
	return &transaction{tx: tx, pool: pool, statements: map[string]*sql.Stmt{}, ctx: ctx, release: release}, nil
}

// end rolls back what is not committed.
func (t *transaction) end() {
	t.tx.Rollback()
	t.release()
}

func (t *transaction) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if t.broken != nil {
		return nil, t.broken
	}
	if t.broken = t.ctx.Err(); t.broken != nil {
		return nil, t.broken
	}
	if s, ok := t.statements[text]; ok {
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, text)
	if err != nil {
		t.observe(err)
		return nil, err
	}
	t.statements[text] = s
	return s, nil
}

// observe notes errors that are no matter of the one statement, such as a full disk or an interrupt:
// whoever goes on after one would write outside the transaction.
func (t *transaction) observe(err error) {
	t.pool.queries.Add(1)
	if reasonOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		t.broken = err
	}
}

// PrepareContext prepares a statement that ends with the transaction.
func (t *transaction) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(ctx, text)
}

// ExecContext runs a statement in the transaction.
func (t *transaction) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	s, err := t.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args...)
	t.observe(err)
	return result, err
}

// QueryContext runs a query in the transaction.
func (t *transaction) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := t.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	t.observe(err)
	return rows, err
}

// QueryRowContext runs a query of one row in the transaction.
func (t *transaction) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	s, err := t.statement(ctx, text)
	if err != nil {
		ended, end := context.WithCancel(ctx)
		end()
		return t.tx.QueryRowContext(ended, text, args...) // a Row with an error: it runs nothing
	}
	row := s.QueryRowContext(ctx, args...)
	t.observe(row.Err())
	return row
}
