package webhook

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

func TestRefusedTarget(t *testing.T) {
	var calls atomic.Int32
	url := receiver(t, func(http.ResponseWriter, *http.Request, []byte) { calls.Add(1) })
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		o := call(t, closing(t, NewCaller(Targets{}, "test")), "http://"+host+":"+port)
		if !strings.Contains(o.Problem, "webhooks may not be at ") || o.Verdict() != Hold {
			t.Errorf("%s: the outcome is %+v", host, o)
		}
	}
	if calls.Load() != 0 {
		t.Errorf("%d calls came", calls.Load())
	}
}

func TestRedirect(t *testing.T) {
	var calls atomic.Int32
	other := receiver(t, func(http.ResponseWriter, *http.Request, []byte) { calls.Add(1) })
	for _, status := range []int{http.StatusMovedPermanently, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		url := receiver(t, func(w http.ResponseWriter, r *http.Request, _ []byte) { http.Redirect(w, r, other, status) })
		if o := call(t, local(t), url); o.Status != status || o.Verdict() != Hold || calls.Load() != 0 {
			t.Errorf("%d was followed by %d calls: %+v", status, calls.Load(), o)
		}
	}
}

// Through a proxy, addresses would be judged that are not the ones called. Go reads the environment once in a
// process, so this one runs in a process of its own.
func TestNoProxy(t *testing.T) {
	if os.Getenv("HTTP_PROXY") == "" {
		proxy := receiver(t, func(http.ResponseWriter, *http.Request, []byte) {})
		alone := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoProxy$")
		alone.Env = append(os.Environ(), "HTTP_PROXY="+proxy, "http_proxy="+proxy, "NO_PROXY=", "no_proxy=")
		if out, err := alone.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	targets := Targets{Allow: prefixes(t, "127.0.0.1"), Deny: prefixes(t, "192.0.2.0/24")}
	o := call(t, closing(t, NewCaller(targets, "test")), "http://192.0.2.1/")
	if !strings.Contains(o.Problem, "may not be at 192.0.2.1") {
		t.Errorf("the outcome is %+v", o)
	}
}

// A name that is good when it is looked at first may stand for another address when it is called.
func TestRebinding(t *testing.T) {
	url := receiver(t, func(http.ResponseWriter, *http.Request, []byte) {})
	_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
	targets := Targets{Allow: prefixes(t, "127.0.0.1")}
	names := nameServer(t, [4]byte{127, 0, 0, 1}, [4]byte{127, 0, 0, 2})
	dialer := &net.Dialer{Control: targets.control, Resolver: names}
	c := closing(t, &Caller{client: newClient(dialer), timeout: callTimeout, readTimeout: readTimeout})
	if o := call(t, c, "http://receiver.test:"+port); o.Verdict() != Arrived {
		t.Fatalf("the first outcome is %+v", o)
	}
	c.client.CloseIdleConnections()
	if o := call(t, c, "http://receiver.test:"+port); !strings.Contains(o.Problem, "webhooks may not be at 127.0.0.2") {
		t.Errorf("the second outcome is %+v", o)
	}
}

// nameServer is a resolver for which every name has the first address when it is asked first, and the other
// one from then on.
func nameServer(t *testing.T, first, then [4]byte) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		question := make([]byte, 512)
		for address := first; ; {
			n, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			answer, ofIPv4 := answerTo(question[:n], address)
			if ofIPv4 {
				address = then
			}
			server.WriteTo(answer, from)
		}
	}()
	t.Cleanup(func() { server.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// answerTo answers a question of the domain name system (RFC 1035, section 4): with the address where it is
// for those of IPv4, else with none.
func answerTo(question []byte, address [4]byte) (answer []byte, ofIPv4 bool) {
	end := 12
	for question[end] != 0 {
		end += 1 + int(question[end])
	}
	end += 5
	ofIPv4 = question[end-3] == 1
	answer = append(answer, question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	answer = append(answer, question[12:end]...)
	if ofIPv4 {
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, address[:]...)
	}
	return answer, ofIPv4
}
