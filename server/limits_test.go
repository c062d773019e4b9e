package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hurried is a pace at which tests need not wait.
var hurried = pace{header: 300 * time.Millisecond, idle: 300 * time.Millisecond, body: 300 * time.Millisecond, rate: 1 << 10, answer: 500 * time.Millisecond}

// bounded serves the database of c as the service does, at a pace.
func (c *caller) bounded(p pace, changes ...func(*Config)) *caller {
	c.Helper()
	b := *serveDB(c, c.db, changes...)
	b.server.pace = p
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.Fatal(err)
	}
	h := b.server.HTTP()
	go h.Serve(narrow{l})
	c.Cleanup(func() { h.Close() })
	b.url = "http://" + l.Addr().String()
	return &b
}

// narrow makes connections that hold little of what nobody takes.
type narrow struct{ net.Listener }

func (n narrow) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil {
		conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return conn, err
}

// dial opens a connection on which whatever takes longer than 15 s fails.
func (c *caller) dial() net.Conn {
	c.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	return conn
}

// say writes text, and then, byte by byte, more.
func say(conn net.Conn, text, more string, pause time.Duration) {
	io.WriteString(conn, text)
	for _, b := range []byte(more) {
		time.Sleep(pause)
		if _, err := conn.Write([]byte{b}); err != nil {
			return
		}
	}
}

// heard is what comes back until the connection is closed, and the status of it; 0 where nothing does.
func heard(t *testing.T, conn net.Conn) (status int, text string) {
	t.Helper()
	all, err := io.ReadAll(conn)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatalf("the connection is still open after %.500q", all)
	}
	fmt.Sscanf(string(all), "HTTP/1.1 %d", &status)
	return status, string(all)
}

const post = "POST /internal/devices/bulk_upsert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

// Whoever keeps a connection open and sends too little on it is cut off.
func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	c := inMemory(t).bounded(hurried)
	endless := strings.Repeat(" ", 1000)
	for name, test := range map[string]struct {
		text, more string
		status     int
	}{
		"nothing":                  {"", "", 0},
		"half a header":            {"GET /livez HTTP/1.1\r\nHost: x\r\n", "", 0},
		"a header byte by byte":    {"GET /livez HTTP/1.1\r\nX: ", endless, 0},
		"nothing after an answer":  {"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", "", 200},
		"no body":                  {post + "Content-Length: 1000\r\n\r\n", "", 408},
		"half a body":              {post + "Content-Length: 1000\r\n\r\n[", "", 408},
		"a body byte by byte":      {post + "Content-Length: 1000\r\n\r\n[", endless, 408},
		"chunks byte by byte":      {post + "Transfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\n \r\n", 200), 408},
		"a body that nobody reads": {"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", endless, 404},
		"a body of a GET":          {"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", endless, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := c.with(t).dial()
			go say(conn, test.text, test.more, 20*time.Millisecond)
			if status, text := heard(t, conn); status != test.status {
				t.Errorf("answered with %d, want %d: %.500s", status, test.status, text)
			}
		})
	}
}

// with is the same caller in a subtest.
func (c caller) with(t *testing.T) *caller { c.TB = t; return &c }

// A line may be as slow as it is: what comes on at the rate that is asked for arrives, however long it takes.
func TestSlowUploadsArrive(t *testing.T) {
	t.Parallel()
	p := hurried
	p.body, p.rate = time.Second, 1
	c := inMemory(t).bounded(p, func(config *Config) { config.QueryTimeout = time.Millisecond })
	body := `[{"id":"slow"}]` + strings.Repeat(" ", 60)
	for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
		conn := c.dial()
		go say(conn, fmt.Sprintf("%sConnection: close\r\n%sContent-Length: %d\r\n\r\n", post, expect, len(body)), body, 25*time.Millisecond)
		if _, text := heard(t, conn); !strings.Contains(text, "HTTP/1.1 200 OK") || !strings.Contains(text, `"upserted":1`) {
			t.Errorf("%q: %s", expect, text)
		}
	}
}

// What came may take longer to be stored than it may take to come.
func TestStoringTakesItsTime(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	p := hurried
	p.body = 100 * time.Millisecond
	b := c.bounded(p, func(config *Config) { config.QueryTimeout = time.Millisecond })
	shell := c.shell()
	if _, err := shell.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(6*p.body, func() { shell.Exec("COMMIT") })
	if got := b.push("devices", `[{"id":"a"}]`); got.Created != 1 {
		t.Errorf("%+v", got)
	}
}

