package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/stateevent"
	"dataapi/internal/webhook"
)

// How pages of states are shared by webhooks that are at the same place: for so long, as what is said of entities is
// to be as of now.
const (
	sharedFor   = time.Second
	sharedPages = 8
)

// statePage is what came after a place in the history, but for what left states as they were.
type statePage struct {
	news []news
	next db.Position
	read time.Time
}

// news is a state that an entity took, with its message.
type news struct {
	webhook.State
	message
}

// statePages are read once for all who are at the same place.
type statePages struct {
	mu   sync.Mutex
	kept map[db.Position]*statePage
}

// statesAfter is what came after a place. The error is db.ErrGone where some of it is lost.
func (d *Dispatcher) statesAfter(ctx context.Context, since db.Position) (*statePage, error) {
	p := &d.pages
	p.mu.Lock()
	defer p.mu.Unlock()
	if page := p.kept[since]; page != nil && time.Since(page.read) < sharedFor {
		return page, nil
	}
	page, err := d.readStates(ctx, since)
	if err != nil || page.next == since {
		return page, err
	}
	maps.DeleteFunc(p.kept, func(_ db.Position, o *statePage) bool { return time.Since(o.read) >= sharedFor })
	if p.kept == nil || len(p.kept) >= sharedPages {
		p.kept = map[db.Position]*statePage{}
	}
	p.kept[since] = page
	return page, nil
}

func (d *Dispatcher) readStates(ctx context.Context, since db.Position) (*statePage, error) {
	page := &statePage{read: time.Now()}
	arrivals, err := d.Past.Arrivals(ctx, since, pageSize)
	if err != nil {
		return nil, err
	}
	page.next = arrivals.Next
	var events []history.Event
	var changed []embedded.Arrival
	for _, a := range arrivals.List {
		if n := (webhook.State{Old: a.Old, New: a.State}); n.Changed() {
			events, changed = append(events, a.Event), append(changed, a)
		}
	}
	described, rows, err := stateevent.Describe(ctx, d.Metadata.Queries, d.Past, events)
	for i := 0; i < len(changed) && err == nil; i++ {
		var n news
		n, err = d.newsOf(ctx, changed[i], rows[changed[i].EntityID], described[i])
		page.news = append(page.news, n)
	}
	return page, err
}

func (d *Dispatcher) newsOf(ctx context.Context, a embedded.Arrival, row *db.Entity, e stateevent.Event) (n news, err error) {
	n.State = webhook.State{EntityID: a.EntityID, New: a.State, Old: a.Old, Known: a.Known}
	if n.Row, err = rowOf(a.EntityID, row); err == nil {
		n.message, err = d.ofState(ctx, e, a.Place)
	}
	return n, err
}

// rowOf is the row of an entity as a filter reads it. One that the registry does not know is in no area.
func rowOf(id string, known *db.Entity) (row map[string]any, err error) {
	if known == nil {
		domain, _, _ := strings.Cut(id, ".")
		return map[string]any{"entity_id": id, "domain": domain, "area_id": nil}, nil
	}
	text, err := json.Marshal(known)
	if err == nil {
		err = json.Unmarshal(text, &row)
	}
	return row, err
}

// ofState is the message of a state. What was sent to one webhook is sent to all, whatever became of the entity.
func (d *Dispatcher) ofState(ctx context.Context, e stateevent.Event, after db.Position) (message, error) {
	m, err := newMessage("state_"+idOf(after.String()), timeText(e.Timestamp), webhook.StateChanged, e)
	m.states = after.String()
	if err != nil {
		return m, err
	}
	body, err := d.Deliveries.GetBody(ctx, m.ID)
	switch {
	case err == nil:
		m.Body = body
	case !errors.Is(err, sql.ErrNoRows):
		return m, err
	}
	return m, nil
}

// followStates sends a page of the states that are wanted, until one is held. more says that there may be others.
func (e *endpoint) followStates(ctx context.Context) (more, held bool, err error) {
	if e.states == (db.Position{}) {
		if err := e.beginStates(ctx); err != nil {
			return false, false, err
		}
	}
	page, err := e.statesAfter(ctx, e.states)
	var lost *db.Gone
	if errors.As(err, &lost) {
		return true, false, e.tellLostStates(ctx, lost)
	}
	if err != nil || page.next == e.states {
		return false, false, err
	}
	for _, n := range page.news {
		if !e.filter.WantState(n.State) {
			continue
		}
		m := n.message
		if held, err := e.deliver(ctx, &m); held || err != nil {
			return false, held, err
		}
	}
	e.states = page.next
	return true, false, e.noteCursor(ctx)
}

// statesOut takes note of why states cannot be read, or that they can.
func (e *endpoint) statesOut(err error) {
	if err != nil && !e.out && !errors.Is(db.Classify(err), db.ErrUnavailable) { // which is in the log anyhow
		e.Log.Error("webhook gets no states", "webhook", e.WebhookID, "error", err)
	}
	e.out = err != nil
}

// beginStates begins with what comes from now on: where the history could not be seen when the webhook was registered.
func (e *endpoint) beginStates(ctx context.Context) error {
	at, err := e.Past.Newest(ctx)
	if err != nil {
		return err
	}
	line := *e.line
	line.States = at.String()
	return e.saveLine(ctx, line)
}

// tellLostStates is tellGap for states.
func (e *endpoint) tellLostStates(ctx context.Context, lost *db.Gone) error {
	log, err := e.Past.Locate(ctx, e.states)
	if err != nil && !errors.Is(err, db.ErrGone) {
		return err
	}
	return e.tell(ctx, lost, "states", e.states, log)
}

// StatesNow is the place after all states that have come; "" where the history cannot be seen.
func (d *Dispatcher) StatesNow(ctx context.Context) string {
	at, err := d.Past.Newest(ctx)
	if err != nil {
		return ""
	}
	return at.String()
}
