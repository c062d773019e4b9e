package dispatch

import (
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/deliveries"
)

// begin has a webhook begin at a cursor, which another process has left.
func (b *bed) begin(id string, at db.Position) {
	b.Helper()
	err := b.sent.Write(b.Context(), func(q *deliveries.Queries) error {
		return q.SaveLine(b.Context(), deliveries.SaveLineParams{WebhookID: id, Cursor: at.String(), UpdatedAt: timeText(time.Now())})
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) changeLog() db.Log {
	b.Helper()
	log, err := b.metadata.ChangeLog(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return log
}

// prune deletes all changes from the log but the newest.
func (b *bed) prune() {
	b.Helper()
	newest := b.changeLog().Newest
	err := b.metadata.Write(b.Context(), func(q *db.Queries) error {
		if _, err := q.PruneChanges(b.Context(), newest.Seq-1); err != nil {
			return err
		}
		at := time.UnixMilli(newest.At).UTC().Format("2006-01-02T15:04:05.000000Z")
		return q.NotePruned(b.Context(), db.NotePrunedParams{Seq: newest.Seq - 1, At: at})
	})
	if err != nil {
		b.Fatal(err)
	}
}

func TestPrunedChangesAreTold(t *testing.T) {
	b := newBed(t)
	b.halt()
	r := b.receiver(of(503))
	b.register("a", r.URL, nil)
	from := b.changeLog().Newest
	b.floors("f1", "f2", "f3")
	b.prune()
	to := b.changeLog().Oldest
	b.start()
	b.failing("a", 1)
	r.become(nil)
	b.eventually("the gap is told, and then what is kept", func() bool { b.pass(6 * time.Second); return len(r.got()) == 3 })
	got := r.got()
	if got[1].event != gapEvent || got[0].id != got[1].id || got[1].Data.Reason != "pruned" || got[1].Data.From != from.String() || got[1].Data.To != to.String() {
		t.Errorf("%+v", got[1])
	}
	if got[2].Data.ID != "f3" {
		t.Errorf("%+v", got[2])
	}
	if !strings.Contains(b.log.String(), "changes are lost to a webhook") {
		t.Errorf("the log is %s", b.log)
	}
}

func TestOtherLogIsTold(t *testing.T) {
	for reason, spoil := range map[db.Reason]func(*db.Position){
		db.OtherLog: func(p *db.Position) { p.LogID = "another" },
		db.Beyond:   func(p *db.Position) { p.Seq += 10 },
	} {
		b := newBed(t)
		b.floors("f1")
		at := b.changeLog().Newest
		spoil(&at)
		b.begin("a", at)
		r := b.receiver(nil)
		b.register("a", r.URL, nil)
		b.eventually("the gap is told", func() bool { return len(r.got()) == 1 })
		b.floors("f2")
		b.eventually("it goes on", func() bool { return r.rows() == " f2" })
		if got := r.got()[0]; got.event != gapEvent || got.Data.Reason != string(reason) || got.Data.From != at.String() {
			t.Errorf("%s: %+v", reason, got)
		}
	}
}
