package dispatch

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/webhook"
)

// What became of a message.
const (
	retrying  = "retrying" // it is to be sent, again
	delivered = "delivered"
	failed    = "failed" // given up
)

// Types of events that are of no change.
const (
	testEvent = "webhook.test"
	gapEvent  = "webhook.gap"
)

// message is what is sent to a webhook, and what became of it.
type message struct {
	webhook.Message
	event   string
	status  string
	aside   bool   // the line does not wait for it
	cursor  string // the place in the change log after it, until the line has come there,
	states  string // or the one in the history
	tries   int64
	created time.Time
	next    time.Time // when it is to be sent, where it is retried

	to      string          // the webhook that it was sent to last
	outcome webhook.Outcome // what came of that
}

// payload is the body of a message, as the Standard Webhooks specification has it.
type payload struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

func newMessage(id, at, event string, data any) (message, error) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	err := e.Encode(payload{Type: event, Timestamp: at, Data: data})
	text := strings.TrimSuffix(body.String(), "\n")
	return message{Message: webhook.Message{ID: id, Body: text}, event: event, status: retrying}, err
}

// ofChange is the message of a change; after is the place in the log after it.
func ofChange(c db.Change, after db.Position) (message, error) {
	m, err := newMessage("msg_"+idOf(after.String()), c.At, c.Kind+"."+c.Action, c)
	m.cursor = after.String()
	return m, err
}

// gap is the data of a message that says that changes or states are lost.
type gap struct {
	Of     string    `json:"of"`     // changes or states
	Reason db.Reason `json:"reason"` // as where the change feed answers 410
	Detail string    `json:"detail"`
	From   string    `json:"from"` // the cursor after which changes are missing
	To     string    `json:"to"`   // and up to which
}

// ofGap is the message that some are lost. It stands in the line in their place.
func ofGap(g gap, now time.Time) (message, error) {
	m, err := newMessage("gap_"+idOf(g.From)+"_"+idOf(g.To), timeText(now), gapEvent, g)
	if g.Of == "states" {
		m.states = g.To
	} else {
		m.cursor = g.To
	}
	return m, err
}

// ofTest is a message that is of no change.
func ofTest(id string, now time.Time) (message, error) {
	m, err := newMessage("test_"+rand.Text(), timeText(now), testEvent, map[string]string{"webhook_id": id})
	m.aside = true
	return m, err
}

// idOf is a cursor as part of a message's id, which is signed with dots around it.
func idOf(cursor string) string { return strings.ReplaceAll(cursor, ".", "_") }

// again is a message that was sent before.
func again(row deliveries.GetDueRow) *message {
	return &message{
		Message: webhook.Message{ID: row.MessageID, Body: row.Body}, event: row.Event, status: retrying, aside: row.Aside,
		cursor: row.Cursor, states: row.States, tries: row.Attempts, created: timeOf(row.CreatedAt), next: timeOf(row.NextAt),
	}
}

// row is a message with what came of sending it.
func (m *message) row(now time.Time) deliveries.SaveDeliveryParams {
	o := m.outcome
	ms := float64(o.Latency.Microseconds()) / 1000
	row := deliveries.SaveDeliveryParams{
		WebhookID: m.to, MessageID: m.ID, Status: m.status, Aside: m.aside, Cursor: m.cursor, States: m.states, Attempts: m.tries,
		LatencyMs: &ms, CreatedAt: timeText(m.created), UpdatedAt: timeText(now),
	}
	if m.status == retrying {
		at := timeText(m.next)
		row.NextAt = &at
	}
	if o.Status == 0 {
		row.Error = shown(o.Problem)
		return row
	}
	status := int64(o.Status)
	row.StatusCode, row.Response = &status, shown(o.Answer)
	return row
}

// shown is text for people, whose tools for SQLite take a NUL for its end.
func shown(text string) *string {
	text = strings.ReplaceAll(text, "\x00", "\ufffd")
	return &text
}
