// Package webhooktest receives webhooks, and holds what arrives to be signed, whole and in order. It is for tests and
// for measurements.
package webhooktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Secret is that of all webhooks which a Receiver is for.
const Secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

// Receiver takes what is sent to any number of webhooks about the rows d0, d1, d2 and so on, or about an entity that
// takes the states d0, d1, d2. It is safe for concurrent use.
type Receiver struct {
	AnyTime bool // whether messages may say that they were sent at any time; to be set before there are any

	hook    *standardwebhooks.Webhook
	address string
	server  *http.Server
	served  chan struct{} // closed when server has ended

	mu     sync.Mutex
	lines  map[string]*line // by the path of the webhook
	wrong  error            // the first thing that was
	arrive chan struct{}    // closed, and made anew, whenever something arrives
}

// line is what has arrived for one webhook.
type line struct {
	rows int    // so many, each in its turn
	last string // id of the message about the last of them
}

// Start starts a receiver on any free port of this machine.
func Start() (*Receiver, error) {
	hook, err := standardwebhooks.NewWebhook(Secret)
	if err != nil {
		return nil, err
	}
	r := &Receiver{hook: hook, address: "127.0.0.1:0", lines: map[string]*line{}, arrive: make(chan struct{})}
	return r, r.Revive()
}

// URL is where the webhook of a name is to be called.
func (r *Receiver) URL(name string) string { return "http://" + r.address + "/" + name }

// Kill ends it at once, calls that are under way included. What has arrived is remembered.
func (r *Receiver) Kill() {
	r.server.Close()
	<-r.served
}

// Revive starts it where it was before it was killed.
func (r *Receiver) Revive() error {
	listener, err := net.Listen("tcp", r.address)
	if err != nil {
		return err
	}
	r.address = listener.Addr().String()
	server, served := &http.Server{Handler: r}, make(chan struct{})
	r.server, r.served = server, served
	go func() {
		defer close(served)
		server.Serve(listener)
	}()
	return nil
}

// ServeHTTP takes a call.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // it was cut off
	}
	if err := r.take(q, body); err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.wrong == nil {
			r.wrong = fmt.Errorf("%s: %w: %.300s", q.URL.Path, err, body)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// take notes a message. The same one may come again as long as none came after it: nobody knows whether the answer
// to it arrived.
func (r *Receiver) take(q *http.Request, body []byte) error {
	verify := r.hook.Verify
	if r.AnyTime {
		verify = r.hook.VerifyIgnoringTimestamp
	}
	if err := verify(body, q.Header); err != nil {
		return err
	}
	row, err := rowOf(body)
	if err != nil {
		return err
	}
	id := q.Header.Get(standardwebhooks.HeaderWebhookID)
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.line(strings.TrimPrefix(q.URL.Path, "/"))
	switch {
	case row == fmt.Sprintf("d%d", l.rows):
		l.rows, l.last = l.rows+1, id
		close(r.arrive)
		r.arrive = make(chan struct{})
	case id != l.last:
		return fmt.Errorf("got %s after %d rows", row, l.rows)
	}
	return nil
}

// rowOf is what a message is about: a row, or the state that an entity took, of which the one before must be right.
func rowOf(body []byte) (string, error) {
	type state struct{ State string }
	var message struct {
		Type string
		Data struct {
			ID  string
			Old *state `json:"old_state"`
			New *state `json:"new_state"`
		}
	}
	err := json.Unmarshal(body, &message)
	if err != nil || message.Type != "state.changed" {
		return message.Data.ID, err
	}
	before, n := state{"none"}, 0
	if message.Data.Old != nil {
		before = *message.Data.Old
	}
	if fmt.Sscanf(message.Data.New.State, "d%d", &n); before.State != fmt.Sprintf("d%d", n-1) && n > 0 {
		return "", fmt.Errorf("%s came after %s", message.Data.New.State, before.State)
	}
	return message.Data.New.State, nil
}

func (r *Receiver) line(name string) *line {
	if r.lines[name] == nil {
		r.lines[name] = &line{}
	}
	return r.lines[name]
}

// Await waits until so many rows have arrived for a webhook. The error is about what arrived that should not have,
// in the line of any webhook, or that of ctx.
func (r *Receiver) Await(ctx context.Context, name string, rows int) error {
	for {
		r.mu.Lock()
		here, wrong, arrive := r.line(name).rows, r.wrong, r.arrive
		r.mu.Unlock()
		if wrong != nil || here >= rows {
			return wrong
		}
		select {
		case <-arrive:
		case <-ctx.Done():
			return fmt.Errorf("%s: %d of %d rows have arrived: %w", name, here, rows, ctx.Err())
		}
	}
}
