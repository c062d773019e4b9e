package server

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
)

// What Home Assistant's integration asks of InfluxDB, by the clients that it has: influxdb-python for version 1, which
// takes nothing but a 204 for success, and influxdb-client for version 2. At set-up both write nothing at all.
func TestHomeAssistantWritesLines(t *testing.T) {
	t.Parallel()
	c := remembering(t)
	now := time.Now().Truncate(time.Microsecond)
	clients := map[string]struct {
		path    string
		headers []string
		zip     bool
	}{
		"v1": {"/write?db=home_assistant", []string{"Content-Type: application/octet-stream", "Accept: application/x-msgpack", "Authorization: Basic aGE6c2VjcmV0"}, false},
		"v2": {"/api/v2/write?org=home&bucket=Home+Assistant&precision=ns",
			[]string{"Content-Type: text/plain", "Accept: application/json", "Content-Encoding: identity", "Authorization: Token t"}, false},
		"v1 compressed": {"/write?u=ha&p=secret&db=home_assistant&rp=autogen&consistency=any&precision=ns", []string{"Content-Encoding: gzip"}, true},
	}
	for name, client := range clients {
		write := func(body string) response {
			if client.zip {
				body = gzipped(body)
			}
			return c.do("POST", client.path, body, client.headers...)
		}
		for _, nothing := range []string{"", "\n"} {
			if a := write(nothing); a.status != 204 || len(a.body) > 0 {
				t.Errorf("%s, at set-up: %d %s", name, a.status, a.body)
			}
		}
		id := strings.ReplaceAll(name, " ", "_")
		body := fmt.Sprintf("°C,domain=sensor,entity_id=%s value=21.5,friendly_name_str=\"Küche\" %d\nlight.%s,domain=light,entity_id=%s state=\"on\",value=1,brightness=180 %d\n",
			id, now.Add(-time.Minute).UnixNano(), id, id, now.UnixNano())
		for range 2 { // the client had no answer, and sends it again
			if a := write(body); a.status != 204 {
				t.Fatalf("%s: %d %s", name, a.status, a.body)
			}
		}
		if got := append(c.statesOf("sensor."+id), c.statesOf("light."+id)...); !slices.Equal(got, []string{"21.5", "on"}) {
			t.Errorf("%s: kept %q", name, got)
		}
	}
	series := []history.Series{history.Named("sensor.v1")}
	last, err := c.past.Last(t.Context(), series, history.Forever)
	if err != nil || len(last) != 1 || last[0].Time != history.At(now.Add(-time.Minute)) || string(last[0].Attributes) != `{"friendly_name":"Küche"}` {
		t.Errorf("%+v, %v", last, err)
	}
	for _, method := range []string{"GET", "HEAD"} {
		if a := c.do(method, "/ping", ""); a.status != 204 || a.header.Get("X-Influxdb-Version") == "" || len(a.body) > 0 {
			t.Errorf("%s /ping: %d %v", method, a.status, a.header)
		}
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// A bad line does not lose the others, and is named as InfluxDB names it.
func TestBadLines(t *testing.T) {
	t.Parallel()
	c, now := remembering(t), time.Now()
	line := func(id string, at time.Time) string {
		return fmt.Sprintf("lx,domain=sensor,entity_id=%s value=1 %d\n", id, at.UnixMilli())
	}
	body := line("a", now) + "nonsense\n" + line("a", now.Add(11*time.Minute)) + line("a", now.Add(-31*24*time.Hour)) + line("A", now) + line("b", now) + "cpu usage=1\n"
	a := c.do("POST", "/write?precision=ms", body)
	p := a.problem(400)
	if text := fmt.Sprint(p["error"]); text != p["detail"] || !strings.HasPrefix(text, "partial write: at line 2:9: ") || !strings.HasSuffix(text, " dropped=5") {
		t.Errorf("%s", a.body)
	}
	var named []string
	for _, e := range p["errors"].([]any) {
		named = append(named, fmt.Sprint(e.(map[string]any)["pointer"]))
	}
	if !slices.Equal(named, []string{"/1", "/2/time", "/3/time", "/4/entity_id", "/6/entity_id"}) {
		t.Errorf("%q", named)
	}
	if got := append(c.statesOf("sensor.a"), c.statesOf("sensor.b")...); !slices.Equal(got, []string{"1", "1"}) {
		t.Errorf("kept %q", got)
	}
	many := c.do("POST", "/api/v2/write", strings.Repeat("nonsense\n", 1000)).problem(400)
	if n := len(many["errors"].([]any)); n != mostNamed || !strings.HasSuffix(fmt.Sprint(many["error"]), " dropped=1000") {
		t.Errorf("%d named: %v", n, many["error"])
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	c := remembering(t)
	const good = "lx,domain=sensor,entity_id=a value=1"
	for name, test := range map[string]struct {
		response
		status int
	}{
		"an unknown unit":       {c.do("POST", "/write?precision=d", good), 422},
		"an unknown parameter":  {c.do("POST", "/api/v2/write?db=x", good), 422},
		"what is no gzip":       {c.do("POST", "/write", good, "Content-Encoding: gzip"), 400},
		"what cannot be undone": {c.do("POST", "/write", good, "Content-Encoding: br"), 415},
	} {
		if p := test.problem(test.status); p["error"] != p["detail"] || p["error"] == nil {
			t.Errorf("%s: %s", name, test.body)
		}
	}
	c.do("GET", "/write", "").problem(405)
	if got := c.statesOf("sensor.a"); got != nil {
		t.Errorf("kept %q", got)
	}
	closed := inMemory(t).do("POST", "/write", good)
	if p := closed.problem(503); p["error"] != p["detail"] || p["reason"] != string(db.Opening) || closed.header.Get("Retry-After") == "" {
		t.Errorf("%s", closed.body)
	}
	d := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), c.server.Log)
	t.Cleanup(func() { d.Close() })
	without := serveDB(t, d, func(config *Config) { config.History = c.past })
	if a := without.do("POST", "/write", good); a.status != 204 || len(c.statesOf("sensor.a")) != 1 {
		t.Errorf("without the metadata: %d %s", a.status, a.body)
	}
}
