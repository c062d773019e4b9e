package backup_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dataapi/db"
	"dataapi/internal/backup"
)

const namespaceVariable = "DATAAPI_BACKUP_TEST_NAMESPACE"

// mounted runs the test again in a process with mounts of its own, and there body with a small file system in memory.
func mounted(t *testing.T, options string, body func(folder string)) {
	t.Helper()
	if os.Getenv(namespaceVariable) == "" {
		again(t)
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
	body(folder)
}

func again(t *testing.T) {
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
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &ended):
		t.Skip("no process with mounts of its own: ", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skip(string(out))
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("it did not run:\n%s", out)
	}
}

// On a full disk a backup leaves nothing behind and the one before as it is, and a restore changes nothing. When there
// is room again, both succeed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	mounted(t, "size=3m", func(folder string) {
		h := newHome(t).fill("a")
		target := filepath.Join(folder, "x.tar")
		_, err := backup.Create(ctx, h.paths().Sources(), target, "test", false)
		h.must(err)
		good, err := os.ReadFile(target)
		h.must(err)
		ballast := filepath.Join(folder, "ballast")
		h.must(os.WriteFile(ballast, make([]byte, 3<<20-len(good)-200<<10), 0o600))
		_, err = backup.Create(ctx, h.paths().Sources(), target, "test", true)
		var full *db.Unavailable
		if !errors.Is(err, syscall.ENOSPC) && !(errors.As(err, &full) && full.Reason == db.DiskFull) {
			t.Errorf("a backup on a full disk: %v", err)
		}
		now, err := os.ReadFile(target)
		h.want("the one before", string(now) == string(good) && err == nil, true)
		left, err := os.ReadDir(folder)
		h.must(err)
		h.want("files", len(left), 2)

		small := newHome(t)
		small.folder = filepath.Join(folder, "data")
		_, err = backup.Restore(ctx, small.paths(), target)
		h.want("a restore on a full disk", errors.Is(err, syscall.ENOSPC), true)
		h.want("left behind", small.left("*"), []string(nil))
		h.must(os.Remove(ballast))
		_, err = backup.Restore(ctx, small.paths(), target)
		h.must(err)
		h.want("floors", small.floors(), "a")
	})
}
