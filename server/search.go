package server

import (
	"net/http"

	"dataapi/db"
)

// found is what a search finds, the best first.
type found struct {
	Results []db.FindAnywhereRow `json:"results"`
	Count   int                  `json:"count"`
	Limit   int64                `json:"limit"`
}

// search looks for words in all registries.
func (s *Server) search(r *http.Request) (any, error) {
	q := parse(r)
	text, given := q.search("q")
	a := db.Anywhere{Search: text, Kinds: q.words("kind", db.SearchKinds), Limit: q.number("limit", 20, 1, 100)}
	if !given && len(q.bad) == 0 {
		q.refuse("q", "is missing")
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.Find(r.Context(), a)
	return found{Results: rows, Count: len(rows), Limit: a.Limit}, err
}

// matching is the parameter q as lists take it; nil where it is not given.
func (s *Server) matching(r *http.Request, q *query) *string {
	search, given := q.search("q")
	if !given {
		return nil
	}
	search, q.failed = s.DB.SpellOut(r.Context(), search)
	text := search.Match()
	return &text
}

// searching has a list find what others have written, where it searches.
func (s *Server) searching(list handler) handler {
	return func(r *http.Request) (any, error) {
		if r.URL.RawQuery != "" && r.URL.Query().Has("q") {
			if err := s.DB.Indexed(r.Context()); err != nil {
				return nil, err
			}
		}
		return list(r)
	}
}
