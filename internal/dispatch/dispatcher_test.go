package dispatch

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/db/deliveries"
)

func TestAllInOrderAndOnce(t *testing.T) {
	b := newBed(t)
	b.floors("before")
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	ids := numbered(2*pageSize + 50)
	b.floors(ids...)
	want := strings.Join(ids, " ")
	b.eventually("all arrive in order", func() bool { return r.rows() == want })
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range r.got() {
		if err := hook.Verify([]byte(c.body), c.header); err != nil || c.event != "floor.created" || !strings.Contains(string(c.Data.After), c.Data.ID) {
			t.Fatalf("%v: %+v", err, c)
		}
		known[c.id] = true
	}
	if len(known) != len(ids) {
		t.Errorf("%d messages have %d ids", len(ids), len(known))
	}
	b.eventually("all are noted", func() bool { return len(b.deliveries("a")) == len(ids) })
	for _, d := range b.deliveries("a") {
		if d.Status != delivered || d.Attempts != 1 || *d.StatusCode != 200 || d.NextAt != nil || *d.LatencyMs <= 0 || !known[d.ID] {
			t.Fatalf("%+v", d)
		}
	}
	b.start()
	b.floors("after")
	b.eventually("a new dispatcher goes on", func() bool { return r.rows() == want+" after" })
}

func TestOnlyWhatIsWanted(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.register("a", r.URL, func(p *db.CreateWebhookParams) { p.Events, p.Filter = `["floor.created"]`, `{"id":["f1","f2"]}` })
	b.register("nothing", r.URL, func(p *db.CreateWebhookParams) { p.Events = `["game_started"]` })
	b.register("broken", r.URL, func(p *db.CreateWebhookParams) { p.Filter = `{"id":7}` })
	b.floors("f1", "f3", "f2")
	b.eventually("it arrives", func() bool { return r.rows() == "f1 f2" })
}

// A webhook comes past changes that it does not want, so that they can be pruned.
func TestPastWhatIsNotWanted(t *testing.T) {
	b := newBed(t)
	b.register("a", "http://127.0.0.1:1", func(p *db.CreateWebhookParams) { p.Filter = `{"id":["nobody"]}` })
	for _, id := range numbered(1000) {
		b.pass(noteEvery)
		b.floors(id)
		line, err := b.sent.GetLine(t.Context(), "a")
		if at, ok := db.ParsePosition(line.Cursor); err == nil && ok && at.Seq > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("how far it is was not noted")
}

// What was sent when the process ended, and was not noted, is sent again under its id.
func TestCutOff(t *testing.T) {
	b := newBed(t)
	block := make(chan struct{})
	r := b.receiver(func(http.ResponseWriter, call) { <-block })
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.eventually("it is called", func() bool { return r.rows() == "f1" })
	b.start()
	if n := len(b.deliveries("a")); n != 0 {
		t.Errorf("%d deliveries of a call that was cut off", n)
	}
	r.become(nil)
	close(block)
	b.eventually("it goes on", func() bool { return r.rows() == "f1 f1 f2" })
	if got := r.got(); got[0].id != got[1].id || got[0].body != got[1].body || got[1].id == got[2].id {
		t.Errorf("the calls are %+v", got)
	}
}

// Nothing is called as long as what comes of it cannot be noted.
func TestWithoutDeliveries(t *testing.T) {
	b := newBed(t)
	b.halt()
	b.sent = deliveries.Prepare(db.DefaultConfig(t.TempDir()+"/webhooks.db"), b.d.Log)
	defer b.sent.Close()
	b.start()
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	b.floors("f1")
	time.Sleep(100 * time.Millisecond)
	if got := r.rows(); got != "" {
		t.Errorf("called for %s", got)
	}
	if err := b.sent.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.eventually("it arrives", func() bool { return r.rows() == "f1" })
	if strings.Contains(b.log.String(), "held up") {
		t.Errorf("the log is %s", b.log)
	}
}

func TestDeadEndpointDelaysNoOther(t *testing.T) {
	b := newBed(t)
	block := make(chan struct{})
	dead, alive := b.receiver(func(http.ResponseWriter, call) { <-block }), b.receiver(nil)
	defer close(block)
	b.register("dead", dead.URL, nil)
	b.register("alive", alive.URL, nil)
	ids := numbered(20)
	b.floors(ids...)
	b.eventually("all arrive", func() bool { return alive.rows() == strings.Join(ids, " ") })
	if got := dead.rows(); got != "f0" {
		t.Errorf("the dead one got %q", got)
	}
	b.halt() // which ends the call
}

func TestChangedAndDeleted(t *testing.T) {
	b := newBed(t)
	first, second := b.receiver(of(503)), b.receiver(nil)
	b.register("a", first.URL, nil)
	b.floors("f1")
	b.eventually("the first is called", func() bool { return len(b.deliveries("a")) == 1 })
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Url = second.URL })
	b.eventually("the second is called at once, whatever the first said", func() bool { return second.rows() == "f1" })
	if b.d.Registered(); first.got()[0].id != second.got()[0].id {
		t.Error("it is another message")
	}
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Status = "disabled" })
	b.eventually("it stops", func() bool { b.d.mu.Lock(); defer b.d.mu.Unlock(); return b.d.running["a"] == nil })
	b.floors("f2")
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Status = "active" })
	b.eventually("it goes on from where it was", func() bool { return second.rows() == "f1 f2" })

	err := b.metadata.Write(t.Context(), func(q *db.Queries) error { _, err := q.DeleteWebhook(t.Context(), "a"); return err })
	if err != nil {
		t.Fatal(err)
	}
	b.d.Registered()
	b.eventually("it stops", func() bool { b.d.mu.Lock(); defer b.d.mu.Unlock(); return b.d.running["a"] == nil })
	if err := b.d.Forget(t.Context(), "a"); err != nil || len(b.deliveries("a")) > 0 {
		t.Errorf("%v, %d deliveries are left", err, len(b.deliveries("a")))
	}
}

