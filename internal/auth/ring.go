package auth

import (
	"context"
	"sync"
	"sync/atomic"

	"dataapi/db"
)

// ring remembers the keys that were used, for as long as nobody commits anything to the file, another process
// included: a key that was revoked is not good from the next request on. It holds keys that are good alone, so that
// it cannot be filled by trying.
type ring struct {
	db      *db.DB
	present atomic.Pointer[bunch]
}

// bunch is the keys of one version of the file.
type bunch struct {
	version db.Version
	mu      sync.RWMutex
	byHash  map[hash]*known
}

// find returns what is known of a key. The error is db.ErrNotFound, or db.ErrUnavailable.
func (r *ring) find(ctx context.Context, h hash) (*known, error) {
	b := r.now()
	if b == nil {
		return find(ctx, r.db, h)
	}
	b.mu.RLock()
	k := b.byHash[h]
	b.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	k, err := find(ctx, r.db, h)
	if err == nil {
		b.mu.Lock()
		b.byHash[h] = k
		b.mu.Unlock()
	}
	return k, err
}

// now is the bunch of the present version, nil where nobody can tell which that is. It is asked before the keys are
// read: what is read later may be newer, and is then forgotten too soon, not too late.
func (r *ring) now() *bunch {
	version, ok := r.db.Version()
	if !ok {
		return nil
	}
	present := r.present.Load()
	if present != nil && present.version == version {
		return present
	}
	fresh := &bunch{version: version, byHash: map[hash]*known{}}
	r.present.CompareAndSwap(present, fresh)
	return fresh
}
