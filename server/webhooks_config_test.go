package server

import (
	"context"
	"log/slog"
	"testing"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/dispatch"
	"dataapi/internal/history/embedded"
	"dataapi/internal/webhook"
)

// Dispatcher returns one that calls nobody until it runs, with a file of deliveries in memory. It may call this
// machine.
func Dispatcher(t testing.TB, d *db.DB) *dispatch.Dispatcher {
	t.Helper()
	sent := deliveries.Prepare(db.DefaultConfig(db.Memory), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { sent.Close() })
	if err := sent.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	allow, err := webhook.ParsePrefixes("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(db.Memory)}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if err := past.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return dispatch.New(dispatch.Config{
		Metadata: d, Past: past, Deliveries: sent, Targets: webhook.Targets{Allow: allow}, Log: slog.New(slog.DiscardHandler), Version: "test",
	})
}
