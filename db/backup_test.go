package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// While a copy is made the file is opened anew, as it is when another program moves the log into it: the copy begins anew.
func TestCopyWhileTheFileIsOpenedAnew(t *testing.T) {
	t.Parallel()
	d := opened(t, DefaultConfig(fileIn(t)))
	for n := range 20 {
		mustAddFloors(t, d, fmt.Sprint(n, strings.Repeat("x", 1<<20)))
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	done := make(chan error)
	go func() { done <- d.CopyTo(ctx, copied) }()
	for range 3 {
		eventually(t, "it is being copied", func() bool { return d.readings.Load() > 0 })
		d.close(errReopening)
		want(t, "the copy was stopped, and all else", d.drained(ctx), true)
		if err := d.Open(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(ctx, copied); err != nil {
		t.Error(err)
	}
}

func TestCopyOfWhatIsNotOpen(t *testing.T) {
	t.Parallel()
	d := unopened(t, DefaultConfig(fileIn(t)))
	wantReason(t, "copy", d.CopyTo(ctx, filepath.Join(t.TempDir(), "copy.db")), Opening)
	stopped, stop := context.WithCancel(ctx)
	stop()
	if err := opened(t, DefaultConfig(fileIn(t))).CopyTo(stopped, filepath.Join(t.TempDir(), "copy.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Those who use a file hold it together, and one who is to replace it alone.
func TestHold(t *testing.T) {
	t.Parallel()
	path := fileIn(t)
	first, err := HoldFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	second, err := HoldFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := HoldFile(path, true); !errors.Is(err, ErrHeld) {
		t.Errorf("held by two: %v", err)
	}
	first.Release()
	if _, err := HoldFile(path, true); !errors.Is(err, ErrHeld) {
		t.Errorf("held by one: %v", err)
	}
	second.Release()
	alone, err := HoldFile(path, true)
	if err != nil {
		t.Fatal(err)
	}
	d := unopened(t, DefaultConfig(path))
	wantReason(t, "opening what is being replaced", d.Open(ctx), Locked)
	alone.Release()
	if err := d.Open(ctx); err != nil {
		t.Error(err)
	}
}
