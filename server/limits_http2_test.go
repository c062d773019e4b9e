package server

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// overHTTP2 serves the database of c by HTTP/2, and returns a client that speaks nothing else.
func (c *caller) overHTTP2(p pace, changes ...func(*Config)) (*caller, *http.Client) {
	c.Helper()
	with := httptest.NewTLSServer(nil) // whose certificate is used
	with.Close()
	b := *serveDB(c, c.db, changes...)
	b.server.pace, b.server.heartbeat = p, p.answer/2
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	h := b.server.HTTP()
	h.TLSConfig = &tls.Config{Certificates: with.TLS.Certificates}
	go h.ServeTLS(l, "", "")
	c.Cleanup(func() { h.Close() })
	b.url = "https://" + l.Addr().String()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	c.Cleanup(transport.CloseIdleConnections)
	return &b, &http.Client{Transport: transport, Timeout: 15 * time.Second}
}

// What holds for connections holds for each request of a connection that many share.
func TestLimitsOverHTTP2(t *testing.T) {
	t.Parallel()
	p := hurried
	p.rate = 10
	c, client := followed(t).overHTTP2(p, func(config *Config) { config.ClientRequests = 3 })
	stream, err := http.NewRequest(http.MethodGet, c.url+"/api/v1/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream.Header.Set("Accept", "text/event-stream")
	events, err := client.Do(stream)
	if err != nil || events.Proto != "HTTP/2.0" {
		t.Fatalf("%v, %v", events, err)
	}
	defer events.Body.Close()
	for name, test := range map[string]struct {
		more   string
		pause  time.Duration
		status int
	}{
		"slow": {`[{"id":"a"}]` + strings.Repeat(" ", 60), 20 * time.Millisecond, 200}, "stalled": {"[", 0, 408},
	} {
		reader, writer := io.Pipe()
		go func() {
			for _, b := range []byte(test.more) {
				time.Sleep(test.pause)
				writer.Write([]byte{b})
			}
			if test.status == 200 {
				writer.Close()
			}
		}()
		answer, err := client.Post(c.url+"/internal/devices/bulk_upsert", "application/json", reader)
		writer.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if answer.Body.Close(); answer.StatusCode != test.status {
			t.Errorf("%s: %d, want %d", name, answer.StatusCode, test.status)
		}
	}
	beats := 0
	for lines := bufio.NewScanner(events.Body); beats < 6 && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), ": heartbeat") {
			beats++
		}
	}
	if beats < 6 {
		t.Errorf("the stream ended after %d signs of life", beats)
	}
}
