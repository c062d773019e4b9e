package dispatch

import (
	"context"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/webhook"
)

// When a webhook is given up, and how long the end of the process waits for what came of a call to be noted.
const (
	giveUpAfter = 5 * 24 * time.Hour
	giveUpTries = 5 // of one message
	noteFor     = 5 * time.Second
)

// deliver sends a message and notes what came of it. held says that no other message is to be sent now.
func (e *endpoint) deliver(ctx context.Context, m *message) (held bool, err error) {
	o := e.call(ctx, e.WebhookTarget, m)
	if ctx.Err() != nil && o.Verdict() != webhook.Arrived {
		return true, ctx.Err() // it was cut off: it will be sent again
	}
	if o.Verdict() != webhook.Arrived {
		e.quiet = e.now().Add(o.RetryAfter)
	}
	line := *e.line
	e.settle(m, &line)
	e.count(m)
	if err := e.note(ctx, m, line); err != nil {
		return true, err
	}
	e.clear = e.clear && m.status != retrying
	if o.Verdict() != webhook.Arrived {
		err = e.judge(ctx, m)
	}
	return e.over || e.quiet.After(e.now()) || m.status == retrying && !m.aside, err
}

// count counts what came of a call.
func (d *Dispatcher) count(m *message) {
	switch m.status {
	case delivered:
		d.arrived.Add(1)
		return
	case failed:
		d.givenUp.Add(1)
	}
	d.failed.Add(1)
}

// call sends a message to a webhook.
func (d *Dispatcher) call(ctx context.Context, t db.WebhookTarget, m *message) webhook.Outcome {
	now := d.now()
	if m.tries++; m.created.IsZero() {
		m.created = now
	}
	m.to, m.outcome = t.WebhookID, d.caller.Call(ctx, webhook.Receiver{URL: t.Url, Secrets: secretsOf(t, now)}, m.Message, now)
	return m.outcome
}

// settle decides what becomes of a message, and how far the line has come with it.
func (e *endpoint) settle(m *message, line *deliveries.Line) {
	now, verdict := e.now(), m.outcome.Verdict()
	at := timeText(now)
	line.UpdatedAt = at
	if verdict == webhook.Arrived {
		m.status, line.FailingSince, line.DeliveredAt = delivered, nil, &at
	} else {
		if line.FailingSince == nil {
			line.FailingSince = &at
		}
		m.aside = m.aside || verdict == webhook.Aside
		m.delay(now)
	}
	if m.cursor != "" && (m.aside || m.status != retrying) {
		line.Cursor, m.cursor = m.cursor, ""
	}
	if m.states != "" && (m.aside || m.status != retrying) {
		line.States, m.states = m.states, ""
	}
}

// delay has a message sent again after a pause, or gives it up. Whoever is gone may be enabled once more.
func (m *message) delay(now time.Time) {
	pause, more := m.outcome.Pause(m.tries)
	if !more && m.outcome.Verdict() != webhook.Gone {
		m.status = failed
		return
	}
	m.next = now.Add(pause)
}

// note stores what came of a message, in one transaction with how far the line has come. It tries until it
// has succeeded, or ctx ends: nothing else is sent meanwhile.
func (e *endpoint) note(ctx context.Context, m *message, line deliveries.Line) error {
	for told := false; ; {
		err := e.save(ctx, m, &line)
		if err == nil {
			e.take(line)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		if !told {
			e.Log.Error("what came of a webhook's call cannot be noted", "webhook", e.WebhookID, "message", m.ID, "error", err)
			told = true
		}
		pause(ctx, tryEvery)
	}
}

// save stores a message, what came of it, and the line, if any. A call that was made is noted even if ctx has
// ended.
func (d *Dispatcher) save(ctx context.Context, m *message, line *deliveries.Line) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteFor)
	defer cancel()
	return d.Deliveries.WriteRow(ctx, func(q *deliveries.Queries) error {
		err := q.SaveMessage(ctx, deliveries.SaveMessageParams{
			MessageID: m.ID, Event: m.event, Body: m.Body, CreatedAt: timeText(m.created),
		})
		if err == nil {
			err = q.SaveDelivery(ctx, m.row(d.now()))
		}
		if err == nil && line != nil {
			err = q.SaveLine(ctx, deliveries.SaveLineParams(*line))
		}
		return err
	})
}

// judge disables a webhook that wants no more, or has done nothing but fail for too long. That is only believed of a
// message that has failed some times, which takes hours: else the clock may have been put forward meanwhile.
func (e *endpoint) judge(ctx context.Context, m *message) error {
	long := func(since string) bool { return e.now().Sub(timeOf(since)) >= giveUpAfter }
	switch {
	case m.outcome.Verdict() == webhook.Gone:
		return e.disable(ctx, "gone")
	case long(*e.line.FailingSince) && long(e.ActiveSince) && m.tries >= giveUpTries:
		return e.disable(ctx, "failing")
	}
	return nil
}

func (e *endpoint) disable(ctx context.Context, reason string) error {
	err := e.Metadata.Write(ctx, func(q *db.Queries) error {
		_, err := q.DisableWebhook(ctx, db.DisableWebhookParams{Reason: &reason, WebhookID: e.WebhookID, Url: e.Url})
		return err
	})
	if err == nil {
		e.over = true
		e.Log.Warn("webhook disabled", "webhook", e.WebhookID, "reason", reason)
	}
	return err
}

// Test sends a message to a webhook that is of no change, once, be it enabled or not, and returns it as a
// delivery. The error is db.ErrNotFound where there is no such webhook.
func (d *Dispatcher) Test(ctx context.Context, id string) (none deliveries.Delivery, err error) {
	t, err := d.Metadata.GetWebhookTarget(ctx, id)
	if err != nil {
		return none, db.Classify(err)
	}
	m, err := ofTest(id, d.now())
	if err != nil {
		return none, err
	}
	o := d.call(ctx, t, &m)
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	if m.status = failed; o.Verdict() == webhook.Arrived {
		m.status = delivered
	}
	if err := d.save(ctx, &m, nil); err != nil {
		return none, err
	}
	return d.Deliveries.GetDelivery(ctx, deliveries.GetDeliveryParams{WebhookID: id, ID: m.ID})
}

// secretsOf are those that are good now, the newest first.
func secretsOf(t db.WebhookTarget, now time.Time) []string {
	if t.OldSecret != "" && timeText(now) < t.OldSecretUntil {
		return []string{t.Secret, t.OldSecret}
	}
	return []string{t.Secret}
}
