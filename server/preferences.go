package server

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/db/dbtype"
)

// maxPreferences is how many bytes the preferences of a user may have, spaces between values left out.
const maxPreferences = 64 << 10

// preferences is what a user prefers: the members that clients put there, between two of ours.
type preferences db.GetPreferencesRow

// MarshalJSON writes {"user_id": …, members, "updated_at": …}.
func (p preferences) MarshalJSON() ([]byte, error) {
	last, err := marshal(map[string]*string{"updated_at": p.UpdatedAt})
	if err != nil {
		return nil, err
	}
	own, err := jsontext.AppendQuote([]byte(`{"user_id":`), p.UserID)
	if err != nil {
		return nil, err
	}
	members := bytes.TrimSuffix(bytes.TrimPrefix([]byte(p.Document), []byte{'{'}), []byte{'}'})
	return slices.Concat(joined(own, members), []byte{','}, last[1:]), nil
}

// joined puts a comma between two lists of members, of which the second may be empty.
func joined(a, b []byte) []byte {
	if len(b) == 0 {
		return a
	}
	return slices.Concat(a, []byte{','}, b)
}

// userInPath is the user of the canonical path.
func userInPath(q *query, r *http.Request) string {
	user := pathID(r, "user_id")
	if !isText(user) {
		q.refuse("user_id", "must be UTF-8 text of at most %d characters", maxText)
	}
	return user
}

// userInQuery is the user of the alias, on which the service before this one had one user only.
func userInQuery(q *query, _ *http.Request) string {
	if user := q.text("user_id"); user != nil {
		return *user
	}
	return "default"
}

// userOf finds out whose preferences a request is about.
type userOf func(*query, *http.Request) string

func (s *Server) getPreferences(of userOf) handler {
	return func(r *http.Request) (any, error) {
		q := parse(r)
		user := of(q, r)
		if err := q.err(); err != nil {
			return nil, err
		}
		p, err := s.DB.GetPreferences(r.Context(), user)
		return preferences(p), err
	}
}

func (s *Server) putPreferences(of userOf) handler {
	return s.writePreferences(of, func(r *http.Request, q *db.Queries, user string, document []byte) error {
		return q.SavePreferences(r.Context(), db.SavePreferencesParams{UserID: user, Document: dbtype.JSON(document)})
	})
}

func (s *Server) patchPreferences(of userOf) handler {
	return s.writePreferences(of, func(r *http.Request, q *db.Queries, user string, patch []byte) error {
		return q.MergePreferences(r.Context(), db.MergePreferencesParams{UserID: user, Patch: string(patch)})
	})
}

func (s *Server) writePreferences(of userOf, write func(*http.Request, *db.Queries, string, []byte) error) handler {
	return func(r *http.Request) (any, error) {
		q := parse(r)
		user := of(q, r)
		if err := q.err(); err != nil {
			return nil, err
		}
		document, err := s.preferencesIn(r, user)
		if err != nil {
			return nil, err
		}
		return s.changePreferences(r, user, func(q *db.Queries) error { return write(r, q, user, document) })
	}
}

func (s *Server) deletePreferences(r *http.Request) (any, error) {
	q := parse(r)
	user := userInPath(q, r)
	if err := q.err(); err != nil {
		return nil, err
	}
	return s.changePreferences(r, user, func(q *db.Queries) error { return q.DeletePreferences(r.Context(), user) })
}

// changePreferences makes a change, if the preferences are what If-Match says, and answers with what they
// are then.
func (s *Server) changePreferences(r *http.Request, user string, change func(*db.Queries) error) (any, error) {
	var after db.GetPreferencesRow
	err := s.DB.WriteRow(r.Context(), func(q *db.Queries) error {
		before, err := q.GetPreferences(r.Context(), user)
		if err == nil {
			err = ifMatch(r, preferences(before))
		}
		if err == nil {
			err = change(q)
		}
		if err == nil {
			after, err = q.GetPreferences(r.Context(), user)
		}
		if err == nil && len(after.Document) > maxPreferences {
			err = &http.MaxBytesError{Limit: maxPreferences}
		}
		return err
	})
	return stored{status: http.StatusOK, value: preferences(after)}, err
}

// preferencesIn is the object in a body, without the members that are ours: user_id must be whose
// preferences they are, and updated_at is left out, so that what GET answered can be sent back.
func (s *Server) preferencesIn(r *http.Request, user string) ([]byte, error) {
	members, err := s.object(r, 2*maxPreferences)
	if err != nil {
		return nil, err
	}
	document := []byte{}
	for _, m := range members {
		switch m.name {
		case "user_id":
			if name, err := jsontext.AppendUnquote(nil, m.value); err != nil || string(name) != user {
				return nil, invalid{parameter("user_id", "must be the user whose preferences they are, if it is there")}
			}
			continue
		case "updated_at":
			continue
		}
		name, err := jsontext.AppendQuote(nil, m.name)
		if err != nil {
			return nil, err
		}
		if err := m.value.Compact(); err != nil {
			return nil, err
		}
		document = joined(document, slices.Concat(name, []byte{':'}, m.value))
	}
	return slices.Concat([]byte{'{'}, bytes.TrimPrefix(document, []byte{','}), []byte{'}'}), nil
}
