package db

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"time"
)

// Stats counts what went through a pool since the start.
type Stats struct {
	Queries int64
	Errors  int64
	Time    time.Duration // spent waiting for SQLite, until the first row
}

// prepared is the DBTX under the generated queries: a pool that prepares each SQL text once and then
// keeps it, and that counts.
type prepared struct {
	pool       *sql.DB
	statements sync.Map // SQL text -> *sql.Stmt

	queries, errors, nanoseconds atomic.Int64
}

func (p *prepared) stats() Stats {
	return Stats{Queries: p.queries.Load(), Errors: p.errors.Load(), Time: time.Duration(p.nanoseconds.Load())}
}

func (p *prepared) observe(start time.Time, err error) {
	p.queries.Add(1)
	p.nanoseconds.Add(int64(time.Since(start)))
	if err != nil {
		p.errors.Add(1)
	}
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
func (p *prepared) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	start := time.Now()
	s, err := p.statement(ctx, text)
	if err != nil {
		p.observe(start, err)
		return nil, err
	}
	result, err := s.ExecContext(ctx, args...)
	p.observe(start, err)
	return result, err
}

// QueryContext runs a query; it ends when ctx does.
func (p *prepared) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	start := time.Now()
	s, err := p.statement(ctx, text)
	if err != nil {
		p.observe(start, err)
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	p.observe(start, err)
	return rows, err
}

// QueryRowContext runs a query of one row. Such a query is short, so it is not made to end with ctx:
// watching a context costs a quarter of it.
func (p *prepared) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	start := time.Now()
	s, err := p.statement(ctx, text)
	if err != nil {
		p.observe(start, err)
		return p.pool.QueryRowContext(ctx, text, args...) // carries the error: a Row cannot be made here
	}
	row := s.QueryRowContext(ctx, args...)
	p.observe(start, row.Err())
	return row
}

// transaction is the DBTX of one transaction: the pool's statements, bound to it once each.
type transaction struct {
	tx         *sql.Tx
	pool       *prepared
	statements map[string]*sql.Stmt
}

func (t *transaction) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	if s, ok := t.statements[text]; ok {
		return s, nil
	}
	s, err := t.tx.PrepareContext(ctx, text)
	if err == nil {
		t.statements[text] = s
	}
	return s, err
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
	t.pool.queries.Add(1)
	return s.ExecContext(ctx, args...)
}

// QueryContext runs a query in the transaction.
func (t *transaction) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := t.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	t.pool.queries.Add(1)
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a query of one row in the transaction.
func (t *transaction) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	s, err := t.statement(ctx, text)
	if err != nil {
		return t.tx.QueryRowContext(ctx, text, args...)
	}
	t.pool.queries.Add(1)
	return s.QueryRowContext(ctx, args...)
}
