package dispatch

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
)

// failing waits until the newest delivery has failed a number of times.
func (b *bed) failing(id string, tries int64) deliveries.Delivery {
	b.Helper()
	var last deliveries.Delivery
	b.eventually("it fails", func() bool {
		rows := b.deliveries(id)
		if len(rows) > 0 {
			last = rows[0]
		}
		return len(rows) > 0 && last.Attempts == tries
	})
	return last
}

// A receiver that cannot take anything holds its line, in order, and each message keeps its id.
func TestHeld(t *testing.T) {
	b := newBed(t)
	r := b.receiver(func(w http.ResponseWriter, _ call) {
		w.WriteHeader(503)
		w.Write([]byte("not\x00now"))
	})
	b.register("a", r.URL, nil)
	b.floors("f1", "f2", "f3")
	d := b.failing("a", 1)
	if d.Status != retrying || d.NextAt == nil || *d.StatusCode != 503 || *d.Response != "not\ufffdnow" || d.Error != nil {
		t.Errorf("%+v", d)
	}
	b.pass(time.Second)
	b.floors("f4")
	time.Sleep(50 * time.Millisecond)
	if got := r.rows(); got != "f1" {
		t.Errorf("called for %q before it is time", got)
	}
	b.pass(6 * time.Second)
	b.failing("a", 2)
	r.become(nil)
	b.pass(time.Minute)
	time.Sleep(50 * time.Millisecond)
	if got := r.rows(); got != "f1 f1" {
		t.Errorf("called for %q before it is time", got)
	}
	b.pass(5 * time.Minute)
	b.eventually("all arrive in order", func() bool { return r.rows() == "f1 f1 f1 f2 f3 f4" })
	if got := r.got(); got[0].id != got[2].id || got[0].body != got[2].body || got[2].id == got[3].id {
		t.Errorf("the calls are %+v", got)
	}
	b.eventually("all is noted", func() bool {
		line, err := b.sent.GetLine(t.Context(), "a")
		return err == nil && line.FailingSince == nil && line.DeliveredAt != nil && len(b.deliveries("a")) == 4
	})
	if got, want := b.d.Counts(), (Counts{Arrived: 4, Failed: 2}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// A held message is held by the next process, too.
func TestHeldOverARestart(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(500))
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.failing("a", 1)
	r.become(nil)
	b.start()
	time.Sleep(50 * time.Millisecond)
	if got := r.rows(); got != "f1" {
		t.Errorf("called for %q before it is time", got)
	}
	b.eventually("it goes on", func() bool { b.pass(6 * time.Second); return r.rows() == "f1 f1 f2" })
}

// A message that is refused is tried again while others pass, and given up in the end.
func TestAside(t *testing.T) {
	b := newBed(t)
	r := b.receiver(func(w http.ResponseWriter, c call) {
		if c.Data.ID == "poison" {
			w.WriteHeader(422)
		}
	})
	b.register("a", r.URL, nil)
	b.floors("poison", "f1", "f2")
	b.eventually("the others pass", func() bool { return r.rows() == "poison f1 f2" })
	status := func() deliveries.Delivery { rows := b.deliveries("a"); return rows[len(rows)-1] }
	for i, pause := range []time.Duration{
		6 * time.Second, 6 * time.Minute, 34 * time.Minute, 134 * time.Minute, 335 * time.Minute,
		11*time.Hour + time.Minute, 15*time.Hour + 30*time.Minute, 22*time.Hour + time.Minute, 26*time.Hour + 30*time.Minute,
	} {
		b.eventually("it is to be tried again", func() bool { return status().Status == retrying && status().Attempts == int64(i)+1 })
		b.pass(pause)
		b.eventually("it is tried again", func() bool { return status().Attempts == int64(i)+2 })
	}
	if d := status(); d.Status != failed || d.NextAt != nil || *d.StatusCode != 422 {
		t.Errorf("%+v, want it given up", d)
	}
	b.floors("f3")
	b.eventually("the line goes on", func() bool { return strings.HasSuffix(r.rows(), "f3") })
	if w := b.webhook("a"); w.Status != "active" {
		t.Errorf("%+v", w)
	}

	r.become(nil)
	if _, err := b.d.Replay(t.Context(), "a", status().ID); err != nil {
		t.Fatal(err)
	}
	b.eventually("the dead letter arrives", func() bool { return strings.HasSuffix(r.rows(), "f3 poison") })
	b.eventually("it is noted", func() bool { return status().Status == delivered && status().Attempts == 1 })
}

func TestGone(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(410))
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.eventually("it is disabled", func() bool { return b.webhook("a").Status == "disabled" })
	if w := b.webhook("a"); *w.Reason != "gone" || !strings.Contains(b.log.String(), "webhook disabled") {
		t.Errorf("%+v\n%s", w, b.log)
	}
	b.pass(48 * time.Hour)
	b.floors("f3")
	time.Sleep(50 * time.Millisecond)
	if r.rows() != "f1" {
		t.Errorf("called for %q", r.rows())
	}
	r.become(nil)
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Status = "active" })
	b.eventually("nothing is lost when it is enabled again", func() bool { return r.rows() == "f1 f1 f2 f3" })
}

