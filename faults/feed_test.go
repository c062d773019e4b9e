package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/internal/webhook/webhooktest"
)

// feed is those who follow what changes: one asks, one has a stream, and some have webhooks. Each goes on where it was
// when the service comes back.
type feed struct {
	asked, streamed seen
	receiver        *webhooktest.Receiver
	rows            atomic.Int64 // were made for the webhooks and acknowledged
}

// seen is the changes that one who follows has seen, and where it goes on.
type seen struct {
	cursor string
	seqs   []int64
}

type change struct{ Seq int64 }

type changes struct {
	Changes []change
	Next    string `json:"next_cursor"`
	More    bool
}

func (s *seen) add(page changes) {
	for _, c := range page.Changes {
		s.seqs = append(s.seqs, c.Seq)
	}
	s.cursor = page.Next
}

const hooks = 3

func follow(t *testing.T, folder string) *feed {
	t.Helper()
	receiver, err := webhooktest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(receiver.Kill)
	f := &feed{receiver: receiver}
	p := launch(t, folder).ready(t)
	var page changes
	p.get(t, "/api/v1/changes", &page)
	f.asked.cursor, f.streamed.cursor = page.Next, page.Next
	for n := range hooks {
		a := p.ask("POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":%q,"events":["device.created"],"secret":%q,"filter":{"manufacturer":["told"]}}`,
			receiver.URL(fmt.Sprint(n)), webhooktest.Secret))
		if a.status != http.StatusCreated {
			t.Fatal(a)
		}
	}
	p.stop(t)
	return f
}

// run follows until the service is gone.
func (f *feed) run(t *testing.T, p *process) *sync.WaitGroup {
	var all sync.WaitGroup
	all.Go(func() { f.asked.ask(t, p) })
	all.Go(func() { f.streamed.stream(t, p) })
	all.Go(func() {
		for p.ask("POST", "/internal/devices/bulk_upsert", fmt.Sprintf(`[{"id":"d%d","manufacturer":"told"}]`, f.rows.Load())).status == 200 {
			f.rows.Add(1)
		}
	})
	return &all
}

func (s *seen) ask(t *testing.T, p *process) {
	for {
		var page changes
		a := p.ask("GET", "/api/v1/changes?wait=5&since="+s.cursor, "")
		if a.err != nil || a.status == 503 && strings.Contains(string(a.body), `"reason":"closed"`) { // it ends
			return
		}
		if err := a.read(&page); err != nil {
			t.Error(err)
			return
		}
		s.add(page)
	}
}

// stream notes an event as soon as all of it is there, as a browser does.
func (s *seen) stream(t *testing.T, p *process) {
	q, err := http.NewRequest("GET", p.url+"/api/v1/changes", nil)
	if err != nil {
		t.Error(err)
		return
	}
	q.Header.Set("Accept", "text/event-stream")
	q.Header.Set("Last-Event-ID", s.cursor)
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		return
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("stream: status %d", response.StatusCode)
	}
	var id, data, event string
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "id":
			id = value
		case name == "event":
			event = value
		case name == "data":
			data = value
		case lines.Text() == "" && id != "":
			if s.cursor = id; data != "" {
				s.note(t, event, data)
			}
			id, data, event = "", "", ""
		}
	}
}

func (s *seen) note(t *testing.T, event, data string) {
	var c change
	if err := json.Unmarshal([]byte(data), &c); err != nil || c.Seq == 0 {
		t.Errorf("event %s: %q, %v", event, data, err)
	}
	s.seqs = append(s.seqs, c.Seq)
}

// check holds what was seen to be what the log has, each once and in order, and the webhooks to have been called.
func (f *feed) check(t *testing.T, p *process) {
	t.Helper()
	log := seen{}
	log.read(t, p, "/api/v1/changes?limit=1000")
	f.asked.read(t, p, "/api/v1/changes?limit=1000&since="+f.asked.cursor)
	if len(f.asked.seqs) != len(log.seqs) {
		t.Errorf("who asks has seen %d of %d changes", len(f.asked.seqs), len(log.seqs))
	}
	for name, s := range map[string]*seen{"who asks": &f.asked, "the stream": &f.streamed} {
		if len(s.seqs) == 0 {
			t.Errorf("%s has seen nothing", name)
		}
		for i, seq := range s.seqs {
			if i >= len(log.seqs) || log.seqs[i] != seq {
				t.Errorf("%s: change %d of %d is number %d, want that of the log: %v", name, i, len(s.seqs), seq, log.seqs[i:min(i+3, len(log.seqs))])
				break
			}
		}
		t.Logf("%s: %d of %d changes", name, len(s.seqs), len(log.seqs))
	}
	f.called(t)
}

// read reads all that there is from a path on.
func (s *seen) read(t *testing.T, p *process, path string) {
	t.Helper()
	for path != "" {
		var page changes
		p.get(t, path, &page)
		s.add(page)
		if path = ""; page.More {
			path = "/api/v1/changes?limit=1000&since=" + page.Next
		}
	}
}

// called waits until each webhook has been told of each row, in order.
func (f *feed) called(t *testing.T) {
	t.Helper()
	ctx, cancel := timeout(t, time.Minute)
	defer cancel()
	rows := int(f.rows.Load())
	for n := range hooks {
		if err := f.receiver.Await(ctx, fmt.Sprint(n), rows); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d webhooks: %d rows", hooks, rows)
}
