package faults

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dataapi/internal/webhook/webhooktest"
)

var soakFor = flag.Duration("soak", 0, "how long clients come and go while nothing may grow; 0 for not at all")

// Clients come and go, and nothing grows: not the memory, not what is live in it, not the open files and connections.
// When they are gone, so are the goroutines that served them. It runs alone, as the others would be measured, too.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("only make faults does this")
	}
	receiver, err := webhooktest.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Kill()
	atRest := idleGoroutines(t)
	p := launch(t, t.TempDir(), "GODEBUG=gctrace=1", "SQLITE_CACHE_SIZE=-4000").ready(t)
	filesAtRest := p.openFiles(t)
	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	s := &soak{process: p, t: t, hook: receiver.URL("soak")}
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() { s.client(ctx, chance(t, fmt.Sprint(n))) })
	}
	samples := p.sample(t, ctx)
	clients.Wait()
	t.Logf("%d requests, %d streams", s.requests.Load(), s.streams.Load())
	flat(t, samples)
	eventually(t, "the files are closed", func() bool { return p.openFiles(t) <= filesAtRest+40 }) // which may be pools of SQLite's
	if n := p.goroutines(t); n > atRest+30 {
		t.Errorf("%d goroutines are left; a service that nobody has asked anything has %d:\n%.20000s", n, atRest, p.output.String())
	}
}

// idleGoroutines is how many goroutines a service has that nobody asks anything.
func idleGoroutines(t *testing.T) int {
	t.Helper()
	return launch(t, t.TempDir()).ready(t).goroutines(t)
}

var goroutine = regexp.MustCompile(`(?m)^goroutine \d+ `)

// goroutines has the process show its goroutines, which is its end, and counts them.
func (p *process) goroutines(t *testing.T) int {
	t.Helper()
	client.CloseIdleConnections()
	time.Sleep(time.Second)
	p.Process.Signal(syscall.SIGQUIT)
	<-p.ended
	n := len(goroutine.FindAllString(p.output.String(), -1))
	if n < 5 {
		t.Errorf("only %d goroutines are shown: %s", n, p.output.String())
	}
	return n
}

func (p *process) openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// sample is how large a process is at a time.
type sample struct{ resident, live, files int } // in MB but for files

var collected = regexp.MustCompile(`(?m)^gc .*->(\d+) MB, \d+ MB goal`)

// sample looks at the process again and again until ctx ends.
func (p *process) sample(t *testing.T, ctx context.Context) (all []sample) {
	t.Helper()
	for {
		select {
		case <-ctx.Done():
			return all
		case <-time.After(250 * time.Millisecond):
		}
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.Process.Pid), "statm"))
		if err != nil {
			t.Fatal(err)
		}
		var size, pages int
		fmt.Sscan(string(text), &size, &pages)
		s := sample{resident: pages * os.Getpagesize() >> 20, files: p.openFiles(t)}
		if said := collected.FindAllStringSubmatch(p.output.end(), -1); said != nil {
			s.live, _ = strconv.Atoi(said[len(said)-1][1])
		}
		all = append(all, s)
	}
}

// flat compares the last third with the one before it; in the first, caches fill.
func flat(t *testing.T, all []sample) {
	t.Helper()
	third := len(all) / 3
	before, after := all[third:2*third], all[2*third:]
	for name, c := range map[string]struct {
		of    func(sample) int
		slack int
	}{
		"resident memory in MB": {func(s sample) int { return s.resident }, 24},
		"live memory in MB":     {func(s sample) int { return s.live }, 12},
		"open files":            {func(s sample) int { return s.files }, 40},
	} {
		was, is := median(before, c.of), median(after, c.of)
		t.Logf("%s: %d, then %d", name, was, is)
		if is > was+was/5+c.slack {
			t.Errorf("%s: %d, and then %d", name, was, is)
		}
	}
}

