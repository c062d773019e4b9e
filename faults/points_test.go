package faults

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// points writes the states of one entity, ten at a time, a millisecond apart.
type points struct {
	entity      string
	since       time.Time
	acked, sent int
	send        func(p *process, entity string, at []time.Time) answer
}

func (w *points) write(p *process, _ *rand.Rand) answer {
	var at []time.Time
	for i := range 10 {
		at = append(at, w.since.Add(time.Duration(w.acked*10+i)*time.Millisecond))
	}
	w.sent = w.acked + 1 // what was not acknowledged is sent again
	a := w.send(p, w.entity, at)
	if a.err == nil && a.status/100 == 2 {
		w.acked++
	}
	return a
}

func asEvents(p *process, entity string, at []time.Time) answer {
	var list []string
	for _, t := range at {
		list = append(list, fmt.Sprintf(`{"entity_id":%q,"state":"%d","time":%q}`, entity, t.UnixMilli(), t.Format(time.RFC3339Nano)))
	}
	return p.ask("POST", "/api/v1/events", "["+strings.Join(list, ",")+"]")
}

func asLines(p *process, entity string, at []time.Time) answer {
	var lines strings.Builder
	domain, id, _ := strings.Cut(entity, ".")
	for _, t := range at {
		fmt.Fprintf(&lines, "W,domain=%s,entity_id=%s value=%d %d\n", domain, id, t.UnixMilli(), t.UnixMilli())
	}
	return p.ask("POST", "/write?db=x&precision=ms", lines.String(), "Content-Type: text/plain")
}

// check reads them all, in order: each once, and nothing else.
func (w *points) check(t *testing.T, p *process) {
	t.Helper()
	n := 0
	for cursor := ""; ; {
		var page struct {
			States []struct{ Time time.Time }
			Next   string `json:"next_cursor"`
		}
		p.get(t, fmt.Sprintf("/api/v1/entities/%s/history?start=%s&limit=1000%s", w.entity, w.since.UTC().Format(time.RFC3339), cursor), &page)
		for _, s := range page.States {
			if want := w.since.Add(time.Duration(n) * time.Millisecond); !s.Time.Equal(want) {
				t.Errorf("%s: state %d is of %v, want %v", w.entity, n, s.Time, want)
				return
			}
			n++
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if n%10 != 0 || n < 10*w.acked || n > 10*w.sent {
		t.Errorf("%s: %d states are stored, %d batches of 10 were acknowledged of %d", w.entity, n, w.acked, w.sent)
	}
}
