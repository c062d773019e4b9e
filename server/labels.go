package server

import (
	"net/http"

	"dataapi/db"
)

func (s *Server) listLabels(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Label](q, r, "labels", 100, 1000)
	p := db.ListLabelsParams{
		LabelIds: q.list("label_id"),
		Q:        s.matching(r, q), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListLabels(r.Context(), p)
	return listed(l, rows, err, func(l *db.Label) string { return l.LabelID }, func() (int64, error) {
		return s.DB.CountLabels(r.Context(), db.CountLabelsParams{LabelIds: p.LabelIds, Q: p.Q})
	})
}

func (s *Server) getLabel(r *http.Request) (any, error) {
	return single(r, "label", "label_id", s.DB.GetLabel)
}
