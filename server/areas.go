package server

import (
	"net/http"

	"dataapi/db"
)

func (s *Server) listAreas(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Area](q, r, "areas", 100, 1000)
	p := db.ListAreasParams{
		AreaIds:  q.list("area_id"),
		FloorID:  q.text("floor_id"),
		LabelIds: q.list("label_id"),
		Q:        s.matching(r, q), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListAreas(r.Context(), p)
	return listed(l, rows, err, func(a *db.Area) string { return a.AreaID }, func() (int64, error) {
		return s.DB.CountAreas(r.Context(), db.CountAreasParams{AreaIds: p.AreaIds, FloorID: p.FloorID, LabelIds: p.LabelIds, Q: p.Q})
	})
}

func (s *Server) getArea(r *http.Request) (any, error) {
	return single(r, "area", "area_id", s.DB.GetArea)
}
