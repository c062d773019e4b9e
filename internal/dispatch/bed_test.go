package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/db/deliveries"
	"dataapi/internal/history/embedded"
	"dataapi/internal/webhook"
)

// bed is a home whose webhooks are called.
type bed struct {
	*testing.T
	metadata *db.DB
	past     *embedded.Store
	sent     *deliveries.DB
	log      *journal
	passed   atomic.Int64 // time that only the dispatcher has seen pass
	d        *Dispatcher
	halt     func()
}

// spill is how many states are kept for a webhook that is behind.
const spill = 10

// newBed returns one whose dispatcher runs until the test ends.
func newBed(t *testing.T) *bed {
	t.Helper()
	folder := t.TempDir()
	b := &bed{T: t, log: &journal{}, halt: func() {}}
	quiet := slog.New(slog.DiscardHandler)
	b.metadata = db.Prepare(db.DefaultConfig(filepath.Join(folder, "metadata.db")), quiet)
	b.sent = deliveries.Prepare(db.DefaultConfig(filepath.Join(folder, "webhooks.db")), quiet)
	b.past = embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(folder, "history.db")), Spill: spill}, quiet)
	t.Cleanup(func() { b.metadata.Close(); b.sent.Close(); b.past.Close() })
	if err := b.metadata.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.sent.Open(t.Context()), b.past.Open(t.Context())); err != nil {
		t.Fatal(err)
	}
	runs(t, b.metadata.Run)
	b.start()
	t.Cleanup(func() { b.halt() })
	return b
}

// runs runs something until the test ends, or it is halted.
func runs(t *testing.T, run func(context.Context) error) (halt func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	halt = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(halt)
	return halt
}

// start starts a dispatcher in place of the one before, as another process would.
func (b *bed) start() {
	b.Helper()
	b.halt()
	allow, err := webhook.ParsePrefixes("127.0.0.1")
	if err != nil {
		b.Fatal(err)
	}
	b.d = New(Config{
		Metadata: b.metadata, Past: b.past, Deliveries: b.sent, Targets: webhook.Targets{Allow: allow},
		Log: slog.New(slog.NewTextHandler(b.log, nil)), Version: "test",
	})
	b.d.now = func() time.Time { return time.Now().Add(time.Duration(b.passed.Load())) }
	b.halt = runs(b.T, b.d.Run)
}

// pass lets time pass.
func (b *bed) pass(length time.Duration) {
	b.passed.Add(int64(length))
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	for _, e := range b.d.running {
		e.hasten()
	}
}

// register registers a webhook from where the log is now. edit may be nil.
func (b *bed) register(id, url string, edit func(*db.CreateWebhookParams)) {
	b.Helper()
	err := b.metadata.Write(b.Context(), func(q *db.Queries) error {
		log, err := q.ChangeLog(b.Context())
		if err != nil {
			return err
		}
		p := db.CreateWebhookParams{WebhookID: id, Url: url, Events: `["floor.*"]`, Filter: `{}`, Secret: secret, Since: log.Newest.String()}
		if edit != nil {
			edit(&p)
		}
		_, err = q.CreateWebhook(b.Context(), p)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	b.d.Registered()
}

// secret is that of all webhooks here.
const secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

// edit writes a webhook as it is, but for what change changes.
func (b *bed) edit(id string, change func(*db.UpdateWebhookParams)) {
	b.Helper()
	err := b.metadata.Write(b.Context(), func(q *db.Queries) error {
		w, err := q.GetWebhook(b.Context(), id)
		if err != nil {
			return err
		}
		p := db.UpdateWebhookParams{Url: w.Url, Events: w.Events, Filter: w.Filter, Team: w.Team, Status: w.Status, WebhookID: id}
		change(&p)
		return q.UpdateWebhook(b.Context(), p)
	})
	if err != nil {
		b.Fatal(err)
	}
	b.d.Registered()
}

// floors makes floors, each by a change of its own.
func (b *bed) floors(ids ...string) {
	b.Helper()
	for _, id := range ids {
		err := b.metadata.Write(b.Context(), func(q *db.Queries) error {
			return q.SaveFloor(b.Context(), db.SaveFloorParams{
				FloorID: id, Name: id, Aliases: "[]", Extra: "{}",
				CreatedAt: "2026-01-01T00:00:00.000000Z", UpdatedAt: "2026-01-01T00:00:00.000000Z",
			})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// numbered are n ids.
func numbered(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("f%d", i))
	}
	return ids
}

// webhook is what is registered.
func (b *bed) webhook(id string) db.Webhook {
	b.Helper()
	w, err := b.metadata.GetWebhook(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	return w
}

// deliveries are those to a webhook, the newest first.
func (b *bed) deliveries(id string) []deliveries.Delivery {
	b.Helper()
	rows, err := b.sent.ListDeliveries(b.Context(), deliveries.ListDeliveriesParams{WebhookID: id, Before: 1 << 62, Lim: 10_000})
	if err != nil {
		b.Fatal(err)
	}
	return rows
}

// eventually waits for something to hold, for as long as a busy machine may need.
func (b *bed) eventually(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("not within 30 s: %s\n%s", what, b.log)
		}
	}
}

// journal is a log that can be read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

type taken struct{ State string }

// call is a call as a receiver had it.
type call struct {
	id, event, body string
	header          http.Header
	Data            struct {
		ID, Of, Reason, From, To string
		After                    dbtype.JSON
		EntityID                 string `json:"entity_id"`
		OldState                 *taken `json:"old_state"`
		NewState                 *taken `json:"new_state"`
	}
}

// receiver keeps the calls that it gets.
type receiver struct {
	URL    string
	mu     sync.Mutex
	calls  []call
	answer func(http.ResponseWriter, call) // nil for 204
}

func (b *bed) receiver(answer func(http.ResponseWriter, call)) *receiver {
	b.Helper()
	r := &receiver{answer: answer}
	server := httptest.NewServer(r)
	b.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	c := call{id: q.Header.Get("webhook-id"), body: string(body), header: q.Header}
	json.Unmarshal(body, &struct {
		Type *string
		Data any
	}{&c.event, &c.Data})
	r.mu.Lock()
	r.calls = append(r.calls, c)
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, c)
	}
}

// become answers otherwise from now on.
func (r *receiver) become(answer func(http.ResponseWriter, call)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// got are the calls so far.
func (r *receiver) got() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]call{}, r.calls...)
}

// rows are the ids of the rows that the calls were about, with spaces between them.
func (r *receiver) rows() string {
	var ids []string
	for _, c := range r.got() {
		ids = append(ids, c.Data.ID)
	}
	return strings.Join(ids, " ")
}

// of answers all calls with a status.
func of(status int) func(http.ResponseWriter, call) {
	return func(w http.ResponseWriter, _ call) { w.WriteHeader(status) }
}
