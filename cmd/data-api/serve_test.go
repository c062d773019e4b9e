package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGTERM, as containers send it, and SIGINT, as Ctrl-C does, both end the service in good order.
func TestSignalsEndTheService(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			p := startReady(t, folder)
			if status, err := p.upsert(t.Context(), strings.NewReader(deviceList("a"))); status != http.StatusOK {
				t.Fatalf("upsert: %d, %v", status, err)
			}
			p.Process.Signal(signal)
			if code := p.exit(t, 20*time.Second); code != 0 || !strings.Contains(p.output.String(), `msg="shutting down"`) {
				t.Errorf("exit code %d: %s", code, p.output.String())
			}
			noLog(t, filepath.Join(folder, "data", "metadata.db"))
		})
	}
}

// slowRequest posts a device whose list ends only when finish is called.
type slowRequest struct {
	body   *io.PipeWriter
	status chan int
}

func (p *process) startSlowRequest(t *testing.T, id string) slowRequest {
	t.Helper()
	reader, writer := io.Pipe()
	r := slowRequest{body: writer, status: make(chan int, 1)}
	go func() {
		status, _ := p.upsert(context.WithoutCancel(t.Context()), reader)
		reader.Close()
		r.status <- status
	}()
	if _, err := io.WriteString(writer, `[{"id":"`+id+`"}`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond) // so that its handler runs
	return r
}

func (r slowRequest) finish() int {
	io.WriteString(r.body, "]")
	r.body.Close()
	return <-r.status
}

// A request that runs when the service is told to end is answered, and what it wrote is there.
func TestSlowRequestFinishes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	slow := p.startSlowRequest(t, "slow")
	p.Process.Signal(syscall.SIGTERM)
	waitFor(t, p, "closed to new requests", func() bool { return p.status(t, "/livez") == 0 })
	time.Sleep(500 * time.Millisecond)
	if p.hasEnded() {
		t.Fatalf("ended with a request running: %s", p.output.String())
	}
	if status := slow.finish(); status != http.StatusOK {
		t.Errorf("the slow request was answered %d", status)
	}
	if code := p.exit(t, 20*time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, p.output.String())
	}
	noLog(t, filepath.Join(folder, "data", "metadata.db"))
	again := startReady(t, folder)
	if status := again.status(t, "/api/v1/devices/slow"); status != http.StatusOK {
		t.Errorf("what it wrote: %d", status)
	}
	again.stop(t)
}

// A request that does not end is cut off after SHUTDOWN_TIMEOUT, which is said, and stores nothing.
func TestRequestIsCutOff(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder, "SHUTDOWN_TIMEOUT=500ms")
	slow := p.startSlowRequest(t, "endless")
	start := time.Now()
	p.Process.Signal(syscall.SIGTERM)
	code := p.exit(t, 10*time.Second)
	if took := time.Since(start); took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if !strings.Contains(p.output.String(), "requests were cut off") || code != 1 {
		t.Errorf("exit code %d: %s", code, p.output.String())
	}
	if status := slow.finish(); status == http.StatusOK {
		t.Error("the request was acknowledged")
	}
	again := startReady(t, folder)
	if n := again.total(t, "devices"); n != 0 {
		t.Errorf("%d devices are there", n)
	}
	again.stop(t)
}

// An import into the file of a running service is seen by it at once and as a whole, and the service can
// be written to meanwhile. The files are named one by one: a folder is the whole home, and what was written
// meanwhile is no part of it.
func TestImportWhileServing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	files, err := filepath.Glob(filepath.Join(demo, "core.*"))
	if err != nil {
		t.Fatal(err)
	}
	importer, written := start(t, folder, nil, append([]string{"import"}, files...)...), 0
	for !importer.hasEnded() {
		if n := p.total(t, "entities"); n != 0 && n != 490 {
			t.Fatalf("%d entities: part of an import, or no answer", n)
		}
		if status, err := p.upsert(t.Context(), strings.NewReader(deviceList(fmt.Sprint("other-", written)))); status != http.StatusOK {
			t.Fatalf("upsert: %d, %v", status, err)
		}
		written++
	}
	if code := importer.exit(t, time.Minute); code != 0 || !strings.HasSuffix(importer.output.String(), counted(true, false)) {
		t.Fatalf("exit code %d: %s", code, importer.output.String())
	}
	if devices, entities := p.total(t, "devices"), p.total(t, "entities"); devices != 62+written || entities != 490 {
		t.Errorf("right after the import: %d devices, of which %d were written meanwhile, and %d entities", devices, written, entities)
	}
	if code, output := finish(t, folder, nil, append([]string{"import"}, files...)...); code != 0 || output != counted(false, true) {
		t.Errorf("again: exit code %d: %s", code, output)
	}
	p.stop(t)
	noLog(t, filepath.Join(folder, "data", "metadata.db"))
}

