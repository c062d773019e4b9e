package server

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"dataapi/db"
	"dataapi/internal/auth"
)

// streamChanges follows the change log: from now on, unless the client says from where. Where that cannot
// be told without a gap, the stream says so by an event and goes on from now.
func (s *Server) streamChanges(r *http.Request, f feed) (any, error) {
	now, err := s.DB.Newest(r.Context())
	if err != nil {
		return nil, err
	}
	if f.Since == (db.Bound{}) {
		f.Since.Position = now
	}
	return stream((&follower{server: s, query: f.ChangeQuery, caller: callerOf(r)}).run), nil
}

// resumed is where a stream begins: after the last event that the client has had, if it says so, whatever
// its URL says.
func (q *query) resumed(r *http.Request, since db.Bound) db.Bound {
	for _, name := range []string{"until", "limit", "wait", "collapse"} {
		if q.values.Has(name) {
			q.refuse(name, "does not go with a stream")
		}
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return since
	}
	p, ok := db.ParsePosition(last)
	if !ok {
		q.refuse("Last-Event-ID", "must be the id of an event of this stream")
	}
	return db.Bound{Position: p}
}

// follower is a client that follows the change log.
type follower struct {
	*events
	server *Server
	query  db.ChangeQuery
	caller auth.Caller
	told   db.Position // which the client has as the last id
}

func (f *follower) run(e *events) {
	f.events = e
	for patience := time.Duration(0); f.next(patience); patience = f.server.heartbeat {
	}
}

// next sends what comes next, or a sign of life, and says whether the stream goes on: not with a key that was revoked.
func (f *follower) next(patience time.Duration) bool {
	p, err := f.server.DB.AwaitChanges(f.ctx, f.query, patience)
	if f.server.Guard.Still(f.ctx, f.caller) != nil {
		return false
	}
	var gone *db.Gone
	var down *db.Unavailable
	switch {
	case errors.As(err, &gone):
		err = f.reset(gone)
	case errors.As(err, &down) && down.Reason != db.Closed:
		err = f.outlast()
	case err == nil:
		err = f.send(&p)
	}
	if err != nil && !errors.Is(err, db.ErrUnavailable) && f.ctx.Err() == nil {
		f.server.Log.Error("stream failed", "request_id", f.to.Header().Get("X-Request-Id"), "error", err)
	}
	return err == nil && f.flush()
}

func (f *follower) send(p *db.ChangePage) error {
	for _, change := range p.Changes {
		f.told = p.Since.After(change)
		event, err := f.server.frames.of(f.told, change)
		if err != nil {
			return err
		}
		f.add(event)
	}
	f.goOn(p.Next)
	return nil
}

// goOn goes on at a position. Where no event has told the client of it, a comment does.
func (f *follower) goOn(at db.Position) {
	switch {
	case f.told != at:
		f.beat(at.String())
	case len(f.buffer) == 0:
		f.beat("")
	}
	f.query.Since, f.told = db.Bound{Position: at}, at
}

// reset tells the client that it has missed changes which cannot be told any more.
func (f *follower) reset(why *db.Gone) error {
	log, err := f.server.DB.ChangeLog(f.ctx)
	if err != nil {
		return err
	}
	data, err := encode(reset{Reason: why.Reason, Detail: why.Detail})
	f.add(frame(log.Newest.String(), "reset", data))
	f.told = log.Newest
	f.goOn(log.Newest)
	return err
}

// reset is the data of the event that says that there is a gap.
type reset struct {
	Reason db.Reason `json:"reason"`
	Detail string    `json:"detail"`
}

// outlast waits for the database to come back.
func (f *follower) outlast() error {
	select {
	case <-f.ctx.Done():
	case <-time.After(min(time.Second, f.server.heartbeat)):
	}
	f.beat("")
	return f.ctx.Err()
}

// frames keeps the events that were encoded last: all who follow the log get the same ones.
type frames struct {
	mu   sync.Mutex
	last map[db.Position][]byte
	size int
}

// mostFrames is how many bytes of events are kept.
const mostFrames = 1 << 20

// of is the event of a change, which is the one before a position.
func (f *frames) of(at db.Position, c db.Change) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.last[at]; ok {
		return known, nil
	}
	data, err := encode(c)
	if err != nil {
		return nil, err
	}
	event := frame(at.String(), c.Kind+"."+c.Action, data)
	if f.size += len(event); f.last == nil || f.size > mostFrames {
		f.last, f.size = map[db.Position][]byte{}, len(event)
	}
	f.last[at] = event
	return event, nil
}
