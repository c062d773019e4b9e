package dispatch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/webhook"
)

// How an endpoint goes along.
const (
	pageSize  = 100             // changes that are looked at in one go
	idle      = 5 * time.Minute // without a change, or a try
	noteEvery = time.Minute     // how far it has come, where nothing was sent
	tryEvery  = time.Second     // what the databases do not allow now
)

// endpoint is a webhook that is called. All of its calls are made by run, one after the other.
type endpoint struct {
	*Dispatcher
	db.WebhookTarget
	events webhook.Events
	filter webhook.Filter

	wantsStates bool

	stop  context.CancelFunc
	ended chan struct{}

	// What follows is for run alone.
	line   *deliveries.Line // as it is noted; nil before it is loaded
	cursor db.Position      // of line, or past it where nothing was wanted
	states db.Position      // the same in the history
	clear  bool             // nothing is to be sent again, as far as we know
	out    bool             // states cannot be read, which is in the log
	noted  time.Time        // when line was
	quiet  time.Time        // until when the receiver wants to be left alone
	over   bool             // it was disabled

	waitMu  sync.Mutex
	endWait context.CancelFunc

	changed atomic.Bool // others have changed what is to be sent again
	asleep  atomic.Bool // it may send nothing now
	idle    atomic.Bool // it waits, and there is nothing to send
	place   atomic.Pointer[place]
}

// newEndpoint reads what was checked when it was registered: what has become unreadable matches nothing.
func newEndpoint(d *Dispatcher, t db.WebhookTarget, stop context.CancelFunc) *endpoint {
	e := &endpoint{Dispatcher: d, WebhookTarget: t, stop: stop, ended: make(chan struct{}), endWait: func() {}}
	json.Unmarshal([]byte(t.Events), &e.events)
	if json.Unmarshal([]byte(t.Filter), &e.filter) != nil {
		e.events = nil
	}
	e.wantsStates = e.events.WantStates()
	return e
}

func (e *endpoint) hasEnded() bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
	}
}

// run calls the webhook until ctx ends, or it is disabled.
func (e *endpoint) run(ctx context.Context) error {
	defer e.Registered() // it may be wanted anew
	defer close(e.ended)
	defer e.stop()
	for told := false; ctx.Err() == nil && !e.over; {
		err := e.step(ctx)
		if err == nil || ctx.Err() != nil {
			told = false
			continue
		}
		if !told && !errors.Is(db.Classify(err), db.ErrUnavailable) { // which is in the log anyhow
			e.Log.Error("webhook is held up", "webhook", e.WebhookID, "error", err)
			told = true
		}
		pause(ctx, tryEvery)
	}
	return nil
}

// step sends what is due, or waits for it: the line and what is aside take turns.
func (e *endpoint) step(ctx context.Context) error {
	if err := e.load(ctx); err != nil {
		return err
	}
	wait, done := e.waiting(ctx)
	defer done()
	if rest := e.quiet.Sub(e.now()); rest > 0 {
		e.sleep(wait, rest)
		return nil
	}
	head, beside, err := e.due(ctx)
	if err != nil {
		return err
	}
	patience := max(0, min(idle, e.until(head), e.until(beside)))
	if e.until(beside) <= 0 {
		if held, err := e.deliver(ctx, beside); held || err != nil {
			return err
		}
	}
	switch {
	case head == nil:
		return e.follow(ctx, wait, patience)
	case e.until(head) <= 0:
		_, err := e.deliver(ctx, head)
		return err
	}
	e.sleep(wait, patience)
	return nil
}

// sleep waits while nothing may be sent, whatever comes.
func (e *endpoint) sleep(wait context.Context, length time.Duration) {
	e.asleep.Store(true)
	pause(wait, length)
	e.asleep.Store(false)
}

// waiting returns a context that ends when the endpoint is to look anew at what is due.
func (e *endpoint) waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	wait, cancel := context.WithCancel(ctx)
	e.waitMu.Lock()
	e.endWait = cancel
	e.waitMu.Unlock()
	return wait, cancel
}

