package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a data-api that runs in a folder of its own. What it says may be read meanwhile.
type process struct {
	*exec.Cmd
	url    string
	output output
	ended  chan struct{}
}

type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// end is what was said last.
func (o *output) end() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := o.text.Bytes()
	return string(text[max(0, len(text)-20_000):])
}

// launch runs the service on any free port, with these settings and nothing else of the environment.
func launch(t *testing.T, folder string, settings ...string) *process {
	t.Helper()
	return launchWith(t, folder, nil, func(int) error { return nil }, settings...)
}

// launchWith is launch, with something done to the process as soon as it is there.
func launchWith(t *testing.T, folder string, attributes *syscall.SysProcAttr, prepare func(pid int) error, settings ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, "serve"), ended: make(chan struct{})}
	p.Dir = folder
	p.Env = append([]string{"DATA_API_PORT=0", "WEBHOOK_ALLOW_CIDRS=127.0.0.1"}, settings...)
	p.Stdout, p.Stderr, p.SysProcAttr = &p.output, &p.output, attributes
	err = p.Start()
	if err == nil {
		if err = prepare(p.Process.Pid); err != nil {
			p.Process.Kill()
		}
	}
	switch {
	case err != nil && attributes != nil:
		t.Skip("NOT TESTED: this machine does not let processes be prepared: ", err)
	case err != nil:
		t.Fatal(err)
	}
	go func() { p.Wait(); close(p.ended) }()
	t.Cleanup(p.kill)
	return p
}

var listening = regexp.MustCompile(`msg=listening url=(http://\S+)`)

// ready waits until the service listens and its files are open.
func (p *process) ready(t *testing.T) *process {
	t.Helper()
	eventually(t, "ready", func() bool {
		if p.hasEnded() {
			t.Fatalf("it ended: %s", p.output.String())
		}
		if found := listening.FindStringSubmatch(p.output.String()); found != nil {
			p.url = found[1]
		}
		return p.url != "" && p.healthy()
	})
	return p
}

// healthy says whether every file is open, and can be read and written as far as is known.
func (p *process) healthy() bool {
	var h struct {
		Status       string
		Dependencies map[string]struct{ Status string }
	}
	a := p.ask("GET", "/health", "")
	return a.read(&h) == nil && h.Status == "healthy" && h.Dependencies["history"].Status == "healthy"
}

// recovers waits until the service is healthy, and shows what is not if that takes too long.
func (p *process) recovers(t *testing.T) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Logf("/health: %v", p.ask("GET", "/health", ""))
		}
	}()
	eventually(t, "healthy", p.healthy)
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.Process.Kill()
	<-p.ended
}

// stop sends SIGTERM and wants exit code 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		p.Process.Signal(syscall.SIGQUIT) // shows where it hangs
		<-p.ended
	}
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.output.String())
	}
}

// answer is what came back, or why nothing did.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (a answer) String() string {
	return strings.TrimSpace(fmt.Sprintf("%d %.500s %v", a.status, a.body, a.err))
}

// read reads the body of a 200 or 201.
func (a answer) read(v any) error {
	if a.err != nil || a.status/100 != 2 {
		return fmt.Errorf("%v", a)
	}
	return json.Unmarshal(a.body, v)
}

// client has connections of its own for each request, so that none is left from a service before.
var client = &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// ask sends a request. Its body is JSON unless a header says otherwise.
func (p *process) ask(method, path, body string, headers ...string) (a answer) {
	q, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header.Set(name, value)
	}
	response, err := client.Do(q)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a.status, a.header = response.StatusCode, response.Header
	a.body, a.err = io.ReadAll(response.Body)
	return a
}

// get reads what is at a path into v.
func (p *process) get(t *testing.T, path string, v any) {
	t.Helper()
	a := p.ask("GET", path, "")
	if err := a.read(v); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
}
