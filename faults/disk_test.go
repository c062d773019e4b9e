package faults

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A disk that is full, or read-only, keeps nobody from reading, and nothing that was acknowledged is lost; when it has
// room again, or can be written, so can the service.
func TestDisk(t *testing.T) {
	slow(t)
	if !mounted(t) {
		return
	}
	folder, l := t.TempDir(), newLoad()
	l.allowed = unavailable
	data := filepath.Join(folder, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	mount(t, data, 0, "size=12m")
	p := launch(t, folder).ready(t)
	p.works(t, l)
	full(t, p, l, data)
	p.stop(t)
	mount(t, data, syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
	p = launch(t, folder)
	readOnly(t, p, l, data)
	p.works(t, l)
	l.check(t, p)
	p.stop(t)
	whole(t, folder)
}

// full fills the disk while clients write, and frees it.
func full(t *testing.T, p *process, l *load, data string) {
	ballast := filepath.Join(data, "ballast")
	p.during(t, l, "full", func() {
		fill(t, ballast)
		p.complains(t, data)
		p.reads(t)
		time.Sleep(500 * time.Millisecond)
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
	})
	p.works(t, l)
	l.check(t, p)
}

// fill writes a file until there is no room for more.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	if !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Fatal(err)
	}
}

// reads holds what can be read to be read.
func (p *process) reads(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/api/v1/devices", "/api/v1/users/u1/preferences", "/api/v1/changes", "/api/v1/entities/sensor.json/history?start=-2h", "/readyz"} {
		if a := p.ask("GET", path, ""); a.status != 200 {
			t.Errorf("GET %s: %v", path, a)
		}
	}
}

// readOnly serves a disk that cannot be written, until it can.
func readOnly(t *testing.T, p *process, l *load, data string) {
	eventually(t, "it reads", func() bool {
		if found := listening.FindStringSubmatch(p.output.String()); found != nil {
			p.url = found[1]
		}
		return p.url != "" && p.ask("GET", "/readyz", "").status == 200
	})
	p.complains(t, data)
	before := l.acknowledged()
	p.during(t, l, "read-only", func() { time.Sleep(300 * time.Millisecond) })
	for i, n := range l.acknowledged() {
		if n != before[i] {
			t.Errorf("%T: acknowledged on a read-only disk", l.writers[i])
		}
	}
	p.reads(t)
	mount(t, data, syscall.MS_REMOUNT, "")
}

func mount(t *testing.T, folder string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount("none", folder, "tmpfs", flags, options); err != nil {
		t.Fatal(err)
	}
	if flags == 0 {
		t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	}
}

const ownMounts = "DATA_API_FAULTS_OWN_MOUNTS"

// mounted says whether this process has mounts of its own, which nobody else sees. Where it has not, the test runs again
// in one that has, if there may be one.
func mounted(t *testing.T) bool {
	t.Helper()
	if os.Getenv(ownMounts) != "" {
		err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
		if trial := t.TempDir(); err == nil {
			err = errors.Join(syscall.Mount("none", trial, "tmpfs", 0, ""), syscall.Unmount(trial, 0))
		}
		if err != nil {
			t.Skip("a file system cannot be mounted: ", err)
		}
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Go's own flags come first, and what is left to chance follows from the same seed.
	again := exec.Command(self, append([]string{"-test.run=^" + t.Name() + "$", "-test.v"}, ours()...)...)
	again.Env = append(os.Environ(), ownMounts+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		again.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		again.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		again.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	var out strings.Builder
	again.Stdout, again.Stderr = &out, &out
	err = again.Run()
	switch said := out.String(); {
	case again.ProcessState == nil, strings.Contains(said, "--- SKIP: "+t.Name()):
		t.Skipf("NOT TESTED: full and read-only disks, as this machine lets nobody mount: %v %s", err, said)
	case err != nil || !strings.Contains(said, "--- PASS: "+t.Name()):
		t.Errorf("%v\n%s", err, said)
	}
	return false
}
