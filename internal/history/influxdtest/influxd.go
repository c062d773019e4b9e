// Package influxdtest starts a real InfluxDB for tests: Debian's influxd (package influxdb, version 1.6.7) in
// a folder and on ports of the test's own, or the server that INFLUXDB_TEST_URL names.
package influxdtest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Process is an influxd of its own, which may be killed and started again.
type Process struct {
	tb      testing.TB // nil where it is of no test
	folder  string
	address string // of HTTP
	rpc     string // a second listener, for backups
	cmd     *exec.Cmd
	exited  chan struct{}
	log     *os.File
}

const startTimeout = 30 * time.Second

// Start starts an influxd, and ends it with the test. Where none is installed it skips the test, unless REQUIRE_INFLUXD
// is set, as it is in CI; one that is installed and does not start fails it.
func Start(tb testing.TB) *Process {
	tb.Helper()
	p, err := Launch(tb.TempDir())
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("REQUIRE_INFLUXD") == "" {
		tb.Skip("influxd is not installed (Debian: apt-get install influxdb), so this is not tested against a real server")
	}
	if err != nil {
		tb.Fatal(err)
	}
	p.tb = tb
	tb.Cleanup(p.Kill)
	return p
}

// Launch starts an influxd that keeps its data in a folder, until it is killed. The error is exec.ErrNotFound where
// none is installed.
func Launch(folder string) (*Process, error) {
	binary, err := exec.LookPath("influxd")
	if err != nil {
		return nil, err
	}
	p := &Process{folder: folder}
	for range 3 { // somebody may have taken a port meanwhile
		if err = p.configure(); err == nil {
			err = p.start(binary)
		}
		if err == nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("influxd: %w\n%s", err, p.output())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

const settings = `reporting-disabled = true
bind-address = %[2]q
[meta]
dir = "%[1]s/meta"
[data]
dir = "%[1]s/data"
wal-dir = "%[1]s/wal"
index-version = "tsi1"
[coordinator]
query-timeout = "30s"
[monitor]
store-enabled = false
[http]
bind-address = %[3]q
log-enabled = false
`

func (p *Process) configure() (err error) {
	if p.address, err = freeAddress(); err != nil {
		return err
	}
	if p.rpc, err = freeAddress(); err != nil {
		return err
	}
	return os.WriteFile(p.config(), fmt.Appendf(nil, settings, p.folder, p.rpc, p.address), 0o600)
}

func (p *Process) config() string { return filepath.Join(p.folder, "influxdb.conf") }

// start runs influxd and returns when it answers, or has ended.
func (p *Process) start(binary string) (err error) {
	if p.log, err = os.Create(filepath.Join(p.folder, "log")); err != nil {
		return err
	}
	p.cmd = exec.Command(binary, "-config", p.config())
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = dieWithTest()
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.exited = make(chan struct{})
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	return p.waitUntilUp()
}

func (p *Process) waitUntilUp() error {
	client := &http.Client{Timeout: time.Second}
	for end := time.Now().Add(startTimeout); time.Now().Before(end); {
		if response, err := client.Get(p.URL() + "/ping"); err == nil {
			response.Body.Close()
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("ended: %v", p.cmd.ProcessState)
		case <-time.After(10 * time.Millisecond):
		}
	}
	p.Kill()
	return fmt.Errorf("does not answer after %v", startTimeout)
}

func (p *Process) output() string {
	text, _ := os.ReadFile(filepath.Join(p.folder, "log"))
	return strings.TrimSpace(string(text))
}

// URL is the address of the server, also while it is down.
func (p *Process) URL() string { return "http://" + p.address }

// Kill ends the server at once, as a power cut would. It does nothing where it has ended already.
func (p *Process) Kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.exited
	p.log.Close()
}

// Restart starts a server that was killed, with the same address and data.
func (p *Process) Restart() {
	p.tb.Helper()
	if err := p.start(p.cmd.Path); err != nil {
		p.tb.Fatalf("influxd: %v\n%s", err, p.output())
	}
}

// Pause stops the server without ending it: it accepts connections and does not answer. Resume wakes it up.
func (p *Process) Pause() { p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume wakes a paused server.
func (p *Process) Resume() { p.cmd.Process.Signal(syscall.SIGCONT) }
