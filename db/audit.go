package db

import (
	"context"
	"errors"
	"time"
)

// auditor has SQLite check all pages of the file, in the background: when it was opened, and then
// again and again, as often as costs at most a thousandth of the time, but at least once a day.
type auditor struct {
	*DB
	of   *target   // the target of the last check
	next time.Time // when the next one is due
}

const (
	auditShare  = 1000 // the pause between two checks, in durations of the last
	auditEvery  = 10 * time.Second
	auditRarest = 24 * time.Hour
)

func (a *auditor) look(ctx context.Context) {
	t := a.present.Load()
	if t == nil || t == a.of && time.Now().Before(a.next) {
		return
	}
	start := time.Now()
	var problem string
	err := a.whileOpen(ctx, t, func(ctx context.Context) (err error) {
		problem, err = checkPages(ctx, t)
		return err
	})
	if ctx.Err() != nil || a.present.Load() != t || errors.Is(err, context.Canceled) {
		return
	}
	a.of = t
	a.next = time.Now().Add(min(auditRarest, max(auditEvery, auditShare*time.Since(start))))
	switch {
	case reasonOf(err) == Corrupt:
		_, problem = describe(err) // the driver's words are for the log
		a.log.Error("pages of the database cannot be checked", "path", a.config.Path, "error", err)
	case err != nil:
		return // locked, say: nothing was learned
	}
	a.note(problem)
}

// whileOpen runs fn, which reads all of the file by a connection of its own. Its context ends when the file is
// closed or replaced, and who closes the file waits for the end of fn.
func (d *DB) whileOpen(ctx context.Context, t *target, fn func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	d.mu.Lock()
	d.reading[&stop] = true
	d.mu.Unlock()
	d.readings.Add(1)
	defer func() {
		d.readings.Add(-1)
		d.mu.Lock()
		delete(d.reading, &stop)
		d.mu.Unlock()
	}()
	if d.present.Load() != t {
		return errReopening
	}
	return fn(ctx)
}
func (a *auditor) note(problem string) {
	a.mu.Lock()
	news := a.integrity.Problem != problem
	a.integrity = Integrity{CheckedAt: time.Now(), Problem: problem}
	a.mu.Unlock()
	switch {
	case news && problem != "":
		a.log.Error("database damaged", "path", a.config.Path, "problem", problem)
	case news:
		a.log.Info("database whole again", "path", a.config.Path)
	}
}

// checkPages returns what SQLite finds wrong with the file, or "".
func checkPages(ctx context.Context, t *target) (string, error) {
	if t.path == "" {
		return "", nil // in memory there is no file to be damaged
	}
	pool := t.pool()
	defer pool.Close()
	var result string
	// It reads each page once, and of what a large cache takes not all is given back afterwards.
	if _, err := pool.ExecContext(ctx, "PRAGMA cache_size = -100"); err != nil {
		return "", err
	}
	if err := pool.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return "", err
	}
	if result == "ok" {
		return "", nil
	}
	return result, nil
}
