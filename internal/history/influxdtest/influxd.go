// Package influxdtest starts a real InfluxDB for tests: Debian's influxd (package influxdb, version 1.6.7) in
// a folder and on ports of the test's own, or the server that INFLUXDB_TEST_URL names.
package influxdtest

import (
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

// Process is an influxd of the test's own, which may be killed and started again.
type Process struct {
	tb      testing.TB
	folder  string
	address string // of HTTP
	rpc     string // a second listener, for backups
	cmd     *exec.Cmd
	exited  chan struct{}
	log     *os.File
}

const startTimeout = 30 * time.Second

// Start starts an influxd, and ends it with the test. Where none is installed it skips the test; one that is
// installed and does not start fails it.
func Start(tb testing.TB) *Process {
	tb.Helper()
	binary := find(tb)
	p := &Process{tb: tb, folder: tb.TempDir()}
	for tries := 0; ; tries++ {
		p.address, p.rpc = freeAddress(tb), freeAddress(tb)
		p.configure()
		err := p.start(binary)
		if err == nil {
			break
		}
		if tries == 2 { // somebody may have taken a port meanwhile
			tb.Fatalf("influxd: %v\n%s", err, p.output())
		}
	}
	tb.Cleanup(p.Kill)
	return p
}

// find returns the path of influxd.
func find(tb testing.TB) string {
	tb.Helper()
	binary, err := exec.LookPath("influxd")
	if err != nil {
		tb.Skip("influxd is not installed (Debian: apt-get install influxdb), so this is not tested against a real server")
	}
	return binary
}

func freeAddress(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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

func (p *Process) configure() {
	p.tb.Helper()
	text := fmt.Sprintf(settings, p.folder, p.rpc, p.address)
	if err := os.WriteFile(p.config(), []byte(text), 0o600); err != nil {
		p.tb.Fatal(err)
	}
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