// Who registers under an id that was another's begins where the log is then.
func TestIDOfAnother(t *testing.T) {
	b := newBed(t)
	log, err := b.metadata.ChangeLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = b.sent.Write(t.Context(), func(q *deliveries.Queries) error {
		return q.SaveLine(t.Context(), deliveries.SaveLineParams{WebhookID: "a", Cursor: log.Newest.String(), UpdatedAt: "2026-01-01T00:00:00.000000Z"})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.floors("f1")
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	b.floors("f2")
	b.eventually("it arrives", func() bool { return strings.HasSuffix(r.rows(), "f2") })
	if r.rows() != "f2" {
		t.Errorf("got %s, want f2 alone", r.rows())
	}
}

func TestRotation(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	err := b.metadata.Write(t.Context(), func(q *db.Queries) error {
		_, err := q.RotateWebhook(t.Context(), db.RotateWebhookParams{Secret: "whsec_" + strings.Repeat("bmV3", 8), WebhookID: "a"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.d.Registered()
	for n, length := range []time.Duration{0, 25 * time.Hour} {
		b.eventually("it runs", func() bool {
			b.d.mu.Lock()
			defer b.d.mu.Unlock()
			return b.d.running["a"] != nil && b.d.running["a"].OldSecret == secret
		})
		b.pass(length)
		b.floors(numbered(2)[n])
		b.eventually("it arrives", func() bool { return len(r.got()) == n+1 })
		signatures := strings.Fields(r.got()[n].header.Get("webhook-signature"))
		if len(signatures) != 2-n || len(slices.Compact(signatures)) != 2-n {
			t.Errorf("after %v there are the signatures %v", length, signatures)
		}
	}
}

func TestThirtyDays(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(404))
	b.register("a", r.URL, nil)
	b.floors("f1")
	b.eventually("it fails", func() bool { return len(b.deliveries("a")) == 1 })
	r.become(nil)
	b.floors("f2")
	b.eventually("it arrives", func() bool { return len(b.deliveries("a")) == 2 })
	b.halt()
	forget := func(days int) int {
		b.passed.Store(int64(days) * int64(24*time.Hour))
		if _, err := b.d.forgetSome(t.Context()); err != nil {
			t.Fatal(err)
		}
		return len(b.deliveries("a"))
	}
	if n := forget(29); n != 2 {
		t.Errorf("%d are left after 29 days, want 2", n)
	}
	if n := forget(31); n != 1 || b.deliveries("a")[0].Status != retrying {
		t.Errorf("%d are left after 31 days, want the one that is to be sent", n)
	}
	events := dbtype.JSON(`["*"]`)
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Events = events })
	b.start()
	b.eventually("it is sent", func() bool { return b.deliveries("a")[0].Status == delivered })
}
