package history_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"dataapi/db"
	"dataapi/db/history"
)

var quiet = slog.New(slog.DiscardHandler)

func openHistory(t *testing.T, path string) error {
	t.Helper()
	d := history.Prepare(db.DefaultConfig(path), quiet)
	t.Cleanup(func() { d.Close() })
	return d.Open(t.Context())
}

func openMetadata(t *testing.T, path string) error {
	t.Helper()
	d := db.Prepare(db.DefaultConfig(path), quiet)
	t.Cleanup(func() { d.Close() })
	return d.Open(t.Context())
}

// Neither file is taken for the other, nor touched, when the settings are mixed up.
func TestFilesOfTheTwoKindsAreNotMixedUp(t *testing.T) {
	for name, open := range map[string][2]func(*testing.T, string) error{
		"history where metadata is": {openMetadata, openHistory},
		"metadata where history is": {openHistory, openMetadata},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data.db")
			if err := open[0](t, path); err != nil {
				t.Fatal(err)
			}
			var u *db.Unavailable
			if err := open[1](t, path); !errors.As(err, &u) || u.Reason != db.Foreign {
				t.Errorf("%v, want it refused as foreign", err)
			}
			if err := open[0](t, path); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestWriteIsSeenAndSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.db")
	first := history.Prepare(db.DefaultConfig(path), quiet)
	if err := first.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	generation := first.Generation()
	failure := errors.New("no")
	for _, fail := range []error{failure, nil} {
		err := first.Write(t.Context(), func(q *history.Queries) error {
			if _, err := q.AddSeries(t.Context(), history.AddSeriesParams{EntityID: "sensor.a"}); err != nil {
				return err
			}
			return fail
		})
		if !errors.Is(err, fail) {
			t.Fatalf("%v, want %v", err, fail)
		}
	}
	if first.Generation() != generation {
		t.Error("a write made it another file")
	}
	first.Close()
	second := history.Prepare(db.DefaultConfig(path), quiet)
	defer second.Close()
	if err := second.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	es, err := second.ListSeries(t.Context(), history.ListSeriesParams{Lim: 10})
	if err != nil || len(es) != 1 {
		t.Errorf("%v, %v; want the one that was committed", es, err)
	}
	if s := second.Status(t.Context()); !s.Readable || !s.Writable || s.Schema == "" {
		t.Errorf("%+v", s)
	}
}
