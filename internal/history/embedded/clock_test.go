package embedded

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// A clock that is ahead for a while takes no points that were kept, and when it is right again, what comes is kept.
func TestClockThatWasAhead(t *testing.T) {
	s := New(Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, slog.New(slog.DiscardHandler))
	defer s.Close()
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	add(t, s, "1", now.Add(-20*24*time.Hour))
	add(t, s, "2", now.Add(-time.Hour))
	for _, ahead := range []time.Duration{0, 400 * 24 * time.Hour, 0} {
		if err := s.tidy(t.Context(), now.Add(ahead)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := states(t, s); got != "1 2 " || err != nil {
		t.Errorf("kept: %q, %v", got, err)
	}
}

// A file by which nothing is kept until a time that is yet to come, as a clock was wrong when that was noted, is put right.
func TestKeptFromTheFuture(t *testing.T) {
	s := New(Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, slog.New(slog.DiscardHandler))
	defer s.Close()
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	add(t, s, "1", time.Now().Add(-time.Hour))
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.db.Write(t.Context(), func(q *historydb.Queries) error {
		ahead := history.At(time.Now().Add(400 * 24 * time.Hour))
		if err := q.NoteRecent(t.Context(), historydb.NoteRecentParams{RecentFrom: int64(ahead)}); err != nil {
			return err
		}
		return q.NoteKept(t.Context(), historydb.NoteKeptParams{RawFrom: int64(ahead), HoursFrom: int64(hourOf(ahead))})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := states(t, s); err == nil {
		t.Fatal("the file is not as it was to be")
	}
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	k, err := s.db.GetKeeping(t.Context())
	limit := history.At(time.Now().Add(time.Hour))
	if err != nil || max(k.RawFrom, k.RecentFrom) > int64(limit) || k.HoursFrom > int64(hourOf(limit)) {
		t.Errorf("%+v, %v", k, err)
	}
}

func add(t *testing.T, s *Store, state string, at time.Time) {
	t.Helper()
	outcomes, err := s.Append(t.Context(), []history.Point{{EntityID: "sensor.a", Time: history.At(at), State: state}})
	if err != nil || outcomes[0].Result != history.Stored {
		t.Fatal(outcomes, err)
	}
}

// states are those of sensor.a, with the error if they are not whole.
func states(t *testing.T, s *Store) (text string, err error) {
	t.Helper()
	q := history.Query{Series: []history.Series{history.Named("sensor.a")}, Start: history.At(time.Now().Add(-25 * 24 * time.Hour)), End: history.Forever, Limit: 10}
	for row, err := range s.Range(t.Context(), q) {
		if err != nil {
			return text, err
		}
		text += row.State + " "
	}
	return text, nil
}
