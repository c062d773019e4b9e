package faults

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Clients that are slow, broken or malicious are answered as they deserve or not at all, and keep nobody else from being
// served meanwhile.
func TestClients(t *testing.T) {
	slow(t)
	p := launch(t, t.TempDir()).ready(t)
	p.ask("POST", "/internal/devices/bulk_upsert", `[{"id":"lamp","name":"Lamp"}]`)
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() { p.serves(t, stop) })
	leave := p.crowd(t)
	defer leave()
	p.attackers(t, slices.Concat(refused, taken, p.bodies(t)))
	close(stop)
	others.Wait()
	if text := p.output.String(); strings.Contains(text, "panic") || strings.Contains(text, "level=ERROR") {
		t.Errorf("it says %s", text)
	}
	p.recovers(t)
	if n := len(p.devices(t)); n != 2 {
		t.Errorf("%d devices, want the lamp and what the other client wrote", n)
	}
	leave()
	p.stop(t)
}

// attackers attack in any order, some at a time.
func (p *process) attackers(t *testing.T, attacks []attack) {
	r := chance(t, "order")
	r.Shuffle(len(attacks), func(i, j int) { attacks[i], attacks[j] = attacks[j], attacks[i] })
	var all sync.WaitGroup
	limit := make(chan struct{}, 8)
	for _, a := range attacks {
		limit <- struct{}{}
		all.Go(func() {
			p.attack(t, a)
			<-limit
		})
	}
	all.Wait()
}

