package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// raw sends bytes that a decent client would not send, and closes its side where half says so.
func (c *caller) raw(text string, half bool) (response, error) {
	c.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return response{}, err
	}
	if half {
		conn.(*net.TCPConn).CloseWrite()
	}
	w, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return response{}, err
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	return response{c.TB, w.StatusCode, w.Header, body}, err
}

// TestHeaderInjection looks for headers that a client has put into an answer, or for two answers.
func TestHeaderInjection(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	c.pushOnly("devices", numbered(0, 3, `{"id":"d%d","manufacturer":"\r\nSet-Cookie: a=b\r\n\r\nHTTP/1.1 200 OK"}`))
	ours := []string{"Allow", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Etag", "Link", "Vary", "X-Content-Type-Options", "X-Request-Id"}
	for _, request := range []string{
		"GET /api/v1/devices?limit=1&manufacturer=%0D%0ASet-Cookie%3A%20a%3Db%0D%0A%0D%0AHTTP%2F1.1%20200%20OK HTTP/1.1",
		"GET /api/v1/devices?limit=1&%0D%0ASet-Cookie:%20a=b HTTP/1.1", "GET /api/v1/devices/%0D%0ASet-Cookie:%20a=b HTTP/1.1",
		"GET /%0D%0ASet-Cookie:%20a=b HTTP/1.1", "POST /api/v1/devices/%0D%0A HTTP/1.1\r\nContent-Length: 0",
		"GET http://evil.example/api/v1/devices?limit=1 HTTP/1.1", "GET /livez HTTP/1.1\r\nX-Request-ID: a\x0bb", "GET /livez HTTP/1.1\r\nX-Request-ID: a\rSet-Cookie: a=b",
		"GET /livez HTTP/1.1\r\nX-Request-ID: a\r\n Set-Cookie: a=b", "GET /livez HTTP/1.1\r\nX-Request-ID: a\r\nX-Request-ID: b", "GET /livez HTTP/1.0",
		"GET /api/v1/devices?limit=1\r\nSet-Cookie: a=b HTTP/1.1", "CONNECT evil.example:80 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET * HTTP/1.1", "\x16\x03\x01",
	} {
		a, err := c.raw(request+"\r\nHost: h\r\nConnection: close\r\n\r\n", false)
		if err != nil {
			t.Errorf("%q: %v", request, err)
		}
		for name, values := range a.header {
			if !slices.Contains(ours, name) || len(values) > 1 || name == "Link" && (!strings.HasPrefix(values[0], "</api/v1/devices?") || strings.Contains(values[0], "evil")) {
				t.Errorf("%q: %s: %q", request, name, values)
			}
		}
		if strings.Contains(string(a.body), "\nHTTP/1.1 ") {
			t.Errorf("%q: two answers: %s", request, a.body)
		}
	}
}

const pushHead = "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\n"

// TestHalfClosed sends a batch and then closes its side of the connection: it is stored and answered with
// 200, or not stored and not answered with 200.
func TestHalfClosed(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	lock := c.shell()
	if _, err := lock.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	answered := make(chan response)
	go func() {
		batch := `[{"id":"half"}]`
		a, _ := c.raw(fmt.Sprintf("%sX-Request-ID: half\r\nContent-Length: %d\r\n\r\n%s", pushHead, len(batch), batch), true)
		answered <- a
	}()
	eventually(t, "the client to be missed", func() bool { return len(c.log.with("request_id", "half")) > 0 })
	if _, err := lock.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	a := <-answered
	stored := c.get("/api/v1/devices/half").status == 200
	if stored != (a.status == 200) {
		t.Errorf("answered with %d, stored %v", a.status, stored)
	}
	if lines := c.log.with("level", "ERROR"); len(lines) > 0 {
		t.Errorf("a client that goes away is no error: %v", lines)
	}
}

// TestUploadBreaksOff sends a part of a body that would be whole JSON, or a body with broken chunks.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, rest := range []string{"Content-Length: 100\r\n\r\n[{\"id\":\"a\"}]", "Transfer-Encoding: chunked\r\n\r\nc\r\n[{\"id\":\"a\"}]\r\n", "Transfer-Encoding: chunked\r\n\r\nzz\r\n[{\"id\":\"a\"}]",
		"Content-Encoding: gzip\r\nContent-Length: 100\r\n\r\n" + zipped(`[{"id":"a"}]`), "Content-Length: 0\r\n\r\n[{\"id\":\"a\"}]"} {
		if a, err := c.raw(pushHead+rest, true); err != nil || a.status != 400 && a.status != 503 {
			t.Errorf("%q: %d %s, %v", rest, a.status, a.body, err)
		}
	}
	if n := c.row("/api/v1/devices")["count"]; n != 0.0 {
		t.Errorf("%v devices", n)
	}
}
