package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// ChangeKinds are the kinds of rows whose changes are logged.
var ChangeKinds = []string{"floor", "label", "area", "config_entry", "device", "entity", PrivateKind}

// PrivateKind is the kind that is only for those who ask for it, and may: what people prefer is their own business.
const PrivateKind = "preference"

// Log is what the change log holds at one moment.
type Log struct {
	Oldest Position // the changes after it are kept
	Newest Position // right after the newest change
}

// Bound is where a span of the change log begins or ends: at a position, or before the first change at or
// after a moment. The zero value is where the log itself begins or ends.
type Bound struct {
	Position
	Moment time.Time
}

// ChangeQuery says which changes are meant.
type ChangeQuery struct {
	Since, Until Bound
	Kinds        []string // some of ChangeKinds; nil for all but preferences
	ID           string   // "" for all
	Limit        int64    // at least 1
	// After continues the list of CollapsedChanges after the change with this number.
	After int64
}

// ChangePage is a page of changes.
type ChangePage struct {
	Changes []Change
	More    bool     // there are more at this moment
	Next    Position // where to go on, with or without more
	Since   Position // what Since and Until of the query came to
	Until   Position
	Log     Log
}

// ChangesBetween lists changes, oldest first. The error is ErrGone where Since or Until is not in the log.
func (d *DB) ChangesBetween(ctx context.Context, c ChangeQuery) (ChangePage, error) {
	return d.page(ctx, c, func(q *Queries, p ChangePage) ([]Change, error) {
		return q.ListChanges(ctx, ListChangesParams{
			Since: p.Since.Seq, Until: p.Until.Seq, Kinds: c.kinds(), ID: c.id(), Lim: c.Limit + 1,
		})
	})
}

// RowChanges lists the changes of the row of a kind that has the id, or had it, under whatever ids. The
// error is ErrNotFound where nothing has it and the log knows of nothing that had.
func (d *DB) RowChanges(ctx context.Context, kind, id string, c ChangeQuery) (ChangePage, error) {
	return d.page(ctx, c, func(q *Queries, p ChangePage) ([]Change, error) {
		keys, err := q.FindRows(ctx, FindRowsParams{ID: id, Kind: kind})
		if err == nil && len(keys) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return q.ListRowChanges(ctx, ListRowChangesParams{
			Keys: list(keys), Kind: kind, Since: p.Since.Seq, Until: p.Until.Seq, Lim: c.Limit + 1,
		})
	})
}

// CollapsedChanges lists what changed in the end: of each row its state at Since and at Until, in the order
// of the last change. Rows that are as they were, or came and went in between, are left out. While there
// are More, the next page has the Since and Until that this one came to, and the last Seq of this one as After.
func (d *DB) CollapsedChanges(ctx context.Context, c ChangeQuery) (ChangePage, error) {
	return d.page(ctx, c, func(q *Queries, p ChangePage) ([]Change, error) {
		rows, err := q.CollapseChanges(ctx, CollapseChangesParams{
			Since: p.Since.Seq, Until: p.Until.Seq, Kinds: c.kinds(), ID: c.id(), After: c.After, Lim: c.Limit + 1,
		})
		changes := make([]Change, len(rows))
		for i, row := range rows {
			changes[i] = Change(row)
		}
		return changes, err
	})
}

// page finds the ends of the span, and has list list what is between, one more than the limit.
func (d *DB) page(ctx context.Context, c ChangeQuery, list func(*Queries, ChangePage) ([]Change, error)) (p ChangePage, err error) {
	err = d.Read(ctx, func(q *Queries) error {
		if p, err = q.span(ctx, c); err != nil {
			return err
		}
		p.Changes, err = list(q, p)
		return err
	})
	p.cut(c.Limit)
	return p, err
}

// cut leaves as many changes as there may be, and says where to go on.
func (p *ChangePage) cut(limit int64) {
	p.Next = p.Until
	if p.More = int64(len(p.Changes)) > limit; p.More {
		p.Changes = p.Changes[:limit]
		p.Next = p.Since.After(p.Changes[limit-1])
	}
}

