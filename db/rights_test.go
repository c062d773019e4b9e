package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Root may read and write everything, so what is forbidden is forbidden to nobody.
const nobody = 65534

// asNobody runs a role without root's rights, in a folder of its own. The role gets the database's path.
func asNobody(t *testing.T, role string) {
	t.Helper()
	path := fileIn(t)
	for folder := filepath.Dir(path); folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		if err := os.Chown(filepath.Dir(path), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := again(t, role, path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func dropRights() error {
	if os.Getuid() != 0 {
		return nil
	}
	return errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody))
}

func TestAFolderThatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	asNobody(t, "hidden folder")
}

func TestAFileThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	asNobody(t, "protected file")
}

// scenario is a role: it runs the database at args[0] without root's rights while body does things to it.
func scenario(body func(d *DB, path string) error) func(args []string) error {
	return func(args []string) error {
		if err := dropRights(); err != nil {
			return err
		}
		d := Prepare(DefaultConfig(args[0]), slog.New(slog.NewTextHandler(os.Stderr, nil)))
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		err := body(d, args[0])
		cancel()
		return errors.Join(err, <-done, d.Close())
	}
}

// await waits until Status is as told: whether it can be read and written, and the reason.
func await(d *DB, readable, writable bool, reason Reason) error {
	var s Status
	for end := time.Now().Add(recovery); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if s = d.Status(ctx); s.Readable == readable && s.Writable == writable && s.Reason == reason {
			return nil
		}
	}
	return fmt.Errorf("want readable %v, writable %v, reason %q; got %+v", readable, writable, reason, s)
}

var hiddenFolder = scenario(func(d *DB, path string) error {
	if err := await(d, true, true, ""); err != nil {
		return err
	}
	if err := errors.Join(addFloor(d, "a"), os.Chmod(filepath.Dir(path), 0)); err != nil {
		return err
	}
	if err := await(d, false, false, Missing); err != nil {
		return err
	}
	if err := addFloor(d, "lost"); reasonOf(err) != Missing {
		return fmt.Errorf("write: %w, want missing", err)
	}
	if err := errors.Join(os.Chmod(filepath.Dir(path), 0o700), await(d, true, true, "")); err != nil {
		return err
	}
	if got := floors(d); got != "a" {
		return fmt.Errorf("floors %q, want a", got)
	}
	return addFloor(d, "b")
})

var protectedFile = scenario(func(d *DB, path string) error {
	if err := await(d, true, true, ""); err != nil {
		return err
	}
	if err := errors.Join(addFloor(d, "a"), d.Close(), os.Chmod(path, 0o400), os.Chmod(filepath.Dir(path), 0o500)); err != nil {
		return err
	}
	return servesReadOnly(path)
})

// servesReadOnly opens the database anew, reads it, and writes when that is allowed again.
func servesReadOnly(path string) error {
	return scenario(func(d *DB, path string) error {
		if err := await(d, true, false, ReadOnly); err != nil {
			return err
		}
		if got := floors(d); got != "a" {
			return fmt.Errorf("floors %q, want a", got)
		}
		if err := addFloor(d, "lost"); reasonOf(err) != ReadOnly {
			return fmt.Errorf("write: %w, want read_only", err)
		}
		if err := errors.Join(os.Chmod(filepath.Dir(path), 0o700), os.Chmod(path, 0o600), await(d, true, true, "")); err != nil {
			return err
		}
		return addFloor(d, "b")
	})([]string{path})
}
