package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/db"
)

// event is one block of a stream.
type event struct {
	id, name, data string
	comment        bool
}

// streaming is a client of a stream.
type streaming struct {
	*caller
	response *http.Response
	lines    *bufio.Reader
	last     string // id that it has seen, as EventSource keeps it
}

// stream opens a stream.
func (c *caller) stream(query string, headers ...string) *streaming {
	c.Helper()
	r, err := http.NewRequest("GET", c.url+"/api/v1/changes?"+query, nil)
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Accept-Encoding", "gzip")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w, err := (&http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}).Do(r)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { w.Body.Close() })
	return &streaming{caller: c, response: w, lines: bufio.NewReader(w.Body)}
}

// next reads the next block, whatever it is. The error says that the stream has ended.
func (s *streaming) next() (e event, err error) {
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "\n":
			return e, nil
		case name == "":
			e.comment = true
		case name == "id":
			e.id, s.last = value, value
		case name == "event":
			e.name = value
		case name == "data":
			e.data += value
		default:
			s.Errorf("a line that is none of ours: %q", line)
		}
	}
}

// event reads the next event that has data.
func (s *streaming) event() event {
	s.Helper()
	for {
		e, err := s.next()
		if err != nil {
			s.Fatal("the stream ended: ", err)
		}
		if e.data != "" {
			return e
		}
	}
}

// begun waits until the stream has said where it is.
func (s *streaming) begun() *streaming {
	s.Helper()
	if e, err := s.next(); err != nil || e.id == "" {
		s.Fatalf("a stream begins with %+v, %v", e, err)
	}
	return s
}

func (s *streaming) wantEvent(name, id string) event {
	s.Helper()
	e := s.event()
	var change db.Change
	if err := json.Unmarshal([]byte(e.data), &change); err != nil || e.name != name || change.ID != id || e.name != change.Kind+"."+change.Action {
		s.Fatalf("got %+v, %v, want %s of %s", e, err, name, id)
	}
	p, ok := db.ParsePosition(e.id)
	if !ok || p.Seq != change.Seq {
		s.Errorf("the id of change %d is %q", change.Seq, e.id)
	}
	return e
}

func TestAStreamTellsEachChange(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.pushOnly("devices", `[{"id":"before"}]`)
	s, some := c.stream("").begun(), c.stream("kind=entity,area&id=light.a").begun()
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "", "Etag": ""} {
		if got := s.response.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	c.pushOnly("devices", `[{"id":"mine"}]`)
	first := s.wantEvent("device.created", "mine")
	c.shell().Exec("UPDATE devices SET name = 'New' WHERE device_id = 'mine'")
	s.wantEvent("device.updated", "mine")
	c.pushOnly("entities", `[{"entity_id":"light.a"},{"entity_id":"light.b"}]`)
	s.wantEvent("entity.created", "light.a")
	s.wantEvent("entity.created", "light.b")
	some.wantEvent("entity.created", "light.a")
	list := c.get("/api/v1/changes?kind=device&limit=1&since=" + first.id)
	if !strings.Contains(string(list.body), `"name":"New"`) {
		t.Errorf("after the first event: %s", list.body)
	}
	whole := c.get("/api/v1/changes?id=mine&limit=1").want(200)
	if !strings.Contains(string(whole.body), first.data) {
		t.Errorf("the data of the event is %s, and the feed has %s", first.data, whole.body)
	}
	resumed := c.stream("since=-1h", "Last-Event-ID: "+first.id)
	resumed.wantEvent("device.updated", "mine")
	c.stream("since=-1h").wantEvent("device.created", "before")
	c.stream("since="+first.id).wantEvent("device.updated", "mine")
}

