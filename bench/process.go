package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/mux"
)

// process is a server that is measured.
type process struct {
	*exec.Cmd
	address string
}

// data starts data-api on a database file in the folder, with further settings.
func (b *bench) data(ctx context.Context, database string, settings ...string) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	settings = append(settings, "DATABASE_URL=sqlite:"+b.folder+"/"+database, "DATA_API_PORT="+port, "DATA_API_HOST=127.0.0.1", "CLIENT_REQUESTS=0")
	return start(ctx, address, exec.CommandContext(ctx, b.binary, "serve"), settings...)
}

// empty starts this program as a server of empty handlers.
func (b *bench) empty(ctx context.Context) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, address, exec.CommandContext(ctx, self), "BENCH_EMPTY="+address)
}

func start(ctx context.Context, address string, c *exec.Cmd, environ ...string) (*process, error) {
	c.Env = append(os.Environ(), environ...)
	c.Stderr = io.Discard // through a pipe: its log is read, as Docker and systemd read it
	if err := c.Start(); err != nil {
		return nil, err
	}
	p := &process{Cmd: c, address: address}
	for range 2000 {
		if response, err := http.Get("http://" + address + "/readyz"); err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return p, nil
			}
		}
		time.Sleep(time.Millisecond)
	}
	return nil, errors.Join(fmt.Errorf("%s does not answer", c.Path), p.stop())
}

func (p *process) stop() error {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Wait()
}

// cpu is the processor time that the process has used.
func (p *process) cpu() time.Duration {
	fields := p.proc("stat", func(text string) []string {
		return strings.Fields(text[strings.LastIndex(text, ")")+1:])
	})
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100) // clock ticks are 1/100 s on Linux
}

// rss is the memory that the process has resident, in bytes.
func (p *process) rss() int64 {
	fields := p.proc("statm", strings.Fields)
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

func (p *process) proc(file string, split func(string) []string) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.Process.Pid, file))
	if err != nil {
		return nil
	}
	return split(string(text))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// serveEmpty answers the routes that are measured with nothing but bytes of the length asked for.
func serveEmpty(address string) {
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	answer := func(w http.ResponseWriter, r *http.Request) {
		length, _ := strconv.Atoi(r.Header.Get("X-Length"))
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(length))
		w.Write(filler[:length])
	}
	for _, path := range []string{"/readyz", "/api/v1/devices", "/api/v1/devices/{device_id}", "/internal/entities/bulk_upsert"} {
		r.HandleFunc(path, answer)
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, r))
}

var filler = make([]byte, 1<<20)
