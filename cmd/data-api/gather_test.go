package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// parts are what was written, by the call.
type parts struct {
	mu      sync.Mutex
	written []string
	err     error
}

func (p *parts) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written = append(p.written, string(b))
	return len(b), p.err
}

func (p *parts) want(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.written, want) {
		t.Fatalf("written: %q, not %q", p.written, want)
	}
}

func TestLinesAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p parts
		g := gather(&p)
		fmt.Fprint(g, "1\n")
		p.want(t, "1\n") // a line that is alone does not wait
		fmt.Fprint(g, "2\n")
		fmt.Fprint(g, "3\n")
		time.Sleep(99 * time.Millisecond)
		p.want(t, "1\n")
		time.Sleep(2 * time.Millisecond)
		p.want(t, "1\n", "2\n3\n")
		fmt.Fprint(g, "4\n") // still busy
		p.want(t, "1\n", "2\n3\n")
		time.Sleep(time.Second)
		fmt.Fprint(g, "5\n")
		p.want(t, "1\n", "2\n3\n", "4\n", "5\n")
		fmt.Fprint(g, "6\n")
		if err := g.Flush(); err != nil {
			t.Fatal(err)
		}
		p.want(t, "1\n", "2\n3\n", "4\n", "5\n", "6\n")
		time.Sleep(time.Second)
		p.want(t, "1\n", "2\n3\n", "4\n", "5\n", "6\n") // and once only
	})
}

func TestGatheredLinesTakeLittleMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := parts{err: errors.New("no reader")}
		g := gather(&p)
		line := strings.Repeat("x", 1023) + "\n"
		if _, err := fmt.Fprint(g, line); err != p.err {
			t.Fatalf("%v, not what the writer gave", err)
		}
		var failed int
		for range 100 { // which is more than is kept
			if _, err := fmt.Fprint(g, line); err != nil {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("%d writes failed, not the one that had to pass lines on", failed)
		}
		if err := g.Flush(); err != p.err {
			t.Errorf("%v, not what the writer gave", err)
		}
		p.want(t, line, strings.Repeat(line, 64), strings.Repeat(line, 36))
		time.Sleep(time.Second)
	})
}

// Lines are whole, each is there once, and those of one goroutine are in order.
func TestGatheringUnderLoad(t *testing.T) {
	var p parts
	g := gather(&p)
	g.pause = time.Millisecond
	const writers, lines = 8, 2000
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			for n := range lines {
				fmt.Fprintf(g, "%d %d\n", i, n)
			}
		})
	}
	wait.Wait()
	if err := g.Flush(); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := make([]int, writers)
	for line := range strings.Lines(strings.Join(p.written, "")) {
		var i, n int
		if _, err := fmt.Sscanf(line, "%d %d\n", &i, &n); err != nil || n != next[i] {
			t.Fatalf("%q, where line %d of it is due: %v", line, next[i], err)
		}
		next[i]++
	}
	for i, n := range next {
		if n != lines {
			t.Errorf("%d lines of writer %d, not %d", n, i, lines)
		}
	}
}

// A service that ends in the middle of its work has said all that it did.
func TestTheLogIsWhole(t *testing.T) {
	t.Parallel()
	p := startReady(t, t.TempDir())
	const asked = 200
	for i := range asked {
		if status := p.status(t, fmt.Sprintf("/api/v1/devices/d%d", i)); status != http.StatusNotFound {
			t.Fatalf("status %d", status)
		}
	}
	p.stop(t)
	if n := strings.Count(p.output.String(), "path=/api/v1/devices/d"); n != asked {
		t.Errorf("the log has %d requests of %d", n, asked)
	}
}
