package embedded_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/historytest"
)

var quiet = slog.New(slog.DiscardHandler)

// opened returns a store on a new file.
func opened(t testing.TB, config embedded.Config) *embedded.Store {
	t.Helper()
	if config.DB.Path == "" {
		config.DB = db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))
	}
	s := embedded.New(config, quiet)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// The store gives the answers of every other one, before points are at their places and after.
func TestSuite(t *testing.T) {
	open := func(t *testing.T) history.Store { return opened(t, embedded.Config{}) }
	t.Run("new", func(t *testing.T) { historytest.Run(t, historytest.Subject{Open: open}) })
	t.Run("moved", func(t *testing.T) {
		historytest.Run(t, historytest.Subject{Open: open, Settle: func(t *testing.T, s history.Store) {
			if err := s.(*embedded.Store).Tidy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}})
	})
}

// running runs a store until the returned function is called.
func running(t *testing.T, s *embedded.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
