package dispatch

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
)

// load finds out how far the webhook has come: at first to where the log was when it was registered. What it
// is to be sent again is due at once where it was enabled since, or given another URL.
func (e *endpoint) load(ctx context.Context) error {
	if e.line != nil {
		return e.setRight(ctx)
	}
	line, err := e.Deliveries.GetLine(ctx, e.WebhookID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		line = deliveries.Line{WebhookID: e.WebhookID, Cursor: e.Since}
	case err != nil:
		return err
	case e.ActiveSince > line.UpdatedAt:
		if line, err = e.begunAnew(ctx, line); err != nil {
			return err
		}
	}
	line.Cursor, line.States = later(line.Cursor, e.Since), later(line.States, e.StatesSince)
	e.take(line)
	return e.setRight(ctx)
}

// setBack is by how much the clock is behind what it said before where it was put back, and does not just go slower.
const setBack = time.Minute

// setRight has all that is to be sent again due at once where the clock was put back since something was noted: what
// waits for a time of the clock before might wait for years. So a home whose clock was wrong for an hour loses nothing.
func (e *endpoint) setRight(ctx context.Context) error {
	now := e.now()
	if e.line.UpdatedAt <= timeText(now.Add(setBack)) {
		return nil
	}
	e.Log.Warn("the clock was put back", "webhook", e.WebhookID, "noted", e.line.UpdatedAt)
	line := *e.line
	e.quiet = time.Time{}
	if line.FailingSince != nil {
		at := timeText(now)
		line.FailingSince = &at
	}
	line, err := e.begunAnew(ctx, line)
	if err == nil {
		e.take(line)
	}
	return err
}

// begunAnew is the line of a webhook that is due at once.
func (e *endpoint) begunAnew(ctx context.Context, line deliveries.Line) (deliveries.Line, error) {
	line.UpdatedAt = timeText(e.now())
	err := e.Deliveries.Write(ctx, func(q *deliveries.Queries) error {
		err := q.HastenDeliveries(ctx, deliveries.HastenDeliveriesParams{Now: line.UpdatedAt, WebhookID: e.WebhookID})
		if err != nil {
			return err
		}
		return q.SaveLine(ctx, deliveries.SaveLineParams(line))
	})
	return line, err
}

// later is a cursor that is at least as far as another one of the same log: what is left of a webhook that had
// the id before says nothing.
func later(cursor, since string) string {
	at, _ := db.ParsePosition(cursor)
	begin, ok := db.ParsePosition(since)
	if cursor == "" || ok && at.LogID == begin.LogID && at.Seq < begin.Seq {
		return since
	}
	return cursor
}

// take goes on from a line as it is noted.
func (e *endpoint) take(line deliveries.Line) {
	if e.line == nil || line.Cursor != e.line.Cursor {
		e.cursor, _ = db.ParsePosition(line.Cursor)
	}
	if e.line == nil || line.States != e.line.States {
		e.states, _ = db.ParsePosition(line.States)
	}
	e.line, e.noted = &line, e.now()
	e.show()
}

// place is how far a webhook has come.
type place struct {
	cursor, states, notedStates db.Position
}

// show lets others see how far the webhook has come.
func (e *endpoint) show() {
	noted, _ := db.ParsePosition(e.line.States)
	e.place.Store(&place{e.cursor, e.states, noted})
}

// noteCursor notes from time to time how far the webhook has come past what it does not want.
func (e *endpoint) noteCursor(ctx context.Context) error {
	e.show()
	line := *e.line
	if line.Cursor = e.cursor.String(); e.states != (db.Position{}) {
		line.States = e.states.String()
	}
	if line == *e.line || e.now().Sub(e.noted) < noteEvery {
		return nil
	}
	return e.saveLine(ctx, line)
}

func (e *endpoint) saveLine(ctx context.Context, line deliveries.Line) error {
	line.UpdatedAt = timeText(e.now())
	err := e.Deliveries.Write(ctx, func(q *deliveries.Queries) error { return q.SaveLine(ctx, deliveries.SaveLineParams(line)) })
	if err == nil {
		e.take(line)
	}
	return err
}
