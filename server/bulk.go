package server

import (
	"net/http"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
)

// bulkResult says what became of a batch. upserted counts the distinct rows that the batch holds and
// that now stand in the database.
type bulkResult struct {
	Success  bool `json:"success"`
	Upserted int  `json:"upserted"`
	hass.Result
	Timestamp time.Time `json:"timestamp"`
}

func (s *Server) bulkUpsert(r *http.Request, kind hass.Kind) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	batch, err := s.batch(r)
	if err != nil {
		return nil, err
	}
	var result hass.Result
	err = s.DB.Write(r.Context(), func(q *db.Queries) (err error) {
		result, err = hass.Apply(r.Context(), q, kind, batch, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return fresh{http.StatusOK, bulkResult{
		Success: true, Upserted: result.Stored(), Result: result, Timestamp: time.Now().UTC(),
	}}, nil
}

// cleared says how many rows are gone.
type cleared struct {
	Success         bool      `json:"success"`
	DevicesDeleted  int64     `json:"devices_deleted"`
	EntitiesDeleted int64     `json:"entities_deleted"`
	Timestamp       time.Time `json:"timestamp"`
}

func (s *Server) clearDevices(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	c := cleared{Success: true}
	err := s.DB.Write(r.Context(), func(q *db.Queries) (err error) {
		if c.EntitiesDeleted, err = q.ClearEntities(r.Context()); err != nil {
			return err
		}
		c.DevicesDeleted, err = q.ClearDevices(r.Context())
		return err
	})
	c.Timestamp = time.Now().UTC()
	return fresh{http.StatusOK, c}, err
}