// nextTry lets time pass until what is held is due, and waits until it was tried, or the webhook is disabled.
func (b *bed) nextTry(id string) {
	b.Helper()
	held := b.deliveries(id)[0]
	if held.NextAt == nil {
		b.Fatalf("%+v is not to be tried again", held)
	}
	b.pass(timeOf(*held.NextAt).Sub(b.d.now()) + time.Millisecond)
	b.eventually("it is tried", func() bool {
		rows := b.deliveries(id)
		return rows[0].ID != held.ID || rows[0].Attempts > held.Attempts
	})
}

// What fails for long enough is given up message by message, and then as a whole.
func TestFailingForFiveDays(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(500))
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.failing("a", 1)
	for range 9 {
		b.nextTry("a")
	}
	b.eventually("the first is given up, and the second is tried", func() bool { return len(b.deliveries("a")) == 2 })
	if first := b.deliveries("a")[1]; first.Status != failed || first.Attempts != 10 || b.webhook("a").Status != "active" {
		t.Errorf("%+v, %+v", first, b.webhook("a"))
	}
	rows, err := b.sent.CountUndelivered(t.Context())
	if want := []deliveries.CountUndeliveredRow{{Status: failed, Total: 1}, {Status: retrying, Total: 1}}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("%+v, %v, want %+v", rows, err, want)
	}
	if got, want := b.d.Counts(), (Counts{Failed: 11, GivenUp: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	since := func() time.Duration {
		line, err := b.sent.GetLine(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		return b.d.now().Sub(timeOf(*line.FailingSince))
	}
	for since() < giveUpAfter {
		if w := b.webhook("a"); w.Status != "active" {
			t.Fatalf("%+v after %v", w, since())
		}
		b.nextTry("a")
	}
	b.eventually("the webhook is given up", func() bool { return b.webhook("a").Status == "disabled" })
	if w := b.webhook("a"); *w.Reason != "failing" {
		t.Errorf("%+v", w)
	}
	r.become(nil)
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Status = "active" })
	b.eventually("what is not given up arrives", func() bool { b.pass(time.Hour); return b.deliveries("a")[0].Status == delivered })
	if !strings.HasSuffix(r.rows(), " f2") {
		t.Errorf("called for %s", r.rows())
	}
}

// Whoever asks to be left alone is, by all messages.
func TestLeftAlone(t *testing.T) {
	b := newBed(t)
	r := b.receiver(func(w http.ResponseWriter, _ call) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(404)
	})
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.failing("a", 1)
	r.become(nil)
	b.pass(50 * time.Minute)
	time.Sleep(50 * time.Millisecond)
	if got := r.rows(); got != "f1" {
		t.Errorf("called for %q", got)
	}
	b.pass(11 * time.Minute)
	b.eventually("all arrives", func() bool { return r.rows() == "f1 f1 f2" || r.rows() == "f1 f2 f1" })
}

func TestNoReceiver(t *testing.T) {
	b := newBed(t)
	b.register("a", "http://127.0.0.1:1", nil)
	b.floors("f1")
	if d := b.failing("a", 1); d.Status != retrying || d.StatusCode != nil || d.Response != nil || !strings.Contains(*d.Error, "refused") {
		t.Errorf("%+v", d)
	}
}

func TestReplay(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	b.floors("f1", "f2")
	b.eventually("all is noted", func() bool { return len(b.deliveries("a")) == 2 })
	first := b.deliveries("a")[1]
	if again, err := b.d.Replay(t.Context(), "a", first.ID); err != nil || again.Status != retrying || again.ID != first.ID {
		t.Errorf("%+v, %v", again, err)
	}
	b.eventually("it arrives again", func() bool { return r.rows() == "f1 f2 f1" })
	if got := r.got(); got[0].id != got[2].id || got[0].body != got[2].body {
		t.Errorf("the calls are %+v", got)
	}
	b.floors("f3")
	b.eventually("the line goes on", func() bool { return r.rows() == "f1 f2 f1 f3" })
	for _, id := range [][2]string{{"a", "nothing"}, {"nobody", first.ID}} {
		if _, err := b.d.Replay(t.Context(), id[0], id[1]); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%v: %v", id, err)
		}
	}
}

func TestTest(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.register("a", r.URL, nil)
	d, err := b.d.Test(t.Context(), "a")
	if err != nil || d.Status != delivered || d.Event != testEvent || *d.StatusCode != 200 || r.got()[0].event != testEvent {
		t.Errorf("%+v, %v", d, err)
	}
	r.become(of(410))
	b.edit("a", func(p *db.UpdateWebhookParams) { p.Status = "disabled" })
	d, err = b.d.Test(t.Context(), "a")
	if err != nil || d.Status != failed || *d.StatusCode != 410 || d.NextAt != nil || len(b.deliveries("a")) != 2 {
		t.Errorf("%+v, %v", d, err)
	}
	if _, err := b.d.Test(t.Context(), "nobody"); !errors.Is(err, db.ErrNotFound) {
		t.Error(err)
	}
}
