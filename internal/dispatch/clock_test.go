package dispatch

import (
	"strings"
	"testing"
	"time"
)

// What failed while the clock was far ahead is sent again when it is right, and not when it would be that late.
func TestClockPutBack(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(500))
	b.register("a", r.URL, nil)
	b.pass(400 * 24 * time.Hour)
	b.floors("f1", "f2")
	b.failing("a", 1)
	r.become(nil)
	b.pass(-400 * 24 * time.Hour)
	b.eventually("both arrive", func() bool { return strings.HasSuffix(r.rows(), "f1 f2") })
	line, err := b.sent.GetLine(t.Context(), "a")
	if err != nil || line.FailingSince != nil || timeOf(line.UpdatedAt).After(b.d.now().Add(time.Minute)) {
		t.Errorf("%+v, %v", line, err)
	}
}

// A clock that is put forward by weeks between two tries has not seen a receiver fail for weeks.
func TestClockPutForward(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(500))
	b.register("a", r.URL, nil)
	b.pass(30 * 24 * time.Hour)
	b.floors("f1")
	b.failing("a", 1)
	b.pass(30 * 24 * time.Hour)
	b.failing("a", 2)
	if w := b.webhook("a"); w.Status != "active" {
		t.Errorf("%+v", w)
	}
	r.become(nil)
	b.pass(time.Hour)
	b.eventually("it arrives", func() bool { return b.deliveries("a")[0].Status == delivered })
}
