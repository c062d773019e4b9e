//go:build !race

package server

import (
	"strings"
	"testing"
	"time"
)

// TestFiftyThousandEntities sends a registry of 27 MB in one call. Sent again it changes nothing, and writes nothing.
// How long it takes is logged: the ingestion service waits for 30 s.
func TestFiftyThousandEntities(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	const n = 50_000
	c := inFile(t)
	filler := strings.Repeat("x", 300)
	batch := numbered(0, n, `{"entity_id":"sensor.s%[1]d","id":"registry%[1]d","unique_id":"unique%[1]d","platform":"demo","device_id":"device","labels":["a","b"],
		"options":{"conversation":{"should_expose":false},"filler":"`+filler+`"},"created_at":1700000000.5,"has_entity_name":true,"original_name":"Number %[1]d"}`)
	version := c.dataVersion()
	for _, want := range []pushed{{Created: n}, {Unchanged: n}} {
		start, before := time.Now(), version()
		p := c.pushOnly("entities", batch)
		if p.Upserted != n || p.Created != want.Created || p.Unchanged != want.Unchanged {
			t.Errorf("got %+v, want %+v", p, want)
		}
		t.Logf("%d MB: %v", len(batch)>>20, time.Since(start).Round(time.Millisecond))
		if wrote := version() != before; wrote != (want.Created > 0) {
			t.Errorf("%d created: wrote %v", want.Created, wrote)
		}
	}
	if got := c.row("/api/v1/entities?total=true&label_id=a&limit=10000"); got["total"] != float64(n) || got["count"] != 10000.0 {
		t.Errorf("total %v, count %v", got["total"], got["count"])
	}
}
