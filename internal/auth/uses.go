package auth

import (
	"context"
	"sync"
	"time"

	"dataapi/db"
)

// noteEvery is how often it is written when keys were last used. Each time makes kept answers stale.
const noteEvery = time.Minute

// uses are the keys that were used and not noted yet.
type uses struct {
	mu   sync.Mutex
	last map[string]time.Time // by id
}

func (u *uses) note(id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = map[string]time.Time{}
	}
	u.last[id] = at
}

// take returns what is not noted yet, and forgets it.
func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.last
	u.last = nil
	return taken
}

// noteUses writes when keys were last used, in one transaction. What cannot be written is not tried again: the next
// use is noted as well.
func (g *Guard) noteUses(ctx context.Context) {
	taken := g.uses.take()
	if len(taken) == 0 {
		return
	}
	err := g.DB.Write(ctx, func(q *db.Queries) error {
		for id, at := range taken {
			text := timeText(at)
			if err := q.NoteAPIKeyUse(ctx, db.NoteAPIKeyUseParams{LastUsedAt: &text, KeyID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		g.Log.Debug("uses of keys not noted", "error", err)
	}
}
