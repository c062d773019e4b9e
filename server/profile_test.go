package server

import (
	"context"
	"io"
	"net/http"
	"runtime/pprof"
	"strings"
	"testing"
)

// Profiles are what go tool pprof reads: compressed by gzip, or text where that is asked for.
func TestProfiles(t *testing.T) {
	c := inMemory(t)
	for _, name := range []string{"heap", "goroutine", "allocs", "threadcreate", "block", "mutex", "profile?seconds=1"} {
		if a := c.get("/debug/pprof/" + name).want(200); !strings.HasPrefix(string(a.body), "\x1f\x8b") || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %.20q", name, a.header, a.body)
		}
	}
	if a := c.get("/debug/pprof/trace?seconds=1").want(200); !strings.HasPrefix(string(a.body), "go 1.") {
		t.Errorf("trace: %.20q", a.body)
	}
	if a := c.get("/debug/pprof/goroutine?debug=2").want(200); !strings.Contains(string(a.body), "getProfile") {
		t.Errorf("goroutine: %.300s", a.body)
	}
	c.get("/debug/pprof/cmdline").problem(404)
	c.get("/debug/pprof/").problem(404)
	if bad := c.get("/debug/pprof/profile?seconds=61&debug=3&x=1").badFields(); strings.Join(bad, " ") != "debug seconds x" {
		t.Errorf("%v", bad)
	}
}

// There is one recording at a time in a process.
func TestOneRecordingAtATime(t *testing.T) {
	c := inMemory(t)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	c.get("/debug/pprof/profile?seconds=1").problem(409)
	pprof.StopCPUProfile()
	c.get("/debug/pprof/profile?seconds=1").want(200)
}

// A recording whose client has gone makes room at once.
func TestRecordingForNobody(t *testing.T) {
	c := inMemory(t)
	ctx, stop := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/debug/pprof/profile?seconds=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if a, err := plainHTTP.Do(r); err == nil {
			a.Body.Close()
		}
	}()
	eventually(t, "it is under way", func() bool { return c.scrape()["dataapi_http_requests_in_flight{}"] == 2 })
	stop()
	<-ended
	eventually(t, "there is room again", func() bool { return c.get("/debug/pprof/profile?seconds=1").status == 200 })
}
