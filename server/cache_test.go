package server

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// caching returns a caller of a server with a cache over a database in a file.
func caching(t testing.TB, bytes int) *caller {
	c := inFile(t)
	return serveDB(t, c.db, func(config *Config) { config.CacheBytes = bytes })
}

// Each kept route answers from the cache as it does without one.
func TestAnswersFromTheCacheAreTheSame(t *testing.T) {
	c := caching(t, 1<<20)
	furnish(c)
	plain := serveDB(t, c.db)
	asked := 0
	for _, rt := range c.server.routes() {
		for _, path := range pathsFor(rt) {
			for _, headers := range [][]string{nil, {"Accept-Encoding: gzip"}, {"If-None-Match: *"}} {
				for _, method := range []string{"GET", "HEAD"} {
					headers := append(headers, "X-Request-Id: the-same")
					want := plain.do(method, path, "", headers...)
					want.header.Del("Date")
					for range 2 {
						got := c.do(method, path, "", headers...)
						got.header.Del("Date")
						if got.status != want.status || string(got.body) != string(want.body) || fmt.Sprint(got.header) != fmt.Sprint(want.header) {
							t.Errorf("%s %s %v: got %d %v %q, want %d %v %q", method, path, headers, got.status, got.header, got.body, want.status, want.header, want.body)
						}
						asked++
					}
				}
			}
		}
	}
	if asked < 100 || len(c.server.cache.present.Load().byURL) < 10 {
		t.Errorf("%d questions, %d answers kept", asked, len(c.server.cache.present.Load().byURL))
	}
}

// pathsFor is what to ask of a route that needs no body and does not tell of this moment.
func pathsFor(rt route) []string {
	switch {
	case rt.method != "GET" || !strings.HasPrefix(rt.path, "/api") || strings.Contains(rt.path, "analytics") || rt.path == "/api/info":
		return nil
	case !strings.Contains(rt.path, "{"):
		return []string{rt.path, rt.path + "?limit=1", rt.path + "?nonsense=1"}
	}
	replaced := strings.NewReplacer("{device_id}", "lamp", "{entity_id}", "light.lamp", "{floor_id}", "ground", "{area_id}", "kitchen",
		"{label_id}", "warm", "{entry_id}", "e1", "{user_id}", "anna").Replace(rt.path)
	return []string{replaced, replaced + "?fields=name", replaced + "x"}
}

// A read after a write of another process sees it: the sqlite3 command writes a thousand times, and moves its
// log from time to time, while clients read.
func TestNoStaleAnswers(t *testing.T) {
	path, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("the sqlite3 command is not installed")
	}
	c := caching(t, 1<<20)
	c.pushOnly("devices", `[{"id":"a","name":"-1"}]`)
	sh := exec.Command(path, "-batch", c.file())
	in, err := sh.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := sh.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	sh.Stderr = t.Output()
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	defer sh.Wait()
	defer in.Close()
	lines := bufio.NewScanner(out)

	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.get("/api/v1/devices/a")
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	defer readers.Wait()
	defer close(stop)
	fmt.Fprintln(in, "PRAGMA busy_timeout = 20000;")
	for i := range 1000 {
		checkpoint := ""
		if i%100 == 99 {
			checkpoint = "PRAGMA wal_checkpoint(TRUNCATE);"
		}
		fmt.Fprintf(in, "UPDATE devices SET name = '%d' WHERE device_id = 'a';%s\n.print written\n", i, checkpoint)
		for lines.Scan() && lines.Text() != "written" {
		}
		if got := c.row("/api/v1/devices/a")["name"]; got != fmt.Sprint(i) {
			t.Fatalf("after write %d the name is %v", i, got)
		}
	}
}

// file is the path of the database.
func (c *caller) file() string { return c.db.Status(context.Background()).Path }

// Whose file is replaced has the answers of the new one.
func TestTheCacheFollowsTheFile(t *testing.T) {
	other := inFile(t)
	other.pushOnly("devices", `[{"id":"b","name":"the other"}]`)
	other.db.Close()
	text, err := os.ReadFile(other.file())
	if err != nil {
		t.Fatal(err)
	}
	c := caching(t, 1<<20)
	c.follow()
	c.pushOnly("devices", `[{"id":"b","name":"the first"}]`)
	for range 3 {
		if got := c.row("/api/v1/devices/b")["name"]; got != "the first" {
			t.Fatalf("got %v", got)
		}
	}
	if err := os.WriteFile(c.file()+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.file()+".new", c.file()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other file is served", func() bool {
		r := c.get("/api/v1/devices/b")
		return r.status == 200 && strings.Contains(string(r.body), "the other")
	})
}

func TestTheCacheIsBounded(t *testing.T) {
	const most = 20_000
	c := caching(t, most)
	furnish(c)
	for i := range 200 {
		c.get(fmt.Sprintf("/api/v1/devices?limit=%d", i+1)).want(200)
		known := c.server.cache.present.Load()
		size := 0
		for url, p := range known.byURL {
			size += len(url) + 2*len(p.body)
		}
		if size != known.size || size > most {
			t.Fatalf("%d bytes are kept, counted as %d, of %d", size, known.size, most)
		}
	}
	c.get("/api/v1/devices?q=" + strings.Repeat("x", 300)).want(422)
	if _, kept := c.server.cache.present.Load().byURL["/api/v1/devices?q="+strings.Repeat("x", 300)]; kept {
		t.Error("an error is kept")
	}
}

// discard is a response that costs no allocation.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
