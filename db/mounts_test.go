package db

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Read-only and full file systems are real ones, mounted where nobody else sees them.
const namespaceVariable = "DATAAPI_DB_TEST_NAMESPACE"

// mounted calls body with a file system in memory, mounted with options. For that the test runs again
// in a process with mounts of its own.
func mounted(t *testing.T, options string, body func(t *testing.T, folder string)) {
	t.Helper()
	if os.Getenv(namespaceVariable) == "" {
		runWithOwnMounts(t)
		return
	}
	folder := t.TempDir()
	if err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skip("mounts cannot be made private: ", err)
	}
	if err := syscall.Mount("none", folder, "tmpfs", 0, options); err != nil {
		t.Skip("a file system cannot be mounted: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	body(t, folder)
}

func runWithOwnMounts(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), namespaceVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Skip("no process with mounts of its own: ", err)
	}
	switch err := cmd.Wait(); {
	case err != nil:
		t.Errorf("%v\n%s", err, out.String())
	case strings.Contains(out.String(), "--- SKIP"):
		t.Skip(out.String())
	case !strings.Contains(out.String(), "--- PASS: "+t.Name()):
		t.Errorf("it did not run:\n%s", out.String())
	}
}

// remount makes a file system read-only or writable.
func remount(t *testing.T, folder string, flags uintptr) {
	t.Helper()
	if err := syscall.Mount("none", folder, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	t.Parallel()
	mounted(t, "size=16m", func(t *testing.T, folder string) {
		path := filepath.Join(folder, "metadata.db")
		overwrite(t, path, databaseWith(t, "a", "b"))
		remount(t, folder, syscall.MS_RDONLY)
		d := running(t, DefaultConfig(path))
		eventually(t, "reads are served", func() bool { return floors(d) == "a b" })
		s := d.Status(ctx)
		want(t, "Status", fmt.Sprintf("%v %v %s", s.Readable, s.Writable, s.Reason), "true false read_only")
		wantReason(t, "write", addFloor(d, "c"), ReadOnly)
		want(t, "integrity", s.Integrity.Problem, "")
		remount(t, folder, 0)
		eventually(t, "it is opened for writing", func() bool { now := d.present.Load(); return now != nil && !now.readOnly })
		want(t, "writable", d.Status(ctx).Writable, true)
		wantServed(t, d, "a b")
	})
}

func TestReadOnlyFileSystemWithALog(t *testing.T) {
	t.Parallel()
	mounted(t, "size=16m", func(t *testing.T, folder string) {
		path := filepath.Join(folder, "metadata.db")
		writeUntilKilled(t, path, "n", 5)
		before := opened(t, DefaultConfig(path))
		all := floors(before)
		before.Close()
		writeUntilKilled(t, path, "m", 5)
		if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
			t.Fatal("the killed writer left no log: ", err)
		}
		remount(t, folder, syscall.MS_RDONLY)
		d := running(t, DefaultConfig(path))
		eventually(t, "what is in the log is served", func() bool {
			return len(floors(d)) > len(all) && strings.Contains(floors(d), "m-000004")
		})
		wantReason(t, "write", addFloor(d, "c"), ReadOnly)
	})
}

func TestReadOnlyFileSystemWithoutADatabase(t *testing.T) {
	t.Parallel()
	mounted(t, "size=16m", func(t *testing.T, folder string) {
		remount(t, folder, syscall.MS_RDONLY)
		d := running(t, DefaultConfig(filepath.Join(folder, "x", "metadata.db")))
		wantLost(t, d, Missing)
		remount(t, folder, 0)
		wantServed(t, d, "")
	})
}

func TestReadOnlyFileSystemWithAnOlderDatabase(t *testing.T) {
	t.Parallel()
	mounted(t, "size=16m", func(t *testing.T, folder string) {
		path := filepath.Join(folder, "metadata.db")
		overwrite(t, path, olderDatabase(t))
		remount(t, folder, syscall.MS_RDONLY)
		d := running(t, DefaultConfig(path))
		wantLost(t, d, ReadOnly)
		remount(t, folder, 0)
		wantServed(t, d, "")
	})
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	mounted(t, "size=2m", func(t *testing.T, folder string) {
		path := filepath.Join(folder, "metadata.db")
		d := serving(t, DefaultConfig(path))
		ballast := filepath.Join(folder, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
			t.Fatal(err)
		}
		var acknowledged []string
		var err error
		for err == nil && len(acknowledged) < 10000 {
			id := fmt.Sprintf("%05d", len(acknowledged))
			if err = addFloor(d, id); err == nil {
				acknowledged = append(acknowledged, id)
			}
		}
		wantReason(t, "write on the full disk", err, DiskFull)
		want(t, "floors", floors(d), strings.Join(acknowledged, " "))
		s := d.Status(ctx)
		want(t, "Status", fmt.Sprintf("%v %v %s", s.Readable, s.Writable, s.Reason), "true false disk_full")
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it can be written", func() bool { return d.Status(ctx).Writable })
		wantServed(t, d, strings.Join(acknowledged, " "))
		d.Close()
		want(t, "after a restart", floors(opened(t, DefaultConfig(path))), strings.Join(append(acknowledged, "z"), " "))
	})
}

func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	mounted(t, "size=128k", func(t *testing.T, folder string) {
		d := running(t, DefaultConfig(filepath.Join(folder, "metadata.db")))
		wantLost(t, d, DiskFull)
		if err := syscall.Mount("none", folder, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
			t.Fatal(err)
		}
		wantServed(t, d, "")
	})
}
