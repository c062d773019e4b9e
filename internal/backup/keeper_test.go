package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"dataapi/internal/backup"
	datasql "dataapi/sql"
)

// keeper keeps backups of the files, none of which is open.
func (h home) keeper(every time.Duration, keep int) *backup.Keeper {
	return backup.New(backup.Config{
		Folder: h.path("backups"), Every: every, Keep: keep, Sources: h.paths().Sources(), Room: h.paths().Size,
		Version: "test", Log: h.log(),
	})
}

// names are those of the backups that are listed, and whether they are whole.
func (h home) names(k *backup.Keeper) (names []string) {
	h.Helper()
	all, err := k.List()
	h.must(err)
	for _, b := range all {
		names = append(names, fmt.Sprint(b.Name, " ", b.Verified))
	}
	return names
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 20 s: %s", what)
		}
	}
}

// run runs a keeper until the test ends or stop is called.
func (h home) run(k *backup.Keeper) (stop func()) {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- k.Run(running) }()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			h.must(<-ended)
		}
	}
	h.Cleanup(stop)
	return stop
}

// Backups are made again and again, the newest are kept, and nothing else in the folder is touched.
func TestKeeper(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	h.must(os.Mkdir(h.path("backups"), 0o700))
	for _, other := range []string{"data-api-notes.tar", "data-api-20260101T000000.000Z.tar.old", "mine.txt"} {
		h.must(os.WriteFile(filepath.Join(h.path("backups"), other), nil, 0o600))
	}
	k := h.keeper(20*time.Millisecond, 2)
	stop := h.run(k)
	eventually(t, "two are there", func() bool { return len(h.names(k)) == 2 })
	first := h.names(k)[0]
	eventually(t, "both are newer ones", func() bool { now := h.names(k); return len(now) == 2 && now[1] > first })
	stop()
	h.want("kept", len(h.names(k)), 2)
	h.want("others", len(h.left("backups/*")), 5)
	h.want("left behind", h.left("backups/.data-api*"), []string(nil))
}

// The next one is due an interval after the last one, also when the service was started anew between them.
func TestKeeperAfterARestart(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	_, err := h.keeper(0, 2).Make(ctx)
	h.must(err)
	k := h.keeper(time.Hour, 2)
	h.run(k)
	eventually(t, "it has found the last one", func() bool { return !k.Status().Last.IsZero() })
	h.want("due in about an hour", time.Since(k.Status().Last) < time.Minute, true)
	h.want("none but that", len(h.names(k)), 1)
}

// What cannot be made costs none of those that are there, and the reason is told until one succeeds.
func TestKeeperThatFails(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	k := h.keeper(0, 1)
	_, err := k.Make(ctx)
	h.must(err)
	before := h.names(k)
	good, err := os.ReadFile(h.path("history.db"))
	h.must(err)
	h.must(os.WriteFile(h.path("history.db"), []byte(strings.Repeat("garbage ", 2000)), 0o600))
	_, err = k.Make(ctx)
	var failed *backup.Failed
	h.want("what it says", errors.As(err, &failed), true)
	if s := k.Status(); !strings.HasPrefix(s.Problem, "history.db: ") || s.Since.IsZero() {
		t.Errorf("status: %+v", s)
	}
	h.want("those that are there", h.names(k), before)
	h.must(os.WriteFile(h.path("history.db"), good, 0o600))
	_, err = k.Make(ctx)
	h.must(err)
	if s := k.Status(); s.Problem != "" || !s.Since.IsZero() {
		t.Errorf("status: %+v", s)
	}
	h.want("left behind", h.left("backups/.data-api*"), []string(nil))
}

func TestKeeperMakesOneAtATime(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	k := h.keeper(0, 10)
	begun, end := make(chan bool), make(chan bool)
	copyOf := k.Sources[1].Copy
	k.Sources = []backup.Source{{Kind: datasql.OfMetadata, Copy: func(ctx context.Context, to string) error {
		begun <- true
		<-end
		return copyOf(ctx, to)
	}}}
	var made atomic.Int64
	done := make(chan error)
	go func() {
		_, err := k.Make(ctx)
		made.Add(1)
		done <- err
	}()
	<-begun
	_, err := k.Make(ctx)
	h.want("the second", errors.Is(err, backup.ErrBusy), true)
	end <- true
	h.must(<-done)
}

// No backup is begun that would fill the disk.
func TestKeeperLeavesRoom(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	k := h.keeper(0, 1)
	k.Room = func() int64 { return 1 << 60 }
	_, err := k.Make(ctx)
	if err == nil || !strings.Contains(err.Error(), "too little room") {
		t.Errorf("got %v", err)
	}
}

// Backups of a clock that was ahead are not the newest for as long as that: they go first.
func TestKeeperAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	h := newHome(t).fill("a")
	k := h.keeper(0, 1)
	h.must(os.Mkdir(h.path("backups"), 0o700))
	for _, wrong := range []string{"data-api-29990101T000000.000Z.tar", "data-api-29990102T000000.000Z.tar"} {
		h.must(os.WriteFile(filepath.Join(h.path("backups"), wrong), nil, 0o600))
	}
	b, err := k.Make(ctx)
	h.must(err)
	h.want("kept", h.names(k), []string{b.Name + " true"})
}
