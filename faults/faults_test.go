// Package faults does to the service what the world does to it, and holds it to what it promises: the binary as it is
// shipped, over HTTP, with the files that it keeps. `make faults` runs all of it. What is left to chance follows from a
// seed, which each run prints: `make faults SEED=…` does the same again, as far as the machine does.
package faults

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", 0, "what chance follows from; 0 for any")
	kills = flag.Int("kills", 2, "how often the service is killed")
	all   = flag.Bool("all", false, "do all of it, and not just what is quick")
)

// binary is data-api as it is shipped, built once, without the race detector that the tests may have.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "data-api")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "dataapi/cmd/data-api")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	fmt.Printf("seed %d; the same again: make faults SEED=%[1]d\n", *seed)
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "data-api-faults-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// chance is what is left to chance in one part of a test. It is the same for the same seed, whatever else runs.
func chance(t *testing.T, part string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, t.Name(), "/", part)
	return rand.New(rand.NewPCG(*seed, h.Sum64()))
}

// eventually waits until something holds, for 30 s at most.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func timeout(t *testing.T, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), limit)
}

// slow skips a test that other tests would slow down, or be slowed down by.
func slow(t *testing.T) {
	t.Helper()
	if !*all {
		t.Skip("only make faults does this")
	}
	t.Parallel()
}

// ours are the flags that this process was given, for another one.
func ours() []string { return []string{fmt.Sprint("-seed=", *seed), "-all"} }
