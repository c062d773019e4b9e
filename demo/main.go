// Command demo serves data-api with a home that seems to be lived in. It starts the service, and sends it what people
// would: the last states of the demo home, a day of past, and then what happens. All of it is simulated, and says so:
// each state has the attribute simulated, and simulated as what caused it. The service itself knows nothing of demos.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

func main() {
	binary := flag.String("binary", "bin/data-api", "the data-api to start")
	states := flag.String("states", "testdata/demo-home/states.json", "the last states of the home")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, *binary, *states); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run serves until ctx or the service ends. Nothing is sent before the service itself says where it listens: on its
// port there may be another one, with somebody's real home.
func run(ctx context.Context, binary, states string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command := exec.CommandContext(ctx, binary, "serve")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 30 * time.Second
	said, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	fed := make(chan error, 1)
	relay(said, func(url string) {
		go func() {
			fed <- feed(ctx, url, states)
			cancel() // either the service ends, or it is to
		}()
	})
	err = command.Wait()
	cancel()
	select {
	case broken := <-fed:
		if !errors.Is(broken, context.Canceled) {
			err = errors.Join(broken, err)
		}
	default:
	}
	if ctx.Err() != nil && command.ProcessState.Success() {
		return nil
	}
	return err
}

var address = regexp.MustCompile(`http://[^\s"]+`)

// relay copies the log of the service until it ends, and calls listening once with the address that it says.
func relay(log io.Reader, listening func(url string)) {
	lines := bufio.NewScanner(log)
	for told := false; lines.Scan(); {
		fmt.Fprintln(os.Stderr, lines.Text())
		if url := address.FindString(lines.Text()); !told && url != "" && strings.Contains(lines.Text(), "listening") {
			told = true
			listening(url)
		}
	}
	io.Copy(os.Stderr, log) // whatever was no line
}

// feed sends the past, and then the present until ctx ends.
func feed(ctx context.Context, url, states string) error {
	f := feeder{url: url}
	log := slog.Default()
	if err := f.open(ctx, states); err != nil {
		return err
	}
	now := time.Now()
	n, err := f.send(ctx, f.past(now.Add(-24*time.Hour), now))
	if err != nil {
		return err
	}
	log.Info("SIMULATED: a day of the demo home, and from now on what happens there", "states", n)
	log.Info("mean temperature per area per hour: curl '" + url + "/api/v1/history?device_class=temperature&group_by=area&every=1h'")
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case next := <-tick.C:
			if _, err := f.send(ctx, f.changes(now, next)); err != nil {
				return err
			}
			now = next
		}
	}
}