// serves is another client, which is served all the time.
func (p *process) serves(t *testing.T, stop <-chan struct{}) {
	for n := 0; ; n++ {
		for _, a := range []answer{
			p.ask("GET", "/livez", ""), p.ask("GET", "/api/v1/devices/lamp", ""), p.ask("GET", "/api/v1/changes?limit=5", ""),
			p.ask("POST", "/internal/devices/bulk_upsert", fmt.Sprintf(`[{"id":"other","name":"%d"}]`, n)),
		} {
			if a.status != 200 {
				t.Errorf("somebody else is answered %v", a)
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lingering are connections that stay: they send something, and then one byte after the other, or nothing.
var lingering = []struct {
	connections int
	first, then string
}{
	{300, "", ""},
	{50, "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: ", "x"},
	{50, "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n[", " "},
	{50, "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"},
	{20, "GET /api/v1/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n", ""},
	{20, "GET /api/v1/changes?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
}

func (p *process) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", strings.TrimPrefix(p.url, "http://"), 20*time.Second)
	if err != nil {
		t.Error(err)
		return new(net.TCPConn) // each use of which is an error
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// crowd are all of them, until they leave.
func (p *process) crowd(t *testing.T) (leave func()) {
	var all sync.WaitGroup
	end := make(chan struct{})
	for _, kind := range lingering {
		for range kind.connections {
			c := p.dial(t)
			io.WriteString(c, kind.first)
			all.Go(func() { linger(c, kind.then, end) })
		}
	}
	return sync.OnceFunc(func() { close(end); all.Wait() })
}

// linger goes on sending, and reads nothing.
func linger(c net.Conn, then string, end <-chan struct{}) {
	defer c.Close()
	for {
		select {
		case <-end:
			return
		case <-time.After(200 * time.Millisecond):
		}
		if _, err := io.WriteString(c, then); err != nil {
			<-end // it has had enough of us
			return
		}
	}
}

// attack is what a client sends, and which answers it may get: "" is none at all.
type attack struct {
	name, text string
	want       []string
}

const (
	get  = "GET /api/v1/devices/lamp HTTP/1.1\r\nHost: x\r\n"
	post = "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	next = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
)

// refused are requests after which the connection is of no use any more: what follows them must not be answered.
var refused = []attack{
	{"no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + next, []string{"", "400"}},
	{"garbage", strings.Repeat("garbage \x00\xff\r\n", 500) + next, []string{"", "400", "431"}},
	{"two lengths", post + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]" + next, []string{"400"}},
	{"a length with a sign", post + "Content-Length: +2\r\n\r\n[]" + next, []string{"400"}},
	{"a length beyond all bounds", post + "Content-Length: 99999999999999999999\r\n\r\n[]" + next, []string{"400"}},
	{"a length below zero", post + "Content-Length: -1\r\n\r\n" + next, []string{"400"}},
	{"an unknown coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + next, []string{"400", "501"}},
	{"two codings", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + next, []string{"400", "501"}},
	{"a coding twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []string{"400", "501"}},
	{"a space before the colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + next, []string{"400"}},
	{"a chunk that is longer than it says", post + "Transfer-Encoding: chunked\r\n\r\n2\r\n[]]\r\n0\r\n\r\n" + next, []string{"400"}},
	{"a chunk of a size that overflows", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n[]\r\n0\r\n\r\n" + next, []string{"400"}},
	{"no host", "GET /livez HTTP/1.1\r\n\r\n" + next, []string{"400"}},
	{"two hosts", get + "Host: y\r\n\r\n" + next, []string{"400"}},
	{"a header with NUL", get + "X: a\x00b\r\n\r\n" + next, []string{"400"}},
	{"a huge header", get + "X: " + strings.Repeat("x", 2<<20) + "\r\n\r\n" + next, []string{"431", ""}},
	{"a huge request line", "GET /" + strings.Repeat("x", 2<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"431", "414", ""}},
	{"countless headers", get + strings.Repeat("X: y\r\n", 300_000) + "\r\n" + next, []string{"431", ""}},
	{"another version", "GET /livez HTTP/3.7\r\nHost: x\r\n\r\n" + next, []string{"505", "400"}},
	{"NUL in the path", "GET /api/v1/devices/a\x00b HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"400"}},
	{"half an escape", "GET /api/v1/devices/%2 HTTP/1.1\r\nHost: x\r\n\r\n" + next, []string{"400"}},
}

// taken are odd requests with an answer like others.
var taken = []attack{
	{"a range", get + "Range: bytes=0-5,7-9,-1\r\n\r\n", []string{"200"}},
	{"an expectation", post + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n[]", []string{"100"}},
	{"an odd expectation", post + "Expect: miracles\r\nContent-Length: 2\r\n\r\n[]", []string{"417"}},
	{"a HEAD with a body", "HEAD /api/v1/devices/lamp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]", []string{"200"}},
	{"a GET with a body", get + "Content-Length: 5\r\n\r\nabcde", []string{"200"}},
	{"parents", "GET /api/v1/devices/../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", []string{"404"}},
	{"hidden parents", "GET /api/v1/devices/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n", []string{"404"}},
	{"a hidden NUL", "GET /api/v1/devices/%00 HTTP/1.1\r\nHost: x\r\n\r\n", []string{"404"}},
	{"no UTF-8", "GET /api/v1/devices/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", []string{"404"}},
	{"a parameter twice", "GET /api/v1/devices?limit=1&limit=2 HTTP/1.1\r\nHost: x\r\n\r\n", []string{"422"}},
	{"ten thousand parameters", "GET /api/v1/devices?" + strings.Repeat("a&", 10_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", []string{"422"}},
	{"a proxy's request", "GET http://evil.example/livez HTTP/1.1\r\nHost: x\r\n\r\n", []string{"200", "403", "400", "421"}},
	{"CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", []string{"404", "405", "403", "400", "421"}},
	{"an odd method", "BREW /api/v1/devices HTTP/1.1\r\nHost: x\r\n\r\n", []string{"405"}},
	{"HTTP 2 in the open", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []string{"505", "400", "404", ""}},
	{"an upgrade", get + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", []string{"200"}},
	{"a hundred at once", strings.Repeat(get+"\r\n", 100), []string{"200"}},
	{"deep JSON", post + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("[", 1_000_000), []string{"400"}},
	{"a body that ends too early", post + "Content-Length: 1000\r\n\r\n[{", []string{"400", "503", ""}}, // 503 where it is taken for a client that is gone
	{"a form", "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 2\r\n\r\n[]", []string{"415"}},
}

// bodies are those that are small only as long as they are packed.
func (p *process) bodies(t *testing.T) (all []attack) {
	t.Helper()
	for _, path := range []string{"/internal/devices/bulk_upsert", "/api/v1/events", "/write", "/api/v1/webhooks", "/api/v1/registry"} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		for range 200 {
			w.Write(bytes.Repeat([]byte(" "), 1<<20))
		}
		w.Close()
		method := map[bool]string{true: "PUT", false: "POST"}[path == "/api/v1/registry"]
		head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", method, path, packed.Len())
		all = append(all, attack{"a bomb for " + path, head + packed.String(), []string{"413"}})
	}
	return all
}

// attack sends it, and half of it and nothing more.
func (p *process) attack(t *testing.T, a attack) {
	t.Helper()
	text := strings.ReplaceAll(a.text, "Host: x\r\n", "Host: "+strings.TrimPrefix(p.url, "http://")+"\r\n")
	half := p.dial(t)
	io.WriteString(half, text[:len(text)/2])
	half.Close()
	c := p.dial(t)
	defer c.Close()
	var sent sync.WaitGroup
	sent.Go(func() {
		io.WriteString(c, text) // it may end the connection before it has read all
		if a.name == "a body that ends too early" {
			c.CloseWrite()
		}
	})
	defer sent.Wait()
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	from := bufio.NewReader(c)
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		if !slices.Contains(a.want, "") {
			t.Errorf("%s: no answer: %v", a.name, err)
		}
		return
	}
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if status := fmt.Sprint(response.StatusCode); !slices.Contains(a.want, status) {
		t.Errorf("%s: %s, want %q", a.name, response.Status, a.want)
	}
	if strings.HasSuffix(a.text, next) {
		if more, err := http.ReadResponse(from, nil); err == nil {
			t.Errorf("%s: what follows is answered, too: %s", a.name, more.Status)
		}
	}
}