func TestExitCodes(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "x.db"), strings.Repeat("this is no database. ", 1000))
	for _, c := range []struct {
		name     string
		settings []string
		args     string
		code     int
		want     string // of what it writes
	}{
		{"version", nil, "version", 0, "^data-api test-version\n$"},
		{"help", nil, "--help", 0, "^data-api serves the metadata"},
		{"wrong command", nil, "nonsense", 2, `^data-api: there is no command "nonsense"`},
		{"missing argument", nil, "import", 2, "^data-api import: an argument is missing"},
		{"too many arguments", nil, "serve x", 2, `^data-api serve: "x" is one argument too many`},
		{"bad setting", []string{"DATA_API_PORT=x"}, "serve", 1, `^data-api: DATA_API_PORT is "x": `},
		{"bad InfluxDB", []string{"INFLUXDB_URL=me:s3cret@x"}, "serve", 1, "^data-api: INFLUXDB_URL: must be the URL of a server, such as http://localhost:8086\n$"},
		{"no such file", nil, "import nothing", 1, "^data-api: stat nothing: no such file or directory\n$"},
		{"no such host", []string{"DATA_API_HOST=nothing.invalid"}, "serve", 1, "^data-api: listen tcp: lookup nothing.invalid"},
		{"garbage", []string{"DATABASE_URL=sqlite:x.db"}, "migrate", 1, "data-api: the database file is damaged"},
		{"not ready", []string{"DATA_API_PORT=1"}, "healthcheck", 1, "^data-api: .*connection refused\n$"},
	} {
		code, output := finish(t, folder, c.settings, strings.Fields(c.args)...)
		if code != c.code || !regexp.MustCompile(c.want).MatchString(output) {
			t.Errorf("%s: exit code %d, want %d: %s", c.name, code, c.code, output)
		}
	}
}

// A port that is taken is said in a sentence, and the other service's database is left alone.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	folder := t.TempDir()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	code, output := finish(t, folder, []string{"DATA_API_PORT=" + port})
	if want := fmt.Sprintf("data-api: listen tcp %s: bind: address already in use\n", l.Addr()); code != 1 || output != want {
		t.Errorf("exit code %d: %q, want %q", code, output, want)
	}
	if files, _ := os.ReadDir(folder); len(files) > 0 {
		t.Errorf("it made %s", files[0].Name())
	}
}

func TestHealthcheckOfTheService(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := startReady(t, folder)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	settings := []string{"DATA_API_PORT=" + port}
	if code, output := finish(t, folder, settings, "healthcheck"); code != 0 || output != "ready\n" {
		t.Errorf("ready: exit code %d: %s", code, output)
	}
	p.stop(t)
	if code, output := finish(t, folder, settings, "healthcheck"); code != 1 || !strings.HasPrefix(output, "data-api: ") {
		t.Errorf("stopped: exit code %d: %s", code, output)
	}
}

// A client that sends garbage, or nothing, neither stops the service nor keeps it from ending.
func TestOddClients(t *testing.T) {
	t.Parallel()
	p := startReady(t, t.TempDir())
	address := strings.TrimPrefix(p.url, "http://")
	for _, text := range []string{"", "\r\n\r\n", "\x16\x03\x01\x02\x00", "GET / HTTP/9.9\r\n\r\n", "GET /livez HTTP/1.1\r\n\r\n", strings.Repeat("A", 1<<20)} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, text)
		if text != "" && text != "\r\n\r\n" && text[0] != '\x16' {
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if line, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.") && err == nil {
				t.Errorf("%.20q is answered %q", text, line)
			}
		}
	}
	if status := p.status(t, "/livez"); status != http.StatusOK {
		t.Errorf("/livez: %d", status)
	}
	p.stop(t)
}