func TestLargeHeaders(t *testing.T) {
	t.Parallel()
	c := inMemory(t).bounded(usualPace)
	c.get("/api/v1/devices?device_id=" + strings.Repeat(strings.Repeat("x", 100)+",", 900) + "x").want(200)
	for _, text := range []string{
		"GET /livez?" + strings.Repeat("x", 2*mostHeader) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2*mostHeader) + "\r\n\r\n",
		"GET /livez HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X: x\r\n", mostHeader/3) + "\r\n",
	} {
		conn := c.dial()
		go io.WriteString(conn, text)
		reader := bufio.NewReader(conn)
		if line, _ := reader.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 431 ") {
			t.Errorf("%.20q is answered with %q", text, line)
		}
	}
}

// Whoever asks and does not take the answers is left, also where each of them is small.
func TestAnswersThatNobodyTakes(t *testing.T) {
	t.Parallel()
	c := inFile(t).bounded(hurried, func(config *Config) { config.CacheBytes = 8 << 20 })
	for _, path := range []string{"/openapi.json", "/livez"} {
		conn := c.dial()
		asks := strings.Repeat("GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n", 100)
		eventually(t, "it is left", func() bool {
			conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // while nobody reads what is asked for
			_, err := io.WriteString(conn, asks)
			return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
		})
	}
	eventually(t, "no request is under way", func() bool { return c.scrape()["dataapi_http_requests_in_flight{}"] == 1 })
}

// Whoever takes an answer slowly gets all of it.
func TestSlowReadersGetTheirAnswer(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	var items []string
	for i := range 2000 {
		items = append(items, fmt.Sprintf(`{"entity_id":"sensor.s%d","platform":"test","unique_id":"u%d","original_name":%q}`, i, i, strings.Repeat("n", 200)))
	}
	c.pushOnly("entities", "["+strings.Join(items, ",")+"]")
	p := hurried
	b := c.bounded(p)
	whole := len(c.get("/api/v1/entities?limit=5000").want(200).body)
	conn := b.dial()
	io.WriteString(conn, "GET /api/v1/entities?limit=5000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	start, got := time.Now(), 0
	for buffer := make([]byte, 64<<10); ; time.Sleep(20 * time.Millisecond) {
		n, err := io.ReadFull(conn, buffer)
		if got += n; err != nil {
			break
		}
	}
	if took := time.Since(start); got < whole || took < p.answer {
		t.Errorf("got %d bytes of %d in %v", got, whole, took)
	}
}

// One client has so many requests under way, streams included, and others are not concerned.
func TestRequestsOfOneClient(t *testing.T) {
	t.Parallel()
	c := followed(t).bounded(usualPace, func(config *Config) { config.ClientRequests = 2 })
	first, second := c.stream(""), c.stream("")
	a := c.get("/livez")
	if a.problem(429); a.header.Get("Retry-After") != "1" {
		t.Errorf("%v", a.header)
	}
	if status := c.statusFrom("127.0.0.2"); status != 200 {
		t.Errorf("another client is answered with %d", status)
	}
	first.response.Body.Close()
	eventually(t, "there is room again", func() bool { return c.get("/livez").status == 200 })
	for range 20 {
		c.get("/nothing").want(404) // each leaves again
	}
	second.response.Body.Close()
}

// statusFrom asks from another address of this machine.
func (c *caller) statusFrom(address string) int {
	c.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}, Timeout: 15 * time.Second}
	r, err := client.Get(c.url + "/livez")
	if err != nil {
		c.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

// A question that never ends is given up, and holds nobody up.
func TestRunawayQueries(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"a","area_id":"kitchen"}]`)
	var text string
	shell := c.shell()
	if err := shell.QueryRow("SELECT sql FROM sqlite_schema WHERE name = 'areas_view'").Scan(&text); err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(text, " AS\n")
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT v.* FROM (%s) AS v WHERE (SELECT max(i) FROM n) > 0"
	if _, err := shell.Exec("DROP VIEW areas_view; CREATE VIEW areas_view AS " + fmt.Sprintf(endless, query)); err != nil {
		t.Fatal(err)
	}
	b := c.bounded(usualPace, func(config *Config) { config.QueryTimeout = 200 * time.Millisecond })
	for range 2 * c.db.Status(context.Background()).Reads.Pool.MaxOpenConnections { // none of them keeps its connection
		a := b.get("/api/v1/areas")
		if p := a.problem(503); a.header.Get("Retry-After") == "" || p["detail"] != "the request was not answered in time" {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	b.get("/api/v1/floors").want(200)
}

// What waits for something to happen is no question that runs away.
func TestWaitingIsNoQuery(t *testing.T) {
	t.Parallel()
	c := followed(t).bounded(usualPace, func(config *Config) { config.QueryTimeout = 50 * time.Millisecond })
	if page := c.get("/api/v1/changes?wait=1").want(200).json(); len(page["changes"].([]any)) != 0 {
		t.Errorf("%v", page)
	}
}
