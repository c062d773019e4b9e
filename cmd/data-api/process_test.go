package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is data-api as it is shipped, built once.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "data-api")
	build := exec.Command("go", "build", "-ldflags", "-X main.version=test-version", "-o", path, ".")
	build.Dir = source
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

var scratch, source string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if source, err = os.Getwd(); err == nil {
			scratch, err = os.MkdirTemp("", "data-api-test-")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// process is a data-api that runs. What it says on standard error may be read meanwhile.
type process struct {
	*exec.Cmd
	url    string
	begun  time.Time
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

// start runs the binary in a folder, with these settings and nothing else of the environment.
func start(t *testing.T, folder string, settings []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.Dir, p.Env = folder, append([]string{"PATH=" + os.Getenv("PATH")}, settings...)
	p.Stdout, p.Stderr = &p.output, &p.output
	p.begun = time.Now()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		p.Process.Kill()
		<-p.ended
	})
	return p
}

var listening = regexp.MustCompile(`msg=listening url=(http://\S+)`)

// startServing runs the service on any free port and returns as soon as it listens.
func startServing(t *testing.T, folder string, settings ...string) *process {
	t.Helper()
	p := start(t, folder, append([]string{"DATA_API_PORT=0"}, settings...))
	waitFor(t, p, "listening", func() bool {
		found := listening.FindStringSubmatch(p.output.String())
		if found != nil {
			p.url = found[1]
		}
		return found != nil
	})
	return p
}

// startReady is startServing, with the database open.
func startReady(t *testing.T, folder string, settings ...string) *process {
	t.Helper()
	p := startServing(t, folder, settings...)
	waitFor(t, p, "ready", func() bool { return p.status(t, "/readyz") == http.StatusOK })
	return p
}

// waitFor waits until something happens, for half a minute at most.
func waitFor(t *testing.T, p *process, what string, happens func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !happens(); time.Sleep(10 * time.Millisecond) {
		if p.hasEnded() {
			t.Fatalf("not %s, but ended: %s", what, p.output.String())
		}
		if time.Now().After(end) {
			t.Fatalf("not %s after 30 s: %s", what, p.output.String())
		}
	}
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// exit waits for the end, for limit at most, and returns the exit code.
func (p *process) exit(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode()
	case <-time.After(limit):
		p.Process.Signal(syscall.SIGQUIT) // shows where it hangs
		<-p.ended
		t.Fatalf("still running after %v: %s", limit, p.output.String())
		return -1
	}
}

// stop sends SIGTERM and wants exit code 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.Process.Signal(syscall.SIGTERM)
	if code := p.exit(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, p.output.String())
	}
}

// client has connections of its own for each request, so that none is left from a service before.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// status is that of GET path, or 0 where there is no answer.
func (p *process) status(t *testing.T, path string) int {
	t.Helper()
	status, _ := p.get(t, path)
	return status
}

func (p *process) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	response, err := client.Get(p.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// upsert posts a list of devices and says whether it was acknowledged.
func (p *process) upsert(ctx context.Context, list io.Reader) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+"/internal/devices/bulk_upsert", list)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// total counts the rows of a list, or returns -1 where it cannot be read.
func (p *process) total(t *testing.T, noun string) int {
	t.Helper()
	status, body := p.get(t, "/api/v1/"+noun+"?limit=1&total=true")
	var page struct {
		Total int `json:"total"`
	}
	if status != http.StatusOK || json.Unmarshal([]byte(body), &page) != nil {
		return -1
	}
	return page.Total
}

// finish runs the binary to its end and returns the exit code and what it wrote.
func finish(t *testing.T, folder string, settings []string, args ...string) (code int, output string) {
	t.Helper()
	p := start(t, folder, settings, args...)
	code = p.exit(t, 60*time.Second)
	return code, p.output.String()
}

// noLog wants the database at path to be closed: one file, and nothing of it beside it.
func noLog(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			t.Errorf("%s was left behind, %d bytes", filepath.Base(info.Name()), info.Size())
		}
	}
}

func deviceList(ids ...string) string {
	var entries []string
	for _, id := range ids {
		entries = append(entries, fmt.Sprintf(`{"id":%q,"name":%q}`, id, id))
	}
	return "[" + strings.Join(entries, ",") + "]"
}
