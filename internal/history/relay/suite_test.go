package relay

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/historytest"
	"dataapi/internal/history/influxdtest"
)

var quiet = slog.New(slog.DiscardHandler)

// opened returns a store on new files, and on a database of a server.
func opened(t *testing.T, server history.InfluxConfig, write Write) *Store {
	t.Helper()
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, quiet)
	if err := past.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { past.Close() })
	influx, err := history.NewInflux(server)
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Embedded: past, Influx: influx, Rename: renamed, Write: write, Log: quiet})
}

// renamed knows what the suite renames.
func renamed(_ context.Context, points []history.Point) error {
	for i := range points {
		p := &points[i]
		if p.RegistryID == "r1" && p.EntityID == "light.b" && p.Time < historytest.Now-10*history.Hour {
			p.EntityID = "light.a"
		}
		if p.RegistryID == "r9" && p.Time < historytest.Now-30*history.Hour {
			p.EntityID = "sensor.before"
		}
	}
	return nil
}

// database is a new database of a server.
func database(t *testing.T, s influxdtest.Server) history.InfluxConfig {
	t.Helper()
	return history.InfluxConfig{URL: s.URL, Token: s.Token, User: s.User, Password: s.Password, Org: s.Org, Database: s.Database(t)}
}

// forwardAll forwards what there is.
func forwardAll(t *testing.T, s *Store) {
	t.Helper()
	for {
		s.step(t.Context())
		s.look(t.Context())
		switch f := s.Forwarding(); {
		case f.Problem != "":
			t.Fatalf("%+v", f)
		case f.Buffered == 0:
			return
		}
	}
}

func tidy(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Embedded.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// halfway forwards half of what is appended, at once.
type halfway struct{ *Store }

func (h halfway) Append(ctx context.Context, points []history.Point) ([]history.Outcome, error) {
	outcomes, err := h.Store.Append(ctx, points)
	if h.batch = len(points) / 2; err == nil && h.batch > 0 {
		h.step(ctx)
	}
	return outcomes, err
}

// Wherever points are, the answers are those of every other store.
func TestSuite(t *testing.T) {
	server := influxdtest.Open(t)
	open := func(write Write) func(t *testing.T) history.Store {
		return func(t *testing.T) history.Store { return opened(t, database(t, server), write) }
	}
	for name, subject := range map[string]historytest.Subject{
		"not forwarded": {Open: open(Never)},
		"forwarded":     {Open: open(Auto), Settle: func(t *testing.T, s history.Store) { forwardAll(t, s.(*Store)) }},
		"halfway":       {Open: func(t *testing.T) history.Store { return halfway{open(Auto)(t).(*Store)} }},
		"halfway and moved": {
			Open:   func(t *testing.T) history.Store { return halfway{open(Always)(t).(*Store)} },
			Settle: func(t *testing.T, s history.Store) { tidy(t, s.(halfway).Store) },
		},
	} {
		subject.NamesOnly = true
		t.Run(name, func(t *testing.T) { historytest.Run(t, subject) })
	}
}
