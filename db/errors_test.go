package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
)

func TestConstraintsAreConflicts(t *testing.T) {
	d := opened(t, DefaultConfig(fileIn(t)))
	for _, statement := range []string{
		"INSERT INTO floors (floor_id, name) VALUES ('a', 'A'), ('a', 'B')", // unique
		"INSERT INTO floors (key, floor_id, name) VALUES (1, 'a', 'A'), (1, 'b', 'B')",
		"INSERT INTO floors (floor_id) VALUES ('a')",                                       // not null
		"INSERT INTO area_labels (label_key, area_key) VALUES (7, 7)",                      // foreign key
		"INSERT INTO devices (device_id) VALUES ('d'); UPDATE devices SET device_id = 'e'", // by a trigger
		"INSERT INTO floors (floor_id, name) SELECT NULL, 'A'",
	} {
		if _, err := d.writer.pool.Exec(statement); !errors.Is(Classify(err), ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", statement, err)
		}
	}
}

func TestClassifyLeavesAlone(t *testing.T) {
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded, errMine, ErrNotFound, ErrConflict, fmt.Errorf("x: %w", unavailable(Locked, nil, "y"))} {
		want(t, fmt.Sprint(err), Classify(err), err)
	}
	if !errors.Is(Classify(fmt.Errorf("device: %w", sql.ErrNoRows)), ErrNotFound) {
		t.Error("no rows, wrapped: want ErrNotFound")
	}
}

func TestUnavailableSaysWhyWithoutSQL(t *testing.T) {
	err := error(unavailable(Locked, errors.New("SQLITE_BUSY: SELECT 1"), "the database is locked"))
	var u *Unavailable
	if !errors.Is(err, ErrUnavailable) || !errors.As(fmt.Errorf("x: %w", err), &u) || u.Reason != Locked || u.Detail != "the database is locked" {
		t.Errorf("got %#v", u)
	}
	reason, detail := describe(fmt.Errorf("x: %w", err))
	want(t, "reason", reason, Locked)
	want(t, "detail", detail, "the database is locked")
}

func TestCodesThatMeanUnavailable(t *testing.T) {
	for code, reason := range map[int]Reason{
		5: Locked, 517: Locked, 6: Locked, 13: DiskFull, 8: ReadOnly, 1032: ReadOnly, 11: Corrupt, 26: Corrupt, 523: Corrupt, 14: Missing,
		3: Missing, 10: Failed, 778: Failed, 7: Failed, 15: Failed,
	} {
		wantReason(t, fmt.Sprint("code ", code), classifyCode(code, errMine), reason)
	}
	for _, code := range []int{1, 20, 21, 25} {
		want(t, fmt.Sprint("code ", code), classifyCode(code, errMine), errMine)
	}
}
