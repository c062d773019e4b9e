package server

import (
	"net/http"

	"dataapi/db"
)

func (s *Server) listFloors(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Floor](q, r, "floors", 100, 1000)
	p := db.ListFloorsParams{
		Q: s.matching(r, q), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListFloors(r.Context(), p)
	return listed(l, rows, err, func(f *db.Floor) string { return f.FloorID }, func() (int64, error) {
		return s.DB.CountFloors(r.Context(), p.Q)
	})
}

func (s *Server) getFloor(r *http.Request) (any, error) {
	return single(r, "floor", "floor_id", s.DB.GetFloor)
}