func median(all []sample, of func(sample) int) int {
	var values []int
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// soak is clients that come and go.
type soak struct {
	*process
	t                 *testing.T
	hook              string
	requests, streams atomic.Int64
}

// client does one thing after the other, now with a connection that stays, now with a new one.
func (s *soak) client(ctx context.Context, r *rand.Rand) {
	stays := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
	defer stays.CloseIdleConnections()
	for ctx.Err() == nil {
		switch r.IntN(20) {
		case 0:
			s.stream(ctx, r)
		case 1:
			s.webhook(r)
		case 2:
			s.breakOff(r)
		case 3:
			stays.CloseIdleConnections()
		default:
			s.request(stays, r)
		}
	}
}

// request asks or tells something; the same ones come again, so that the files grow by little.
func (s *soak) request(with *http.Client, r *rand.Rand) {
	n := r.IntN(200)
	c := []struct{ method, path, body string }{
		{"GET", fmt.Sprintf("/api/v1/devices?limit=%d", 1+n), ""},
		{"GET", fmt.Sprintf("/api/v1/devices/soak%d", n), ""},
		{"GET", fmt.Sprintf("/api/v1/nowhere/%d", r.IntN(1<<30)), ""},
		{"GET", fmt.Sprintf("/api/v1/entities?unknown%d=x", r.IntN(1<<30)), ""},
		{"GET", fmt.Sprintf("/api/v1/search?q=soak%d", n), ""},
		{"GET", "/api/v1/home?format=text", ""},
		{"GET", "/health", ""},
		{"GET", "/api/v1/changes?since=-1m&limit=20", ""},
		{"GET", fmt.Sprintf("/api/v1/history?entity_id=sensor.soak%d&start=-1h&every=5m", n%10), ""},
		{"GET", "/api/v1/events?limit=20", ""},
		{"POST", "/internal/devices/bulk_upsert", fmt.Sprintf(`[{"id":"soak%d","name":"Soak %d"}]`, n, r.IntN(3))},
		{"POST", "/internal/devices/bulk_upsert", `[{"id":"broken"`},
		{"PATCH", fmt.Sprintf("/api/v1/users/soak%d/preferences", n%20), fmt.Sprintf(`{"n":%d}`, r.IntN(3))},
		{"POST", "/api/v1/events", fmt.Sprintf(`{"entity_id":"sensor.soak%d","state":"%d","time":%d}`, n%10, n, time.Now().Unix())},
	}[r.IntN(14)]
	q, err := http.NewRequest(c.method, s.url+c.path, strings.NewReader(c.body))
	if err != nil {
		s.t.Error(err)
		return
	}
	if c.body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	response, err := with.Do(q)
	if err != nil {
		s.t.Errorf("%s %s: %v", c.method, c.path, err)
		return
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	if s.requests.Add(1); response.StatusCode >= 500 {
		s.t.Errorf("%s %s: %s", c.method, c.path, response.Status)
	}
}

// stream follows the changes for a moment, and goes without a word.
func (s *soak) stream(ctx context.Context, r *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(200))*time.Millisecond)
	defer cancel()
	path := []string{"/api/v1/changes", "/api/v1/changes?since=-1m", "/api/v1/changes?wait=60"}[r.IntN(3)]
	q, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	if !strings.Contains(path, "wait") {
		q.Header.Set("Accept", "text/event-stream")
	}
	s.streams.Add(1)
	if response, err := client.Do(q); err == nil {
		defer response.Body.Close()
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		}
	}
}

// webhook registers one, has it called, and deletes it.
func (s *soak) webhook(r *rand.Rand) {
	a := s.ask("POST", "/api/v1/webhooks", fmt.Sprintf(`{"url":%q,"events":["device.updated"]}`, s.hook))
	var made struct{ ID string }
	if err := a.read(&made); err != nil {
		s.t.Error(err)
		return
	}
	if r.IntN(2) == 0 {
		s.ask("POST", "/api/v1/webhooks/"+made.ID+"/test", "")
	}
	if a := s.ask("DELETE", "/api/v1/webhooks/"+made.ID, ""); a.status != 200 {
		s.t.Error(a)
	}
}

// breakOff begins a request, and goes away.
func (s *soak) breakOff(r *rand.Rand) {
	c := s.dial(s.t)
	defer c.Close()
	text := refused[r.IntN(len(refused))].text
	io.WriteString(c, text[:r.IntN(min(len(text), 5000))])
}
