package auth

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"
)

var home = netip.MustParseAddr("192.168.1.7")

// A client may be wrong a few times at once; then each answer waits for the one before, and in the end none waits.
func TestWrongKeysAreSlowedDown(t *testing.T) {
	var b brake
	now := time.Now()
	for i := range freeTries {
		if wait, ok := b.try(home, now); wait != 0 || !ok {
			t.Fatalf("try %d waits %v, %v", i, wait, ok)
		}
	}
	for i := range int(longestWait / tryPace) {
		if wait, ok := b.try(home, now); wait != time.Duration(i+1)*tryPace || !ok {
			t.Fatalf("slowed try %d waits %v, %v", i, wait, ok)
		}
	}
	for range 100 {
		if wait, ok := b.try(home, now); wait <= longestWait || ok {
			t.Fatalf("%v, %v", wait, ok)
		}
	}
	if wait, ok := b.try(netip.MustParseAddr("192.168.1.8"), now); wait != 0 || !ok {
		t.Errorf("another client waits %v, %v", wait, ok)
	}
	if wait, ok := b.try(home, now.Add(longestWait)); wait <= 0 || !ok {
		t.Errorf("after a while: %v, %v", wait, ok)
	}
	if wait, ok := b.try(home, now.Add(time.Hour)); wait != 0 || !ok {
		t.Errorf("after an hour: %v, %v", wait, ok)
	}
	if b.wrong != int64(freeTries)+int64(longestWait/tryPace)+103 {
		t.Errorf("%d counted", b.wrong)
	}
}

// Addresses of one IPv6 network are one client, those of IPv4 each are.
func TestWhoIsAClient(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"fd00::1", "fd00::2", true}, {"fd00::1", "fd00:0:0:1::1", false},
		{"10.0.0.1", "10.0.0.2", false}, {"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		if same := client(netip.MustParseAddr(c.a)) == client(netip.MustParseAddr(c.b)); same != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, same)
		}
	}
}

// However many clients there are, a bounded number is remembered: the rest is slowed down as one, until some are forgotten.
func TestClientsAreBounded(t *testing.T) {
	var b brake
	now := time.Now()
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * mostClients {
		b.try(address(i), now)
	}
	if len(b.until) > mostClients+1 {
		t.Errorf("%d are remembered", len(b.until))
	}
	if _, ok := b.try(address(4*mostClients), now); ok {
		t.Error("one of too many is not slowed down")
	}
	later := now.Add(24 * time.Hour)
	if wait, ok := b.try(address(5*mostClients), later); wait != 0 || !ok || len(b.until) > 2 {
		t.Errorf("a day later: %v, %v, %d remembered", wait, ok, len(b.until))
	}
}

// Those who wait are bounded, too, and are let go at a shutdown.
func TestThoseWhoWaitAreBounded(t *testing.T) {
	t.Parallel()
	g := New(Config{Log: slog.New(slog.DiscardHandler)})
	hurry := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	refused, start := 0, time.Now()
	for i := range 60 {
		for range 20 {
			all.Go(func() {
				if g.Slow(context.Background(), netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), hurry) != nil {
					mu.Lock()
					refused++
					mu.Unlock()
				}
			})
		}
	}
	for end := time.Now().Add(10 * time.Second); g.Wrong() < 1200 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	close(hurry)
	all.Wait()
	if took := time.Since(start); took > longestWait {
		t.Errorf("it took %v", took)
	}
	if refused < 60*5 || g.brake.waiting != 0 {
		t.Errorf("%d refused, %d still wait", refused, g.brake.waiting)
	}
}
