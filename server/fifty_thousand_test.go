//go:build !race

package server

import (
	"strings"
	"testing"
	"time"
)

// TestFiftyThousandEntities sends a registry of 27 MB in one call, within the 30 s of the ingestion service.
func TestFiftyThousandEntities(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 10 s")
	}
	const n = 50_000
	c := inFile(t)
	filler := strings.Repeat("x", 300)
	batch := numbered(0, n, `{"entity_id":"sensor.s%[1]d","id":"registry%[1]d","unique_id":"unique%[1]d","platform":"demo","device_id":"device","labels":["a","b"],
		"options":{"conversation":{"should_expose":false},"filler":"`+filler+`"},"created_at":1700000000.5,"has_entity_name":true,"original_name":"Number %[1]d"}`)
	for _, want := range []pushed{{Created: n}, {Unchanged: n}} {
		start := time.Now()
		p := c.pushOnly("entities", batch)
		if p.Upserted != n || p.Created != want.Created || p.Unchanged != want.Unchanged {
			t.Errorf("got %+v, want %+v", p, want)
		}
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		} else {
			t.Logf("%d MB: %v", len(batch)>>20, took.Round(time.Millisecond))
		}
	}
	if got := c.row("/api/v1/entities?total=true&label_id=a&limit=10000"); got["total"] != float64(n) || got["count"] != 10000.0 {
		t.Errorf("total %v, count %v", got["total"], got["count"])
	}
}
