package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// runOf returns the rows of a query that is prepared, and the error after them.
func runOf(ctx context.Context, pool *sql.DB, text string, args ...any) (all [][]any, err error) {
	s, err := pool.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	all = append(all, []any{names})
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// TestQueriesAreTheDrivers runs what there is in SQL by the driver and by what saves its costs.
func TestQueriesAreTheDrivers(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	byDriver := newPool(rawConnector(fileURI(path)), 1)
	defer byDriver.Close()
	mustAddFloors(t, d, "a", "b", "c")
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	long := strings.Repeat("ä", 100_000)
	for text, args := range map[string][]any{
		"SELECT * FROM floors":                                             nil,
		"SELECT * FROM floors WHERE floor_id > 'c'":                        nil,
		"SELECT ?, ?, ?, ?, ?, ?":                                          {nil, 7, 1.5, true, false, "ä\x00b"},
		"SELECT ?2, ?1, ?2, typeof(?1), typeof(?2)":                        {"", long},
		"SELECT ?, typeof(?), typeof(?)":                                   {[]byte{0, 1}, []byte{}, time.Unix(0, 0)},
		"SELECT :named":                                                    {sql.Named("named", "by name")},
		"SELECT 1, -1, 9223372036854775807, 1e300, 9e999, ''":              nil,
		"SELECT x'', x'00ff', NULL, CAST(x'fffe' AS TEXT)":                 nil,
		"SELECT ?1, substr(?1, 1, 300), substr(?1, 1, 3)":                  {long},
		"SELECT value, value || 'b', length(value) FROM json_each(?)":      {`["a","","c",1,2.5,null]`},
		"SELECT 1 WHERE false":                                             nil,
		"SELECT abs(value) FROM json_each('[1,2,-9223372036854775808,3]')": nil,
		"SELECT abs(-9223372036854775808)":                                 nil,
		"SELECT json(value) FROM json_each(?)":                             {`["{}","{"]`},
		"SELECT ?, ?":                                                      {1},
		"SELECT ?":                                                         {1, 2},
		"EXPLAIN QUERY PLAN SELECT 1":                                      nil,
		"SELECT a FROM nowhere":                                            nil,
	} {
		want, wantErr := runOf(ctx, byDriver, text, args...)
		for name, ctx := range map[string]context.Context{"by us": ctx, "begun by the driver": watched} {
			for range 2 {
				got, err := runOf(ctx, d.reader.pool, text, args...)
				if !reflect.DeepEqual(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) || fmt.Sprint(Classify(err)) != fmt.Sprint(Classify(wantErr)) {
					t.Errorf("%s %s:\n got %v, %v\nwant %v, %v", text, name, got, err, want, wantErr)
				}
			}
		}
	}
}

// TestQueriesFollowTheSchema has another process change the columns of what is prepared.
func TestQueriesFollowTheSchema(t *testing.T) {
	path := fileIn(t)
	d := opened(t, DefaultConfig(path))
	shell(t, path, "CREATE TABLE things (a, b); INSERT INTO things VALUES (1, 'x');")
	s, err := d.reader.pool.PrepareContext(ctx, "SELECT * FROM things")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct{ change, want string }{
		{"", "[a b]"},
		{"ALTER TABLE things ADD COLUMN c;", "[a b c]"},
		{"ALTER TABLE things DROP COLUMN a;", "[b c]"},
		{"ALTER TABLE things RENAME COLUMN c TO d;", "[b d]"},
	} {
		shell(t, path, c.change)
		rows, err := s.QueryContext(ctx)
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		want(t, "columns after "+c.change, fmt.Sprint(names), c.want)
		if err := errors.Join(rows.Close(), rows.Err()); err != nil {
			t.Error(err)
		}
	}
}

// unasked is a statement of the driver that nobody is to run.
type unasked struct {
	byDriver
	t *testing.T
}

func (s unasked) QueryContext(context.Context, []driver.NamedValue) (driver.Rows, error) {
	s.t.Error("the driver was asked")
	return nil, driver.ErrSkip
}

// TestALockIsWaitedForOnce has another process hold the whole file.
func TestALockIsWaitedForOnce(t *testing.T) {
	path := fileIn(t)
	opened(t, DefaultConfig(path)).Close()
	shell(t, path, "PRAGMA journal_mode = DELETE;")
	c, err := openAndRead(fileURI(path) + "?_pragma=busy_timeout(50)")
	if err != nil {
		t.Fatal(err)
	}
	reader := newConn(c, &target{})
	defer reader.Close()
	s, err := reader.PrepareContext(ctx, "SELECT count(*) FROM floors")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	q := s.(*query)
	q.byDriver = unasked{q.byDriver, t}
	release := holdInShell(t, path, "BEGIN EXCLUSIVE;")
	if _, err := q.QueryContext(ctx, nil); reasonOf(err) != Locked {
		t.Error(err)
	}
	release()
	rows, err := q.QueryContext(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
}

// TestTimesAreTheDrivers has columns of which the driver makes times.
func TestTimesAreTheDrivers(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	execute(t, d, "CREATE TABLE times (at datetime); INSERT INTO times VALUES ('2026-11-29 01:02:03')")
	got, err := runOf(ctx, d.reader.pool, "SELECT at FROM times")
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := got[1][0].(time.Time); !ok || !at.Equal(time.Date(2026, 11, 29, 1, 2, 3, 0, time.UTC)) {
		t.Errorf("got %v", got)
	}
}

// TestRowsStay has what was read of one row not be changed by the next.
func TestRowsStay(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	all, err := runOf(ctx, d.reader.pool, "SELECT 'row ' || value, value FROM json_each('[\"a\",\"b\",\"c\"]')")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "rows", fmt.Sprint(all), "[[['row ' || value value]] [row a a] [row b b] [row c c]]")
}

// TestAQueryWithinItself is refused, as SQLite has one run of a statement at a time, and the outer one goes on.
func TestAQueryWithinItself(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	mustAddFloors(t, d, "a", "b")
	tx, err := d.reader.pool.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	s, err := tx.PrepareContext(ctx, "SELECT floor_id FROM floors ORDER BY floor_id")
	if err != nil {
		t.Fatal(err)
	}
	outer, err := s.QueryContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	var seen []string
	for outer.Next() {
		var id string
		if err := outer.Scan(&id); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, id)
		if len(seen) > 2 {
			break
		}
		if _, err := s.QueryContext(ctx); !errors.Is(err, errRunning) {
			t.Errorf("got %v", err)
		}
	}
	want(t, "floors", strings.Join(seen, " "), "a b")
}

// TestAnEndedQueryLeavesNothing has a query whose context ends be as one that never ran.
func TestAnEndedQueryLeavesNothing(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	const endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
	for range 3 {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		if _, err := runOf(short, d.reader.pool, endless); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		cancel()
		if got, err := runOf(ctx, d.reader.pool, "SELECT 1"); err != nil || len(got) != 2 {
			t.Errorf("afterwards: %v, %v", got, err)
		}
	}
}
