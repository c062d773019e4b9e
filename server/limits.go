package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// pace is how long clients may take for what. It bounds what stands still, not what is slow: 64 MiB over a slow line
// take hours, and arrive.
type pace struct {
	header time.Duration // until the header of a request is there
	idle   time.Duration // between requests
	body   time.Duration // until a body is there, and longer by its length at
	rate   int64         // so many bytes a second
	answer time.Duration // until each part of an answer is taken
}

var usualPace = pace{header: 10 * time.Second, idle: 2 * time.Minute, body: 30 * time.Second, rate: 4 << 10, answer: 30 * time.Second}

// mostHeader is how many bytes a header may have: long lists of ids are in the URL.
const mostHeader = 256 << 10

// HTTP is a server of HTTP with the limits of s, which ends the streams when it is shut down.
func (s *Server) HTTP() *http.Server {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.pace.header,
		IdleTimeout:       s.pace.idle,
		MaxHeaderBytes:    mostHeader,
		HTTP2:             &http.HTTP2Config{SendPingTimeout: s.pace.idle, PingTimeout: s.pace.header, WriteByteTimeout: s.pace.answer},
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	h.RegisterOnShutdown(s.EndStreams)
	return h
}

// pacedBody is a body that may take longer the more of it has come.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	pace    pace
	begun   time.Time
	came    int64
	until   time.Time
}

// paced sets the deadlines of a body. Whoever is waited for is the client: the answer's are set when it begins.
func (s *Server) paced(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	b := &pacedBody{ReadCloser: body, control: http.NewResponseController(w), pace: s.pace, begun: time.Now()}
	b.control.SetWriteDeadline(time.Time{}) // of the request before, as 100 Continue is written
	b.extend()
	return b
}

// Read gives the client more time for each byte. When all is there, it has no reason to send anything.
func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.came += int64(n)
	if errors.Is(err, io.EOF) {
		b.control.SetReadDeadline(time.Time{})
	} else if err == nil {
		b.extend()
	}
	return n, err
}

func (b *pacedBody) extend() {
	earned := time.Duration(float64(b.came) / float64(b.pace.rate) * float64(time.Second))
	until := b.begun.Add(b.pace.body + earned)
	if until.Sub(b.until) > b.pace.body/16 {
		b.until = until
		b.control.SetReadDeadline(until)
	}
}

// part is how many bytes of an answer are given to the connection at once.
const part = 64 << 10

// expectTaken gives the client its time to take what is written next.
func (r *recorder) expectTaken() {
	if w, ok := r.ResponseWriter.(interface{ SetWriteDeadline(time.Time) error }); ok {
		w.SetWriteDeadline(time.Now().Add(r.patience))
	}
}

// clients counts the requests of each client that are under way.
type clients struct {
	most int // of one client; 0 for any number

	mu   sync.Mutex
	busy map[netip.Addr]int
}

// enter says whether a client may have one more request under way. Then it is to leave.
func (c *clients) enter(who netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[who] >= c.most {
		return false
	}
	c.busy[who]++
	return true
}

func (c *clients) leave(who netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[who]--; c.busy[who] == 0 {
		delete(c.busy, who)
	}
}

// limited answers no more requests of a client at a time than there may be, streams included.
func (s *Server) limited(next http.Handler) http.Handler {
	if s.ClientRequests <= 0 {
		return next
	}
	c := &clients{most: s.ClientRequests, busy: map[netip.Addr]int{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := household(clientAddr(r))
		if !c.enter(who) {
			s.fail(w, r, errTooMany)
			return
		}
		defer c.leave(who)
		next.ServeHTTP(w, r)
	})
}

// household is what a client has for itself: of IPv6, whoever has one address has the 2^64 beside it, too.
func household(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// ask has a handler find an answer. A question, which changes nothing, is given up after QueryTimeout.
func (s *Server) ask(h handler, r *http.Request) (any, error) {
	if s.QueryTimeout <= 0 || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return h(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.QueryTimeout)
	defer cancel()
	value, err := h(r.WithContext(ctx))
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // whatever broke, broke for that
	}
	return value, err
}
