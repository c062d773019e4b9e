package db

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"
)

// mostShared is how many writers share a commit at most, so that the first of them is not kept waiting.
const mostShared = 256

// errAlone says that the shared transaction is gone, and that who took part in it writes alone.
var errAlone = errors.New("the shared transaction is gone")

// sharing lets writers of a few rows share a commit, as its price is that of the disk, not that of the
// rows. They take turns in one transaction, each in its own goroutine and savepoint. The last of those who
// wait commits for all.
type sharing struct {
	mu      sync.Mutex
	busy    bool            // somebody has the turn
	waiting []chan struct{} // for their turn, in order
	round   *round          // the open transaction, for who has the turn; nil if there is none
}

// round is one shared transaction.
type round struct {
	tx      *transaction
	members int
	done    chan struct{} // closed when it is over
	failed  bool          // nothing of it is stored; to be read when it is over
}

// share runs fn in a transaction that others may share, and returns when that is committed. When ctx ends
// meanwhile it returns at once, and whether fn is stored is then open.
func (d *DB) share(ctx context.Context, fn func(DBTX) error) error {
	start := time.Now()
	err := d.sharing.enter(ctx)
	if err == nil {
		err = d.inTurn(ctx, fn)
	}
	if err == errAlone {
		return d.write(ctx, fn)
	}
	d.writer.observe(start, err)
	return err
}

func (d *DB) inTurn(ctx context.Context, fn func(DBTX) error) error {
	r, err := d.takePart(ctx, fn)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.failed {
		return errAlone
	}
	return nil
}

func (d *DB) takePart(ctx context.Context, fn func(DBTX) error) (r *round, err error) {
	s := &d.sharing
	defer s.pass() // also where fn panics, which is no matter of the others
	if s.round == nil {
		if s.round, err = d.newRound(ctx); err != nil {
			return nil, err
		}
	}
	r = s.round
	return r, r.run(ctx, fn)
}

// newRound begins a transaction. It stops waiting for that when ctx ends, which ends nothing later.
func (d *DB) newRound(ctx context.Context) (*round, error) {
	t, err := transact(ctx, d.writer, d.begin)
	if err != nil {
		return nil, err
	}
	t.ctx = context.WithoutCancel(ctx)
	return &round{tx: t, done: make(chan struct{})}, nil
}

// run runs fn in a savepoint: an error, a panic or the end of ctx undoes what fn did, and no more.
func (r *round) run(ctx context.Context, fn func(DBTX) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.members++
	keep := false
	r.control("SAVEPOINT writer")
	defer func() {
		if !keep {
			r.control("ROLLBACK TO writer")
		}
		r.control("RELEASE writer")
		if r.tx.broken != nil {
			err = errAlone
		}
	}()
	if err = fn(undisturbed{r.tx}); err == nil {
		err = ctx.Err()
	}
	keep = err == nil
	return err
}

// control runs a statement without which the transaction is of no use any more.
func (r *round) control(text string) {
	if _, err := r.tx.ExecContext(context.Background(), text); err != nil && r.tx.broken == nil {
		r.tx.broken = err
	}
}

func (r *round) end() {
	err := r.tx.broken
	if err == nil {
		err = r.tx.tx.Commit()
	}
	r.tx.end()
	r.failed = err != nil
	close(r.done)
}

// enter waits for the turn, or for ctx to end.
func (s *sharing) enter(ctx context.Context) error {
	s.mu.Lock()
	if !s.busy {
		s.busy = true
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.waiting, turn)
	if i < 0 {
		return nil // it came meanwhile, and must be passed on
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return ctx.Err()
}

// pass gives the turn to the next, with the transaction as it is, or ends that first. An open transaction
// always belongs to somebody who has the turn.
func (s *sharing) pass() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.round; r != nil && (len(s.waiting) == 0 || r.members >= mostShared || r.tx.broken != nil) {
		s.mu.Unlock()
		r.end()
		s.mu.Lock()
		s.round = nil
	}
	if len(s.waiting) == 0 {
		s.busy = false
		return
	}
	close(s.waiting[0])
	s.waiting = s.waiting[1:]
}

// undisturbed is a transaction whose statements run to their end: one that is interrupted would take back
// what others did.
type undisturbed struct{ *transaction }

// PrepareContext prepares a statement that ends with the transaction.
func (u undisturbed) PrepareContext(ctx context.Context, text string) (*sql.Stmt, error) {
	return u.transaction.PrepareContext(context.WithoutCancel(ctx), text)
}

// ExecContext runs a statement in the transaction.
func (u undisturbed) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	return u.transaction.ExecContext(context.WithoutCancel(ctx), text, args...)
}

// QueryContext runs a query in the transaction.
func (u undisturbed) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	return u.transaction.QueryContext(context.WithoutCancel(ctx), text, args...)
}

// QueryRowContext runs a query of one row in the transaction.
func (u undisturbed) QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row {
	return u.transaction.QueryRowContext(context.WithoutCancel(ctx), text, args...)
}
