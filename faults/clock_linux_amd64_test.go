package faults

import (
	"bytes"
	"debug/elf"
	bin "encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// clock is the clock of one process, which is put forward and back while that of the machine is right. Go asks the
// kernel's library in its memory (the vDSO) what time it is, and SQLite the C library that is in the binary: both are
// made to add what clock says. The time that only ever goes forward is left alone, as by whoever sets a real clock.
type clock struct {
	memory *os.File
	at     []int64 // where what is added is kept, in seconds
}

// What either begins with from now on: it asks the kernel and adds what is kept behind it, if the clock that is asked is
// the one that can be set. The arguments are where C, and where Go, put them.
var (
	asC = []byte("\xb8\xe4\x00\x00\x00" + "\x0f\x05" + "\x85\xff" + "\x75\x0a" + "\x48\x8b\x15\x06\x00\x00\x00" + "\x48\x01\x16" + "\x31\xc0" + "\xc3")
	asG = append([]byte("\x89\xdf"+"\x48\x89\xce"), asC...)
)

// launchAt is launch with a clock. The process is stopped before its first instruction for that.
func launchAt(t *testing.T, folder string, settings ...string) (*process, *clock) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	traced := &syscall.SysProcAttr{Ptrace: true}
	c := &clock{}
	runtime.LockOSThread() // only the thread that started a traced process may let it go on
	defer runtime.UnlockOSThread()
	p := launchWith(t, folder, traced, func(pid int) error {
		_, err := syscall.Wait4(pid, nil, 0, nil) // until it is stopped
		return errors.Join(err, c.take(pid, path), syscall.PtraceDetach(pid))
	}, settings...)
	t.Cleanup(func() { c.memory.Close() })
	return p, c
}

// take makes the clock that of a stopped process.
func (c *clock) take(pid int, path string) (err error) {
	if c.memory, err = os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0); err != nil {
		return err
	}
	base, vdso, err := c.vdso(pid)
	if err != nil {
		return err
	}
	for _, patch := range []struct {
		file   func() (*elf.File, error)
		base   uint64
		symbol string
		code   []byte
	}{
		{func() (*elf.File, error) { return elf.NewFile(bytes.NewReader(vdso)) }, base, "__vdso_clock_gettime", asC},
		{func() (*elf.File, error) { return elf.Open(path) }, 0, "modernc.org/libc.X__clock_gettime", asG},
	} {
		file, err := patch.file()
		if err != nil {
			return err
		}
		at, err := addressOf(file, patch.symbol)
		if err != nil {
			return err
		}
		if _, err := c.memory.WriteAt(append(bytes.Clone(patch.code), make([]byte, 8)...), int64(patch.base+at)); err != nil {
			return err
		}
		c.at = append(c.at, int64(patch.base+at)+int64(len(patch.code)))
	}
	return nil
}

// vdso finds the kernel's library in the memory of a process.
func (c *clock) vdso(pid int) (base uint64, image []byte, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, nil, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.HasSuffix(line, "[vdso]\n") {
			var end uint64
			fmt.Sscanf(line, "%x-%x", &base, &end)
			image = make([]byte, end-base)
			_, err = c.memory.ReadAt(image, int64(base))
			return base, image, err
		}
	}
	return 0, nil, fmt.Errorf("there is no vDSO in\n%s", maps)
}

func addressOf(file *elf.File, name string) (uint64, error) {
	symbols, _ := file.Symbols()
	dynamic, _ := file.DynamicSymbols()
	for _, s := range append(symbols, dynamic...) {
		if s.Name == name {
			return s.Value, nil
		}
	}
	return 0, fmt.Errorf("there is no %s", name)
}

// jump makes the clock wrong by so much.
func (c *clock) jump(t *testing.T, by time.Duration) {
	t.Helper()
	text := bin.LittleEndian.AppendUint64(nil, uint64(int64(by/time.Second)))
	for _, at := range c.at {
		if _, err := c.memory.WriteAt(text, at); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever the clock says, and however it jumps, what is written is acknowledged and kept, those who follow the changes
// miss none and get none twice, webhooks are called, also when what failed is to be sent again, and the past is there.
func TestClockJumps(t *testing.T) {
	slow(t)
	folder, l, r := t.TempDir(), newLoad(), chance(t, "jumps")
	past := l.writers[4:]
	l.writers, l.acks = l.writers[:4], l.acks[:4] // states of the future are rejected, and so are those of long ago
	f := follow(t, folder)
	f.receiver.AnyTime = true
	p, c := launchAt(t, folder, "CHANGES_RETENTION=0", "GODEBUG=asyncpreemptoff=1")
	p.ready(t)
	for _, w := range past {
		w.write(p, nil)
	}
	followers := f.run(t, p)
	day := 24 * time.Hour
	jumps := []time.Duration{time.Hour, -2 * time.Hour, 400 * day, -400 * day, 3 * day, -20000 * day, -time.Minute}
	r.Shuffle(len(jumps), func(i, j int) { jumps[i], jumps[j] = jumps[j], jumps[i] })
	for _, by := range jumps[:3] {
		c.jump(t, by)
		p.isAt(t, time.Now().Add(by))
		p.works(t, l)
		f.called(t) // so that what fails now fails for the first time, and is sent again soon
		f.receiver.Kill()
		p.during(t, l, fmt.Sprint("without a receiver at ", by), func() { time.Sleep(700 * time.Millisecond) })
		if err := f.receiver.Revive(); err != nil {
			t.Fatal(err)
		}
		c.jump(t, 0)
		p.works(t, l)
	}
	l.check(t, p)
	var summary struct{ Partial bool }
	if p.get(t, "/api/v1/history?entity_id=sensor.json&start=-2h&every=1h", &summary); summary.Partial {
		t.Error("part of the past is missing")
	}
	for _, w := range past {
		w.check(t, p)
	}
	p.stop(t)
	followers.Wait()
	p = launch(t, folder).ready(t)
	f.check(t, p)
	p.stop(t)
	whole(t, folder)
}

// isAt holds both clocks of the service, its own and SQLite's, to a time.
func (p *process) isAt(t *testing.T, want time.Time) {
	t.Helper()
	var health struct{ Timestamp time.Time }
	p.get(t, "/health", &health)
	var stored struct {
		At time.Time `json:"updated_at"`
	}
	if err := p.ask("PUT", "/api/v1/users/clock/preferences", fmt.Sprintf(`{"at":%d}`, want.UnixNano())).read(&stored); err != nil {
		t.Fatal(err)
	}
	for name, is := range map[string]time.Time{"the service": health.Timestamp, "SQLite": stored.At} {
		if is.Before(want.Add(-time.Minute)) || is.After(want.Add(time.Minute)) {
			t.Errorf("%s is at %v, want %v", name, is, want)
		}
	}
}
