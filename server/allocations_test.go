package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"testing"
	"time"
)

// allocations counts those of one GET, from the front of the server to the last byte of its answer.
func allocations(t *testing.T, c *caller, path string) float64 {
	t.Helper()
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector allocates")
	}
	c.server.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	r := httptest.NewRequest(http.MethodGet, path, nil)
	w := discard{http.Header{}}
	c.server.ServeHTTP(w, r)
	return testing.AllocsPerRun(500, func() { c.server.ServeHTTP(w, r) })
}

func TestAllocationsOfAHit(t *testing.T) {
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"a"}]`)
	c = serveDB(t, c.db, func(config *Config) { // as the service does
		config.CacheBytes, config.ClientRequests, config.QueryTimeout = 1<<20, 128, time.Minute
	})
	wantAtMost(t, "a hit", allocations(t, c, "/api/v1/devices/a"), 3)
}

// A device has 40 columns.
func TestAllocationsOfAnUncachedRead(t *testing.T) {
	c := furnish(inFile(t))
	wantAtMost(t, "a point read", allocations(t, c, "/api/v1/devices/lamp"), 65)
	var page struct{ Count int }
	if err := json.Unmarshal(c.get("/api/v1/devices").want(200).body, &page); err != nil || page.Count < 3 {
		t.Fatalf("%d rows: %v", page.Count, err)
	}
	more := allocations(t, c, "/api/v1/devices") - allocations(t, c, "/api/v1/devices?limit=1")
	wantAtMost(t, "one more row of a list", more/float64(page.Count-1), 7)
}

func wantAtMost(t *testing.T, what string, got, most float64) {
	t.Helper()
	t.Logf("%s: %.1f allocations", what, got)
	if got > most {
		t.Errorf("%s: %.1f allocations, of %v at most", what, got, most)
	}
}