// After is the position right after a change of the same log.
func (p Position) After(c Change) Position { return positionOf(p.LogID, c.Seq, c.At) }

// span is a page with no changes yet. One that ends before it begins is empty.
func (q *Queries) span(ctx context.Context, c ChangeQuery) (p ChangePage, err error) {
	if p.Log, err = q.ChangeLog(ctx); err != nil {
		return p, err
	}
	if p.Since, err = q.resolve(ctx, c.Since, p.Log, p.Log.Oldest); err != nil {
		return p, err
	}
	if p.Until, err = q.resolve(ctx, c.Until, p.Log, p.Log.Newest); err != nil {
		return p, err
	}
	if p.Until.Seq < p.Since.Seq {
		p.Until = p.Since
	}
	return p, nil
}

// resolve returns the position that a bound of a span is; the zero value is open.
func (q *Queries) resolve(ctx context.Context, b Bound, l Log, open Position) (Position, error) {
	switch {
	case b.Position != Position{}:
		_, err := q.Locate(ctx, b.Position)
		return b.Position, err
	case b.Moment.IsZero():
		return open, nil
	case l.Oldest.Seq > 0 && b.Moment.UnixMilli() <= l.Oldest.At:
		return Position{}, errPruned
	}
	row, err := q.FindChangeBefore(ctx, timeText(b.Moment))
	if errors.Is(err, sql.ErrNoRows) {
		return l.Oldest, nil
	}
	return positionOf(l.Newest.LogID, row.Seq, row.At), err
}

// ChangeLog says what the log holds.
func (q *Queries) ChangeLog(ctx context.Context) (Log, error) {
	_, log, err := q.changeLog(ctx, 0)
	return log, err
}

// Locate says what the log holds. The error is ErrGone where what follows p cannot be told without a gap.
func (q *Queries) Locate(ctx context.Context, p Position) (Log, error) {
	there, log, err := q.changeLog(ctx, p.Seq)
	switch {
	case err != nil:
	case p.LogID != log.Newest.LogID:
		err = errOtherLog
	case p.Seq > log.Newest.Seq:
		err = errBeyond
	case p.Seq < log.Oldest.Seq:
		err = errPruned
	case p != there && p != log.Oldest:
		err = errOtherLog
	}
	return log, err
}

// changeLog also says which position the change seq is, as far as it is kept.
func (q *Queries) changeLog(ctx context.Context, seq int64) (there Position, l Log, err error) {
	row, err := q.GetChangeLog(ctx, seq)
	l.Oldest = positionOf(row.LogID, row.PrunedSeq, row.PrunedAt)
	l.Newest = positionOf(row.LogID, row.LastSeq, row.LastAt)
	return positionOf(row.LogID, seq, row.At), l, err
}

var (
	errPruned   = &Gone{Pruned, "the changes since then are no longer all kept: begin anew from what is there now"}
	errOtherLog = &Gone{OtherLog, "the cursor is of another change log: the database was replaced; begin anew from what is there now"}
	errBeyond   = &Gone{Beyond, "the cursor is newer than the newest change: an older state of the database was put back; begin anew from what is there now"}
)

func (c ChangeQuery) id() *string {
	if c.ID == "" {
		return nil
	}
	return &c.ID
}

func (c ChangeQuery) kinds() *string {
	if c.Kinds == nil {
		return nil
	}
	kinds := list(c.Kinds)
	return &kinds
}

// holds says whether a change is of the kinds and of the id that are meant.
func (c *ChangeQuery) holds(change Change) bool {
	meant := c.Kinds == nil && change.Kind != PrivateKind || slices.Contains(c.Kinds, change.Kind)
	return meant && (c.ID == "" || c.ID == change.ID)
}

// list is a list as queries take it.
func list[T string | int64 | [4]any](items []T) string {
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // strings and integers only
	}
	return string(text)
}
