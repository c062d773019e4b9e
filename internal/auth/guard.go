package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"dataapi/db"
)

// Why a caller may no more than it may.
var (
	ErrNoKey   = errors.New("this needs a key: send it as Authorization: Bearer KEY, or as X-API-Key: KEY")
	ErrBadKey  = errors.New("the key is not one of this service, or was revoked")
	ErrExpired = errors.New("the key has expired")
)

// Config is what a Guard goes by.
type Config struct {
	DB      *db.DB
	APIKey  string // a key with all rights beside those in the database, "" for none
	KeyFile string // where the first key is written
	// Trusted are the networks that may without a key what routes let those do who are Trusted.
	Trusted []netip.Prefix
	Log     *slog.Logger
}

// Guard says who may do what. It is safe for concurrent use.
type Guard struct {
	Config
	open    bool
	local   bool   // see Local
	host    string // which Local answers to
	pages   *http.CrossOriginProtection
	ring    ring
	setting hash // of APIKey
	uses    uses
	brake   brake
	tickets tickets
}

// Open returns a guard that lets everybody do everything.
func Open() *Guard { return &Guard{open: true} }

// New returns a guard that asks for keys.
func New(c Config) *Guard {
	return &Guard{Config: c, ring: ring{db: c.DB}, setting: hashOf(c.APIKey)}
}

// AsksForKeys says whether keys are needed.
func (g *Guard) AsksForKeys() bool { return g == nil || !g.open }

// Caller is somebody who asks for something.
type Caller struct {
	Rights  Scopes
	KeyID   string // of a key in the database, else ""
	Problem error  // why there are no more rights: one of the errors above, or db.ErrUnavailable
	hash    hash   // of that key
}

// Caller says what who has a key, "" for none, and comes from an address may do. A nil guard lets nobody in.
func (g *Guard) Caller(ctx context.Context, key string, from netip.Addr) Caller {
	switch {
	case g == nil:
		return Caller{Rights: Anyone, Problem: ErrNoKey}
	case g.open:
		return Caller{Rights: All}
	}
	c := g.holder(ctx, key)
	if g.trusts(from) {
		c.Rights |= Trusted
	}
	return c
}

func (g *Guard) trusts(from netip.Addr) bool {
	return slices.ContainsFunc(g.Trusted, func(p netip.Prefix) bool { return p.Contains(from) })
}

// holder says what who has a key may do.
func (g *Guard) holder(ctx context.Context, key string) Caller {
	if key == "" {
		return Caller{Rights: Anyone, Problem: ErrNoKey}
	}
	h := hashOf(key)
	if g.APIKey != "" && subtle.ConstantTimeCompare(h[:], g.setting[:]) == 1 {
		return Caller{Rights: All}
	}
	k, err := g.ring.find(ctx, h)
	now := time.Now()
	switch {
	case errors.Is(err, db.ErrNotFound):
		return Caller{Rights: Anyone, Problem: ErrBadKey}
	case err != nil:
		return Caller{Rights: Anyone, Problem: err}
	case k.expired(now):
		return Caller{Rights: Anyone, Problem: ErrExpired}
	}
	g.uses.note(k.id, now)
	return Caller{Rights: k.scopes, KeyID: k.id, hash: h}
}

// Still says by its error that the key of a caller is not good any more. Where keys cannot be read, that is not known.
func (g *Guard) Still(ctx context.Context, c Caller) error {
	if c.KeyID == "" {
		return nil
	}
	k, err := g.ring.find(ctx, c.hash)
	switch {
	case errors.Is(err, db.ErrNotFound):
		return ErrBadKey
	case err == nil && k.expired(time.Now()):
		return ErrExpired
	}
	return nil
}

// Readable says by its error, db.ErrUnavailable, that keys cannot be read now: nobody can tell then who may what.
func (g *Guard) Readable(ctx context.Context) error {
	if g == nil || g.open {
		return nil
	}
	_, err := find(ctx, g.DB, hash{})
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	return err
}
