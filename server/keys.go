package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/internal/auth"
)

// maxKey is how many bytes the body may have that says what a key is to be.
const maxKey = 64 << 10

func (s *Server) listKeys(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.APIKey](q, r, "keys", 100, 1000)
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListAPIKeys(r.Context(), db.ListAPIKeysParams{After: l.after, Lim: l.limit + 1})
	return listed(l, rows, err, func(k *db.APIKey) string { return k.ID }, func() (int64, error) {
		return s.DB.CountAPIKeys(r.Context())
	})
}

func (s *Server) getKey(r *http.Request) (any, error) {
	return single(r, "key", "key_id", s.DB.GetAPIKey)
}

// createKey makes a key, whose text is in this answer and in no other.
func (s *Server) createKey(r *http.Request) (any, error) {
	grant, err := s.grantIn(r)
	if err != nil {
		return nil, err
	}
	var key string
	var row db.APIKey
	err = s.DB.Write(r.Context(), func(q *db.Queries) (err error) {
		key, row, err = auth.Create(r.Context(), q, grant)
		return err
	})
	return fresh{http.StatusCreated, extended{row, []addition{{"key", key}}}}, err
}

// revokeKey answers with what is no more. The key is not good from the next request on.
func (s *Server) revokeKey(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	id := pathID(r, "key_id")
	var gone db.APIKey
	err := s.DB.Write(r.Context(), func(q *db.Queries) (err error) {
		if gone, err = q.GetAPIKey(r.Context(), id); err == nil {
			_, err = q.DeleteAPIKey(r.Context(), id)
		}
		return err
	})
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		err = missing{noun: "key", id: id}
	}
	return fresh{http.StatusOK, gone}, err
}

// grantIn reads what a key is to be. The error is an invalid that names all that is wrong.
func (s *Server) grantIn(r *http.Request) (g auth.Grant, err error) {
	if err := parse(r).err(); err != nil {
		return g, err
	}
	members, err := s.object(r, maxKey)
	if err != nil {
		return g, err
	}
	var bad invalid
	refused := map[string]bool{}
	refuse := func(member, detail string) {
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(member)
		bad = append(bad, fieldError{Pointer: &pointer, Detail: detail})
		refused[member] = true
	}
	for _, m := range members {
		if detail := takeGrant(&g, m); detail != "" {
			refuse(m.name, detail)
		}
	}
	for _, f := range g.Check(time.Now()) {
		if !refused[f.Member] {
			refuse(f.Member, f.Detail)
		}
	}
	if bad != nil {
		return g, bad
	}
	return g, nil
}

// takeGrant takes a member into what a key is to be, and says what is wrong with it.
func takeGrant(g *auth.Grant, m member) (problem string) {
	switch m.name {
	case "name":
		g.Name, _ = textOf(m.value)
	case "scopes":
		if json.Unmarshal(m.value, &g.Scopes) != nil {
			g.Scopes = nil
		}
	case "expires_at":
		return takeExpiry(g, m.value)
	default:
		return "is no member of a key, which has expires_at, name, scopes"
	}
	return ""
}

func takeExpiry(g *auth.Grant, value jsontext.Value) (problem string) {
	if value.Kind() == 'n' {
		return ""
	}
	text, _ := textOf(value)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.IsZero() {
		return "must be a time such as 2027-01-31T12:00:00Z, or null"
	}
	g.Expires = at
	return ""
}
