package db

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTheLogIsPrunedByAge(t *testing.T) {
	d := logged(t, "2026-01-01T00:00:01.000000Z", "2026-01-01T00:00:02.000000Z", "2026-01-01T00:00:03.000000Z", "2026-01-01T00:00:04.000000Z")
	p, err := d.ChangesBetween(ctx, ChangeQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	want(t, "pruned", d.pruneSome(ctx, moment(t, "2026-01-01T00:00:03Z").Moment), true)
	want(t, "kept", rowsOf(t, d.writer, "SELECT group_concat(id) FROM changes"), "c,d")
	if _, err := d.ChangesBetween(ctx, ChangeQuery{Since: Bound{Position: p.Next}, Limit: 1}); !errors.Is(err, ErrGone) {
		t.Errorf("a cursor from before: %v, want ErrGone", err)
	}
	kept, err := d.ChangesBetween(ctx, ChangeQuery{Limit: 10})
	if err != nil || ids(kept.Changes) != "c d " {
		t.Errorf("got %q, %v", ids(kept.Changes), err)
	}
	want(t, "the newest stays", d.pruneSome(ctx, time.Now()), true)
	want(t, "kept", rowsOf(t, d.writer, "SELECT group_concat(id) FROM changes"), "d")
}

func TestPruningGoesOnInStepsAndWritesNothingWhereNothingIsOld(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
		INSERT INTO changes (at, kind, key, id, action) SELECT '2026-01-01T00:00:00.000000Z', 'floor', i, i, 'created' FROM n`)
	mustAddFloors(t, d, "new")
	short, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- d.PruneLog(short, 24*time.Hour) }()
	eventually(t, "all old ones are gone", func() bool { return rowsOf(t, d.writer, "SELECT count(*) FROM changes") == "1" })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	before := rowsOf(t, d.writer, "SELECT total_changes()")
	want(t, "more to prune", d.pruneSome(ctx, time.Now().Add(-24*time.Hour)), false)
	want(t, "changes", rowsOf(t, d.writer, "SELECT total_changes()"), before)
}

// A clock that is ahead of all changes is no reason to delete them.
func TestPruningByAClockThatIsAhead(t *testing.T) {
	d := logged(t, "2026-01-01T00:00:01.000000Z", "2026-03-01T00:00:02.000000Z", "2026-03-01T00:00:03.000000Z")
	for now, ahead := range map[string]string{"2026-03-01T12:00:00Z": "2026-03-01T12:00:00Z", "2027-03-01T00:00:00Z": "2026-03-02T00:00:03Z"} {
		want(t, now, d.believed(ctx, moment(t, now).Moment).UTC().Format(time.RFC3339), ahead)
	}
	want(t, "where there is no change", inMemory(t).believed(ctx, time.Now()).Year() <= 1970, true)
}
