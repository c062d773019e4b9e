package dispatch

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// at serves at an address of this machine, and counts the calls.
func (b *bed) at(address string) (url string, calls *atomic.Int32) {
	b.Helper()
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		b.Skip("this machine has no ", address)
	}
	calls = new(atomic.Int32)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	b.Cleanup(server.Close)
	return server.URL, calls
}

// A redirect leads nowhere, least of all to where webhooks may not be: it is noted as what it is, and tried again.
func TestRedirectsAreNotFollowed(t *testing.T) {
	b := newBed(t)
	forbidden, refused := b.at("127.0.0.2")
	allowed, followed := b.at("127.0.0.1")
	n := 0
	for _, target := range []string{forbidden, allowed} {
		for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
			r := b.receiver(func(w http.ResponseWriter, _ call) {
				w.Header().Set("Location", target)
				w.WriteHeader(status)
			})
			id := fmt.Sprint("w", n)
			n++
			b.register(id, r.URL, nil)
			b.floors(fmt.Sprint("f", n))
			if d := b.failing(id, 1); d.Status != retrying || d.StatusCode == nil || *d.StatusCode != int64(status) {
				t.Errorf("%d: %+v", status, d)
			}
			r.become(nil)
		}
	}
	b.pass(6 * time.Second)
	b.eventually("all arrive at last", func() bool {
		for i := range n {
			if rows := b.deliveries(fmt.Sprint("w", i)); len(rows) == 0 || rows[len(rows)-1].Status != delivered {
				return false
			}
		}
		return true
	})
	if refused.Load() != 0 || followed.Load() != 0 {
		t.Errorf("redirects led to %d and %d calls", refused.Load(), followed.Load())
	}
}

// A webhook that is where none may be is never called, and says why.
func TestForbiddenIsNotCalled(t *testing.T) {
	b := newBed(t)
	url, calls := b.at("127.0.0.2")
	b.register("w", url, nil)
	b.floors("f1")
	if d := b.failing("w", 1); d.StatusCode != nil || !strings.Contains(*d.Error, "webhooks may not be at 127.0.0.2") || calls.Load() != 0 {
		t.Errorf("%+v after %d calls", d, calls.Load())
	}
}

// Whoever answers without end, or byte by byte, keeps nobody else waiting, and has the message.
func TestEndlessAnswersDelayNoOther(t *testing.T) {
	b := newBed(t)
	endless := b.receiver(func(w http.ResponseWriter, _ call) {
		for _, err := w.Write([]byte("0123456789")); err == nil; _, err = w.Write([]byte("0123456789")) {
		}
	})
	slow := b.receiver(func(w http.ResponseWriter, _ call) {
		for _, err := w.Write([]byte("x")); err == nil; _, err = w.Write([]byte("x")) {
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	fine := b.receiver(nil)
	b.register("endless", endless.URL, nil)
	b.register("slow", slow.URL, nil)
	b.register("fine", fine.URL, nil)
	b.floors("f1", "f2")
	b.eventually("all have all", func() bool { return fine.rows() == "f1 f2" && endless.rows() == "f1 f2" && slow.rows() == "f1 f2" })
	for _, id := range []string{"endless", "slow"} {
		b.eventually("all is noted", func() bool { return len(b.deliveries(id)) == 2 })
		for _, d := range b.deliveries(id) {
			if d.Status != delivered || len(*d.Response) > 1024 || *d.Response == "" {
				t.Errorf("%s: %+v", id, d)
			}
		}
	}
}
