package server

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/internal/auth"
)

// Networks that are trusted may what the service before this one let all do by GET, and push registries: nothing else,
// and nobody else. A wrong key does not change that.
func TestTrustedNetworks(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	c.server.Guard.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	far := guarded(t)
	far.server.Guard.Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/1")}
	before := map[string]bool{"GET /": true, "GET /api/info": true, "GET /api/user/preferences": true, "GET /api/v1/ha/webhooks": true,
		"POST /internal/devices/bulk_upsert": true, "POST /internal/entities/bulk_upsert": true}
	for _, rt := range c.server.routes() {
		if rt.scope.Any(anyone) {
			continue
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(rt.path)
		want := before[rt.method+" "+rt.path] || rt.method == "GET" &&
			(strings.HasPrefix(path, "/api/v1/events") || strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/api/v1/") && path != "/api/user/preferences")
		for _, header := range []string{"Content-Type: application/json", "X-API-Key: wrong"} {
			if header == "X-API-Key: wrong" && !want {
				continue // it would be slowed down
			}
			if a := c.do(rt.method, path, "", header); (a.status != 401) != want {
				t.Errorf("%s %s: %d, want to be let in: %v", rt.method, rt.path, a.status, want)
			}
		}
		far.do(rt.method, path, "").wantRefused(401)
	}
	for range 2 { // the second time from the cache
		c.get("/api/devices").want(200)
		c.get("/api/v1/devices").wantRefused(401)
	}
}

// Wrong keys are counted and slowed down, up to a 429 that says when to come again; a right one never is, wherever it
// comes from.
func TestWrongKeysAreSlowedDown(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, _ := c.key("read")
	c.get("/api/v1/devices", bearer(key)).want(200)
	var wrong sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]int{}
	for range 30 {
		wrong.Go(func() {
			a := c.get("/api/v1/devices", bearer("dak_wrong"))
			mu.Lock()
			defer mu.Unlock()
			answers[a.status]++
			if a.status == 429 && (a.header.Get("Retry-After") == "" || a.problem(429)["detail"] == nil) {
				t.Errorf("%v %s", a.header, a.body)
			}
		})
	}
	for done := false; !done; {
		start := time.Now()
		c.get("/api/v1/devices", bearer(key)).want(200)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("a right key waited for %v", took)
		}
		mu.Lock()
		done = answers[401]+answers[429] == 30
		mu.Unlock()
	}
	wrong.Wait()
	if answers[401] < 10 || answers[429] < 5 {
		t.Errorf("%v", answers)
	}
	if n := c.row("/health")["authentication"].(map[string]any)["wrong_keys"]; n != 30.0 {
		t.Errorf("%v counted", n)
	}
	if n := len(c.log.with("msg", "request")); n < 31 {
		t.Errorf("%d requests in the log", n)
	}
}

// On the loopback address no other name is answered to, for any route; nor does a foreign page change anything.
func TestTheLoopbackAnswersToItsOwnNames(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.server.Guard = auth.Local("127.0.0.1", nil)
	for _, rt := range c.server.routes() {
		r, err := http.NewRequest(rt.method, c.url+strings.NewReplacer("{", "", "}", "").Replace(rt.path), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example:8006"
		c.send(r).problem(421)
	}
	c.get("/api/v1/devices").want(200)
	c.do("POST", "/write?db=a", "", "Origin: http://evil.example").problem(403)
	c.do("DELETE", "/internal/devices/clear", "", "Sec-Fetch-Site: cross-site").problem(403)
	c.do("DELETE", "/internal/devices/clear", "", "Sec-Fetch-Site: same-origin").want(200)
}