// hasten has what is due looked up at once: another one than the endpoint has changed it.
func (e *endpoint) hasten() {
	e.changed.Store(true)
	e.wake()
}

// wake ends a wait.
func (e *endpoint) wake() {
	e.waitMu.Lock()
	e.endWait()
	e.waitMu.Unlock()
}

// due is what was sent before and is to be sent next, of the line and of what is aside; nil where there is
// nothing.
func (e *endpoint) due(ctx context.Context) (head, beside *message, err error) {
	if !e.changed.Swap(false) && e.clear {
		return nil, nil, nil
	}
	if head, err = e.next(ctx, false); err == nil {
		beside, err = e.next(ctx, true)
	}
	e.clear = err == nil && head == nil && beside == nil
	return head, beside, err
}

func (e *endpoint) next(ctx context.Context, aside bool) (*message, error) {
	row, err := e.Deliveries.GetDue(ctx, deliveries.GetDueParams{WebhookID: e.WebhookID, Aside: aside})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return again(row), err
}

// until is how long it is until a message is due; for ever where there is none.
func (e *endpoint) until(m *message) time.Duration {
	if m == nil {
		return 1<<63 - 1
	}
	return m.next.Sub(e.now())
}

// follow sends the states and the changes that are wanted, until one is held, and waits for some where there are none.
// Its wait alone may be ended.
func (e *endpoint) follow(ctx, wait context.Context, patience time.Duration) error {
	if e.wantsStates {
		more, held, err := e.followStates(ctx)
		if ctx.Err() != nil {
			return err
		}
		e.statesOut(err)
		switch {
		case held:
			return err
		case err != nil:
			patience = min(patience, tryEvery) // changes go on meanwhile
		case more:
			wait, patience = ctx, 0 // changes take turns with states
		}
	}
	e.idle.Store(patience > 0)
	defer e.idle.Store(false)
	return e.followChanges(ctx, wait, patience)
}

func (e *endpoint) followChanges(ctx, wait context.Context, patience time.Duration) error {
	page, err := e.Metadata.AwaitChanges(wait, db.ChangeQuery{
		Since: db.Bound{Position: e.cursor}, Kinds: e.events.Kinds(), Limit: pageSize,
	}, patience)
	var lost *db.Gone
	switch {
	case errors.As(err, &lost):
		return e.tellGap(ctx, lost)
	case err != nil && wait.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	e.idle.Store(false)
	for _, c := range page.Changes {
		if !e.events.Want(c) || !e.filter.Want(c) {
			continue
		}
		m, err := ofChange(c, page.Since.After(c))
		if err != nil {
			return err
		}
		if held, err := e.deliver(ctx, &m); held || err != nil {
			return err
		}
	}
	e.cursor = page.Next
	return e.noteCursor(ctx)
}

// tellGap says that changes are lost.
func (e *endpoint) tellGap(ctx context.Context, lost *db.Gone) error {
	log, err := e.Metadata.ChangeLog(ctx)
	if err != nil {
		return err
	}
	return e.tell(ctx, lost, "changes", e.cursor, log)
}

// tell says to the log and to the webhook that something is lost to it, and goes on after that: where the log was
// pruned with what is kept, where it is another one with what is to come.
func (e *endpoint) tell(ctx context.Context, lost *db.Gone, of string, from db.Position, log db.Log) error {
	to := log.Newest
	if lost.Reason == db.Pruned {
		to = log.Oldest
	}
	g := gap{Of: of, Reason: lost.Reason, Detail: lost.Detail, From: from.String(), To: to.String()}
	e.Log.Warn(of+" are lost to a webhook", "webhook", e.WebhookID, "reason", g.Reason, "from", g.From, "to", g.To)
	m, err := ofGap(g, e.now())
	if err == nil {
		_, err = e.deliver(ctx, &m)
	}
	return err
}
