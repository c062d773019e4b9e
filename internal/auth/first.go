package auth

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"dataapi/db"
)

// tryEvery is how often it is tried to make the first key.
const tryEvery = 200 * time.Millisecond

// Run makes a key for an admin as soon as it can, where there is none, and then notes when keys are used, until ctx
// ends.
func (g *Guard) Run(ctx context.Context) error {
	if g.open {
		return nil
	}
	if g.APIKey == "" {
		g.makeFirst(ctx)
	}
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			g.noteUses(last)
			return nil
		case <-tick.C:
			g.noteUses(ctx)
		}
	}
}

// makeFirst tries until there is a key for an admin, or ctx ends. It says when it cannot make one, and why.
func (g *Guard) makeFirst(ctx context.Context) {
	said := ""
	var down *db.Unavailable
	for {
		err := g.first(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			return
		case errors.As(err, &down) && down.Reason == db.Opening:
		case err.Error() != said:
			said = err.Error()
			g.Log.Error("no admin key could be made: without one, and without API_KEY, nobody can do anything", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tryEvery):
		}
	}
}

// first makes a key for an admin, unless there is one that is good. The file is written before the key is stored, so
// that there is never a key that nobody has; and inside the transaction, so that of two processes one does it.
func (g *Guard) first(ctx context.Context) error {
	if has, err := hasAdmin(ctx, g.DB.Queries); has || err != nil {
		return err
	}
	made := false
	err := g.DB.Write(ctx, func(q *db.Queries) error {
		made = false
		has, err := hasAdmin(ctx, q)
		if has || err != nil {
			return err
		}
		key := newKey()
		if err := writeSecret(g.KeyFile, key+"\n"); err != nil {
			return fmt.Errorf("admin key: %w", err)
		}
		_, err = store(ctx, q, key, Grant{Name: "first admin key", Scopes: []string{"admin"}})
		made = err == nil
		return err
	})
	if err == nil && made {
		g.Log.Warn("an admin key was made: it is in the file, and nowhere else", "path", g.KeyFile)
	}
	return err
}

func hasAdmin(ctx context.Context, q *db.Queries) (bool, error) {
	n, err := q.CountGoodAPIKeys(ctx, db.CountGoodAPIKeysParams{Scope: "admin", At: timeText(time.Now())})
	return n > 0, db.Classify(err)
}

// writeSecret writes a file that its owner alone may read, whole or not at all, whatever was there. One process at a
// time may do it; what a killed one left behind goes.
func writeSecret(path, text string) error {
	draft := path + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return os.Rename(draft, path)
}
