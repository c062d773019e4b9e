package main

import (
	"bufio"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// streamed is a client of the event stream.
type streamed struct {
	*testing.T
	lines *bufio.Reader
	last  string // id of the last event
}

// follow opens the event stream after an event, "" for from now on, and waits until it has begun.
func (p *process) follow(t *testing.T, after string) *streamed {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/api/v1/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if after != "" {
		request.Header.Set("Last-Event-ID", after)
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	s := &streamed{t, bufio.NewReader(response.Body), after}
	if after == "" {
		s.next()
	}
	return s
}

// next reads a block of the stream, and returns the name of the event, "" of a comment, and its data.
func (s *streamed) next() (event, data string) {
	s.Helper()
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			s.Fatal("the stream ended: ", err)
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case line == "\n":
			return event, data
		case name == "id":
			s.last = value
		case name == "event":
			event = value
		case name == "data":
			data = value
		}
	}
}

// wantNext skips comments and wants the next event to have that name, and data that holds a text.
func (s *streamed) wantNext(event, text string) {
	s.Helper()
	for {
		switch got, data := s.next(); {
		case got == "":
		case got != event || !strings.Contains(data, text):
			s.Fatalf("got %s %s, want %s with %s", got, data, event, text)
		default:
			return
		}
	}
}

func (p *process) mustUpsert(t *testing.T, id string) {
	t.Helper()
	if status, err := p.upsert(t.Context(), strings.NewReader(deviceList(id))); status != http.StatusOK {
		t.Fatalf("upsert of %s: %d, %v", id, status, err)
	}
}

// A client goes on where it was, whatever happened to the service: nothing is missed or told twice.
func TestStreamsGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	folder, last := t.TempDir(), ""
	for _, id := range []string{"a", "c", "e"} {
		p := startReady(t, folder)
		s := p.follow(t, last)
		if last != "" {
			s.wantNext("device.created", `"id":"missed-before-`+id+`"`)
		}
		p.mustUpsert(t, id)
		s.wantNext("device.created", `"id":"`+id+`"`)
		last = s.last
		next := map[string]string{"a": "c", "c": "e", "e": ""}[id]
		p.mustUpsert(t, "missed-before-"+next)
		p.Process.Kill()
		<-p.ended
	}
}

// A client whose events are not in the file any more, because an older one was put back, is told so, whether
// it comes then or was there all the time, and hears of what changes from then on.
func TestStreamsOfAnOlderFileAreReset(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "data", "metadata.db")
	p := startReady(t, folder)
	p.mustUpsert(t, "old")
	p.stop(t)
	older, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	p = startReady(t, folder)
	s := p.follow(t, "")
	p.mustUpsert(t, "lost")
	s.wantNext("device.created", `"id":"lost"`)
	if err := os.WriteFile(path+".older", older, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".older", path); err != nil {
		t.Fatal(err)
	}
	s.wantNext("reset", `"reason":`)
	p.mustUpsert(t, "new")
	s.wantNext("device.created", `"id":"new"`)
	p.stop(t)

	p = startReady(t, folder)
	late := p.follow(t, s.last)
	p.mustUpsert(t, "newer")
	late.wantNext("device.created", `"id":"newer"`)
	beyond := late.last
	p.stop(t)
	if err := os.WriteFile(path, older, 0o600); err != nil {
		t.Fatal(err)
	}
	p = startReady(t, folder)
	p.follow(t, beyond).wantNext("reset", `"reason":`)
	p.stop(t)
}
