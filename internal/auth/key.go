package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"dataapi/db"
	"dataapi/db/dbtype"
)

// prefix tells keys of data-api from others', for people and for those who look for secrets in what was published.
const prefix = "dak_"

// hash is what is known of a key. SHA-256 is right for 256 random bits: slow hashes are for what people make up.
type hash [sha256.Size]byte

func hashOf(key string) hash { return sha256.Sum256([]byte(key)) }

func (h hash) String() string { return hex.EncodeToString(h[:]) }

// newKey returns a key of 256 random bits.
func newKey() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return prefix + base64.RawURLEncoding.EncodeToString(secret)
}

// mostName is how many characters the name of a key may have.
const mostName = 255

// Grant is what a new key is to be.
type Grant struct {
	Name    string
	Scopes  []string
	Expires time.Time // zero for never
}

// Fault is what is wrong with a member of a Grant.
type Fault struct{ Member, Detail string }

// Check names all that is wrong with a grant.
func (g Grant) Check(now time.Time) (faults []Fault) {
	if n := utf8.RuneCountInString(g.Name); n == 0 || n > mostName || !utf8.ValidString(g.Name) || strings.TrimSpace(g.Name) == "" {
		faults = append(faults, Fault{"name", "must be text of 1 to 255 characters"})
	}
	if len(g.Scopes) == 0 {
		faults = append(faults, Fault{"scopes", "must be a list of some of " + strings.Join(Names(), ", ")})
	}
	if _, err := Parse(g.Scopes); err != nil {
		faults = append(faults, Fault{"scopes", err.Error()})
	}
	if !g.Expires.IsZero() && (!g.Expires.After(now) || g.Expires.UTC().Year() > 9999) {
		faults = append(faults, Fault{"expires_at", "must be a time to come"})
	}
	return faults
}

// Create stores a key, of which Check found nothing wrong. The text of it is in the first return value, and nowhere
// else from then on.
func Create(ctx context.Context, q *db.Queries, g Grant) (key string, row db.APIKey, err error) {
	key = newKey()
	row, err = store(ctx, q, key, g)
	return key, row, err
}

func store(ctx context.Context, q *db.Queries, key string, g Grant) (db.APIKey, error) {
	scopes := slices.DeleteFunc(Names(), func(name string) bool { return !slices.Contains(g.Scopes, name) })
	text, err := json.Marshal(scopes)
	if err != nil {
		return db.APIKey{}, err
	}
	p := db.CreateAPIKeyParams{
		KeyID: strings.ToLower(rand.Text()[:12]), Name: g.Name, Hash: hashOf(key).String(),
		StartsWith: key[:len(prefix)+4], Scopes: dbtype.JSON(text),
	}
	if !g.Expires.IsZero() {
		expires := timeText(g.Expires)
		p.ExpiresAt = &expires
	}
	if err := q.CreateAPIKey(ctx, p); err != nil {
		return db.APIKey{}, err
	}
	return q.GetAPIKey(ctx, p.KeyID)
}

// known is what is known of a key that is there.
type known struct {
	id      string
	scopes  Scopes
	expires time.Time // zero for never
}

func (k *known) expired(now time.Time) bool { return !k.expires.IsZero() && !now.Before(k.expires) }

// find reads what is known of a key. The error is db.ErrNotFound, or db.ErrUnavailable.
func find(ctx context.Context, d *db.DB, h hash) (*known, error) {
	row, err := d.FindAPIKey(ctx, h.String())
	if err != nil {
		return nil, db.Classify(err)
	}
	k := &known{id: row.KeyID}
	var names []string
	if err := json.Unmarshal([]byte(row.Scopes), &names); err != nil {
		return nil, err
	}
	if k.scopes, err = Parse(names); err != nil {
		return nil, err // a scope of a newer data-api, perhaps
	}
	if row.ExpiresAt != nil {
		if k.expires, err = time.Parse(time.RFC3339, *row.ExpiresAt); err != nil {
			return nil, errors.Join(errors.New("expires_at of key "+k.id+" is no time"), err)
		}
	}
	return k, nil
}

// timeText is how the tables hold times.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