func TestStreamsAreAskedForByAccept(t *testing.T) {
	t.Parallel()
	c := followed(t)
	for accept, stream := range map[string]bool{
		"text/event-stream": true, "Text/Event-Stream; q=0.5": true, "application/json;q=0.5, text/event-stream": true, "*/*": false, "application/json": false,
		"text/event-stream;q=0": false, "application/json, text/event-stream;q=0.9": false, "text/html, text/event-stream;q=x": false, "": false,
	} {
		head := c.do("HEAD", "/api/v1/changes", "", "Accept: "+accept).want(200)
		if got := head.header.Get("Content-Type") == "text/event-stream"; got != stream {
			t.Errorf("%q: a stream: %v, want %v", accept, got, stream)
		}
	}
	for _, query := range []string{"limit=5", "until=-1h", "wait=5", "collapse=true", "since=x", "kind=x", "nonsense=1"} {
		name, _, _ := strings.Cut(query, "=")
		if got := c.get("/api/v1/changes?"+query, "Accept: text/event-stream").badFields(); len(got) != 1 || got[0] != name {
			t.Errorf("%s: got %v", query, got)
		}
	}
	if got := c.get("/api/v1/changes", "Accept: text/event-stream", "Last-Event-ID: 7").badFields(); got[0] != "Last-Event-ID" {
		t.Errorf("got %v", got)
	}
	down := serveDB(t, db.Prepare(db.DefaultConfig(t.TempDir()+"/metadata.db"), c.server.Log))
	down.get("/api/v1/changes", "Accept: text/event-stream").problem(503)
}

// Where a request would be a 410, a stream says so and goes on from now.
func TestStreamsSayWhatTheyMissed(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.pushOnly("devices", `[{"id":"a"},{"id":"b"}]`)
	now, _ := db.ParsePosition(c.changes("").next)
	c.shell().Exec("UPDATE change_log SET pruned_seq = 1, pruned_at = (SELECT at FROM changes WHERE seq = 1); DELETE FROM changes WHERE seq = 1")
	for since, reason := range map[db.Position]string{
		{LogID: now.LogID}: "pruned", {LogID: "other", Seq: 2, At: now.At}: "other_log", {LogID: now.LogID, Seq: 9, At: now.At}: "beyond",
	} {
		s := c.stream("kind=device", "Last-Event-ID: "+since.String())
		if e := s.event(); e.name != "reset" || e.id != c.changes("").next || !strings.Contains(e.data, `"reason":"`+reason+`"`) {
			t.Errorf("%s: got %+v", reason, e)
		}
		c.pushOnly("devices", fmt.Sprintf(`[{"id":"after %s"}]`, reason))
		s.wantEvent("device.created", "after "+reason)
	}
}

// A stream gives signs of life, and while changes come that are not meant, it says up to where it has looked.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.server.heartbeat = 20 * time.Millisecond
	s := c.stream("kind=floor").begun()
	for range 3 {
		if e, err := s.next(); err != nil || !e.comment || e.id+e.data != "" {
			t.Fatalf("got %+v, %v", e, err)
		}
	}
	c.pushOnly("devices", `[{"id":"a"}]`)
	end := c.changes("").next
	eventually(t, "the id of the stream moves on", func() bool { s.next(); return s.last == end })
}

// The line in the log comes when a stream ends, with all that was sent.
func TestStreamsAreLogged(t *testing.T) {
	t.Parallel()
	c := followed(t)
	s := c.stream("", "X-Request-Id: the-stream").begun()
	c.pushOnly("devices", `[{"id":"a"}]`)
	s.wantEvent("device.created", "a")
	if strings.Contains(c.log.String(), "the-stream") {
		t.Error("the line is there before the end")
	}
	s.response.Body.Close()
	eventually(t, "the line is there", func() bool { return strings.Contains(c.log.String(), `"request_id":"the-stream"`) })
	if text := c.log.String(); strings.Contains(text, `"level":"ERROR"`) {
		t.Errorf("a client that goes away is no error: %s", text)
	}
}

