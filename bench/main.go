// Command bench measures data-api against an empty handler behind the same router, and itself against
// itself. It prints ratios from interleaved rounds of one run: absolute figures of a busy machine mean
// little. It needs bin/data-api (make build), listens on loopback only, and ends by itself.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// bench is what the measurements share.
type bench struct {
	binary string        // of data-api
	folder string        // for databases, removed at the end
	rounds int           // of each measurement
	length time.Duration // of a round
	calls  int           // of each of two functions that are compared, in a round
}

func main() {
	if address := os.Getenv("BENCH_EMPTY"); address != "" {
		serveEmpty(address)
		return
	}
	if address := os.Getenv("BENCH_PLAIN"); address != "" {
		servePlain(address, os.Getenv("BENCH_DATABASE"))
		return
	}
	b := bench{calls: 500}
	flag.StringVar(&b.binary, "binary", "bin/data-api", "the data-api to measure")
	flag.IntVar(&b.rounds, "rounds", 5, "rounds of each measurement")
	flag.DurationVar(&b.length, "length", time.Second, "of a round")
	scale := flag.Int("scale", 0, "instead compare a home of so many entities with a small one")
	underLoad := flag.Bool("load", false, "instead measure reads under the load of wrk")
	flag.Parse()
	if err := b.run(context.Background(), *scale, *underLoad); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) run(ctx context.Context, scale int, underLoad bool) (err error) {
	if b.folder, err = os.MkdirTemp("", "data-api-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.folder)) }()
	if scale > 0 {
		return b.scale(ctx, scale)
	}
	if underLoad {
		return b.underLoad(ctx)
	}
	for _, measure := range []func(context.Context) error{
		b.reads, b.bulk, b.log, b.home, b.search, b.statements, b.depth, b.start, b.webhooks, b.history,
	} {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// row prints one line of the result.
func row(name, format string, args ...any) {
	fmt.Printf("%-50s %s\n", name, fmt.Sprintf(format, args...))
}

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
