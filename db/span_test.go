package db

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// logged returns a database with a change at each of these times, of floors called a, b, c, …
func logged(t *testing.T, times ...string) *DB {
	t.Helper()
	d := inMemory(t)
	for i, at := range times {
		id := string(rune('a' + i))
		mustAddFloors(t, d, id)
		execute(t, d, "UPDATE changes SET at = ? WHERE id = ?", at, id)
	}
	return d
}

func moment(t *testing.T, text string) Bound {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return Bound{Moment: at}
}

func TestSpansOfMoments(t *testing.T) {
	d := logged(t, "2026-01-01T00:00:01.000000Z", "2026-01-01T00:00:02.500000Z", "2026-01-01T00:00:02.500000Z", "2026-01-01T00:00:04.000000Z")
	for _, test := range []struct{ since, until, want string }{
		{"", "", "a b c d "},
		{"2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "a b c d "},
		{"2026-01-01T00:00:01Z", "", "a b c d "},
		{"2026-01-01T00:00:01.0001Z", "", "b c d "},
		{"2026-01-01T01:00:02.5+01:00", "2026-01-01T00:00:04Z", "b c "},
		{"2026-01-01T00:00:02.501Z", "2026-01-01T00:00:04.001Z", "d "},
		{"2026-01-01T00:00:05Z", "", ""},
		{"2026-01-01T00:00:04Z", "2026-01-01T00:00:01Z", ""},
	} {
		q := ChangeQuery{Limit: 10}
		if test.since != "" {
			q.Since = moment(t, test.since)
		}
		if test.until != "" {
			q.Until = moment(t, test.until)
		}
		p, err := d.ChangesBetween(ctx, q)
		if err != nil || ids(p.Changes) != test.want {
			t.Errorf("%s to %s: got %q, %v, want %q", test.since, test.until, ids(p.Changes), err, test.want)
		}
	}
}

func TestSpansOfAPrunedLog(t *testing.T) {
	d := logged(t, "2026-01-01T00:00:01.000000Z", "2026-01-01T00:00:02.000000Z", "2026-01-01T00:00:03.000000Z")
	before := newest(t, d)
	all, err := d.ChangesBetween(ctx, ChangeQuery{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, d, "DELETE FROM changes WHERE seq <= 2")
	execute(t, d, "UPDATE change_log SET pruned_seq = 2, pruned_at = '2026-01-01T00:00:02.000000Z'")
	second := all.Since.After(all.Changes[1])
	for name, test := range map[string]struct {
		since Bound
		want  string
	}{
		"the beginning":         {Bound{}, "c "},
		"the first change":      {Bound{Position: all.Since.After(all.Changes[0])}, "pruned"},
		"the last pruned one":   {Bound{Position: second}, "c "},
		"another at its place":  {Bound{Position: Position{second.LogID, second.Seq, second.At + 1}}, "other_log"},
		"the newest":            {Bound{Position: before}, ""},
		"another as the newest": {Bound{Position: Position{before.LogID, before.Seq, before.At - 1}}, "other_log"},
		"beyond":                {Bound{Position: Position{before.LogID, before.Seq + 1, before.At}}, "beyond"},
		"another log":           {Bound{Position: Position{"other", 3, before.At}}, "other_log"},
		"long ago":              {moment(t, "2020-01-01T00:00:00Z"), "pruned"},
		"a pruned moment":       {moment(t, "2026-01-01T00:00:02Z"), "pruned"},
		"a moment that is kept": {moment(t, "2026-01-01T00:00:02.001Z"), "c "},
	} {
		p, err := d.ChangesBetween(ctx, ChangeQuery{Since: test.since, Limit: 10})
		got := ids(p.Changes)
		var gone *Gone
		if errors.As(err, &gone) {
			got = string(gone.Reason)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want(t, name, got, test.want)
		if _, err := d.ChangesBetween(ctx, ChangeQuery{Until: test.since, Limit: 10}); errors.Is(err, ErrGone) != (gone != nil) {
			t.Errorf("until %s: %v", name, err)
		}
	}
}

func TestKindsOfChanges(t *testing.T) {
	d := inMemory(t)
	for _, s := range randomStatements(40, 400) {
		execute(t, d, s)
	}
	execute(t, d, "INSERT INTO preferences (user_id, document) VALUES ('f1', '{}'), ('ben', '{}')")
	kinds := strings.Fields(rowsOf(t, d.writer, "SELECT DISTINCT kind FROM changes ORDER BY kind"))
	want(t, "kinds that are logged", strings.Join(kinds, " "), strings.Join(slices.Sorted(slices.Values(ChangeKinds)), " "))
	all, err := d.ChangesBetween(ctx, ChangeQuery{Kinds: ChangeKinds, Limit: 1e6})
	if err != nil || len(all.Changes) < 300 {
		t.Fatal(len(all.Changes), err)
	}
	for n := range 128 {
		q := ChangeQuery{Limit: int64(1 + n%7), ID: []string{"", "", all.Changes[n*2].ID}[n%3]}
		for i, kind := range ChangeKinds {
			if n>>i&1 == 1 {
				q.Kinds = append(q.Kinds, kind)
			}
		}
		var got, wanted []Change
		for more := true; more; {
			p, err := d.ChangesBetween(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.Changes...)
			q.Since.Position, more = p.Next, p.More
		}
		for _, c := range all.Changes {
			if (q.Kinds == nil && c.Kind != "preference" || slices.Contains(q.Kinds, c.Kind)) && (q.ID == "" || q.ID == c.ID) {
				wanted = append(wanted, c)
			}
		}
		if !slices.Equal(got, wanted) || q.Since.Position != all.Log.Newest {
			t.Errorf("%v: got %d changes, want %d", q, len(got), len(wanted))
		}
	}
}
