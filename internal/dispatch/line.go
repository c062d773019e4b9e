package dispatch

import (
	"context"
	"database/sql"
	"errors"

	"dataapi/db"
	"dataapi/db/deliveries"
)

// load finds out how far the webhook has come: at first to where the log was when it was registered. What it
// is to be sent again is due at once where it was enabled since, or given another URL.
func (e *endpoint) load(ctx context.Context) error {
	if e.line != nil {
		return nil
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
	e.take(later(line, e.Since))
	return nil
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

// later is a line that is at least as far as a cursor of the same log: what is left of a webhook that had
// the id before says nothing.
func later(line deliveries.Line, since string) deliveries.Line {
	at, _ := db.ParsePosition(line.Cursor)
	begin, ok := db.ParsePosition(since)
	if ok && at.LogID == begin.LogID && at.Seq < begin.Seq {
		line.Cursor = since
	}
	return line
}

// take goes on from a line as it is noted.
func (e *endpoint) take(line deliveries.Line) {
	if e.line == nil || line.Cursor != e.line.Cursor {
		e.cursor, _ = db.ParsePosition(line.Cursor)
	}
	e.line, e.noted = &line, e.now()
}

// noteCursor notes from time to time how far the webhook has come past changes that it does not want.
func (e *endpoint) noteCursor(ctx context.Context) error {
	if e.line.Cursor == e.cursor.String() || e.now().Sub(e.noted) < noteEvery {
		return nil
	}
	line := *e.line
	line.Cursor, line.UpdatedAt = e.cursor.String(), timeText(e.now())
	err := e.Deliveries.Write(ctx, func(q *deliveries.Queries) error { return q.SaveLine(ctx, deliveries.SaveLineParams(line)) })
	if err == nil {
		e.take(line)
	}
	return err
}
