package server

import (
	"net/http"
	"time"

	"dataapi/db"
)

func (s *Server) listConfigEntries(r *http.Request) (any, error) {
	return s.configEntries(r, "config_entries")
}

// listIntegrations is listConfigEntries under the name that the service before this one gave the list.
func (s *Server) listIntegrations(r *http.Request) (any, error) {
	return s.configEntries(r, "integrations")
}

func (s *Server) configEntries(r *http.Request, noun string) (any, error) {
	q := parse(r)
	l := listingOf[db.ConfigEntry](q, r, noun, 100, 1000)
	p := db.ListConfigEntriesParams{
		Domain: q.text("domain"), State: q.text("state"),
		Q: s.matching(r, q), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListConfigEntries(r.Context(), p)
	return listed(l, rows, err, func(c *db.ConfigEntry) string { return c.EntryID }, func() (int64, error) {
		return s.DB.CountConfigEntries(r.Context(), db.CountConfigEntriesParams{Domain: p.Domain, State: p.State, Q: p.Q})
	})
}

func (s *Server) getConfigEntry(r *http.Request) (any, error) {
	return single(r, "config entry", "entry_id", s.DB.GetConfigEntry)
}

// analytics says what an integration brought into the home.
type analytics struct {
	Platform        string                        `json:"platform"`
	DeviceCount     int64                         `json:"device_count"`
	EntityCount     int64                         `json:"entity_count"`
	EntityBreakdown []db.CountEntitiesByDomainRow `json:"entity_breakdown"`
	Timestamp       time.Time                     `json:"timestamp"`
}

func (s *Server) getIntegrationAnalytics(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	integration := pathID(r, "domain")
	known, err := s.DB.IntegrationExists(r.Context(), integration)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, missing{noun: "integration", id: integration}
	}
	a := analytics{Platform: integration, Timestamp: time.Now().UTC()}
	if a.DeviceCount, err = s.DB.CountDevicesByIntegration(r.Context(), &integration); err != nil {
		return nil, err
	}
	if a.EntityBreakdown, err = s.DB.CountEntitiesByDomain(r.Context(), integration); err != nil {
		return nil, err
	}
	for _, d := range a.EntityBreakdown {
		a.EntityCount += d.Count
	}
	return fresh{http.StatusOK, a}, nil
}
