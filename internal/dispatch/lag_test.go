package dispatch

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"dataapi/db"
)

// lag is how far a webhook is behind, in events.
func (b *bed) lag(id string) string {
	b.Helper()
	l, err := b.d.Lag(b.Context(), id)
	if err != nil {
		b.Fatal(err)
	}
	if l.States == nil {
		return fmt.Sprint(l.Changes.Events, " -")
	}
	return fmt.Sprint(l.Changes.Events, " ", l.States.Events)
}

func TestLag(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(503))
	b.listens("w", r.URL, "")
	b.register("plain", b.receiver(nil).URL, nil)
	if b.eventually("nobody is behind", func() bool { return b.lag("w") == "0 0" && b.lag("plain") == "0 -" }); t.Failed() {
		return
	}
	b.take("1 light.a on")
	b.failing("w", 1)
	b.take("2 light.a off", "3 light.a on")
	b.floors("f1", "f2")
	b.eventually("one is behind by all", func() bool { return b.lag("w") == "2 3" && b.lag("plain") == "0 -" })
	b.passed.Add(int64(time.Minute))
	l, err := b.d.Lag(t.Context(), "w")
	if err != nil || l.Changes.Seconds < 60 || l.Changes.Seconds > 600 || l.States.Seconds < 3600 || l.States.Seconds > 7200 {
		t.Errorf("%+v %+v %v", l, l.States, err)
	}
	var lags []Lagging
	b.eventually("the others have seen that there is something", func() bool {
		lags, err = b.d.Lags(t.Context(), 10)
		return err != nil || len(lags) == 1
	})
	if err != nil || lags[0].ID != "w" || lags[0].Changes.Events != 2 {
		t.Errorf("%+v %v", lags, err)
	}
	b.halt()
	if got := b.lag("w"); got != "2 3" {
		t.Errorf("when nobody runs: %s", got)
	}
	r.become(nil)
	b.start()
	b.eventually("it has caught up", func() bool { b.pass(6 * time.Second); return b.lag("w") == "0 0" })
	if _, err := b.d.Lag(t.Context(), "nobody"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
}