// EndStreams ends those that run, also one whose client does not read, and those that come later.
func TestEndStreams(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.server.patience = time.Hour
	running := c.stream("").begun()
	deaf := c.deaf("X-Request-Id: the-deaf")
	defer deaf.Close()
	c.flood(t, func() bool { return strings.Contains(c.log.String(), "flooded") })
	c.server.EndStreams()
	if _, err := io.Copy(io.Discard, running.lines); err != nil {
		t.Error("the stream did not end in good order: ", err)
	}
	eventually(t, "the stream that nobody reads has ended", func() bool { return strings.Contains(c.log.String(), `"request_id":"the-deaf"`) })
	if _, err := io.Copy(io.Discard, c.stream("").lines); err != nil {
		t.Error(err)
	}
}

// deaf opens a stream whose client never reads.
func (c *caller) deaf(header string) net.Conn {
	c.Helper()
	address, _ := url.Parse(c.url)
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		c.Fatal(err)
	}
	conn.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(conn, "GET /api/v1/changes?since=-1h HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n%s\r\n\r\n", header)
	return conn
}

// flood writes more than the buffers between two sockets hold, unless it is over before.
func (c *caller) flood(t *testing.T, over func() bool) {
	t.Helper()
	for n := range 12 {
		var devices []string
		for i := range 200 {
			devices = append(devices, fmt.Sprintf(`{"id":"d%d","name":"%d %s"}`, i, n, strings.Repeat("x", 2000)))
		}
		if c.pushOnly("devices", "["+strings.Join(devices, ",")+"]"); over() {
			return
		}
	}
}

// A client that does not read is cut off, delays nobody, and can resume where it was.
func TestAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.server.patience = 100 * time.Millisecond
	s := c.stream("").begun()
	deaf := c.deaf("X-Request-Id: the-deaf")
	defer deaf.Close()
	c.flood(t, func() bool { return false })
	eventually(t, "it is cut off", func() bool { return strings.Contains(c.log.String(), `"request_id":"the-deaf"`) })
	for range 100 {
		s.event()
	}
}

// Streams that are cut at random and resumed while several write get every change once, in order.
func TestStreamsResumeWithoutAGap(t *testing.T) {
	t.Parallel()
	c := followed(t)
	begin := c.changes("").next
	var writers, readers sync.WaitGroup
	for w := range 3 {
		writers.Go(func() {
			for n := range 60 {
				c.pushOnly("devices", fmt.Sprintf(`[{"id":"%d-%d","name":"%d"},{"id":"%d"}]`, w, n, n, n))
			}
		})
	}
	writers.Go(func() {
		shell := c.shell()
		for n := range 60 {
			if _, err := shell.Exec("INSERT INTO devices (device_id) VALUES (?)", fmt.Sprint("shell-", n)); err != nil {
				t.Error(err)
			}
		}
	})
	got := make([][]string, 6)
	for i := range got {
		readers.Go(func() { got[i] = c.followInPieces(rand.New(rand.NewPCG(7, uint64(i))), begin) })
	}
	writers.Wait()
	c.pushOnly("devices", `[{"id":"the end"}]`)
	readers.Wait()
	all, err := c.db.ChangesBetween(context.Background(), db.ChangeQuery{Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if len(got[i]) != len(all.Changes) {
			t.Errorf("reader %d got %d events, want %d", i, len(got[i]), len(all.Changes))
			continue
		}
		for n, change := range all.Changes {
			if want := fmt.Sprintf("%d %s", change.Seq, change.ID); got[i][n] != want {
				t.Fatalf("reader %d: event %d is %s, want %s", i, n, got[i][n], want)
			}
		}
	}
}

// followInPieces reads a stream that breaks again and again, until the end.
func (c *caller) followInPieces(r *rand.Rand, last string) (got []string) {
	for {
		s := c.stream("", "Last-Event-ID: "+last)
		for range r.IntN(40) {
			e := s.event()
			var change db.Change
			if err := json.Unmarshal([]byte(e.data), &change); err != nil || e.name == "reset" {
				c.Errorf("%+v: %v", e, err)
				return got
			}
			got, last = append(got, fmt.Sprintf("%d %s", change.Seq, change.ID)), e.id
			if change.ID == "the end" {
				return got
			}
		}
		s.response.Body.Close()
	}
}
