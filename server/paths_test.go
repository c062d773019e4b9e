package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// oddIDs are ids that a device may have.
var oddIDs = []string{"a/b", "/", "//", "a b", " ", "Küche", "日本", "😀", "%", "%2F", "%zz", "a?b=c", "#x", "a+b", "a&b", "a;b", `"`, `\`, "<b>", "..", ".",
	"../../etc/passwd", "a,b", "none", "null", "devices", "bulk_upsert", "\x01", "\n", "\r\nX-Evil: 1", "\u200b", strings.Repeat("long/", 400)}

func TestOddIDs(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, id := range oddIDs {
		item, _ := json.Marshal(map[string]string{"id": id, "name": "name of " + id})
		c.pushOnly("devices", "["+string(item)+"]")
	}
	for _, id := range oddIDs {
		for _, prefix := range []string{"/api/v1/devices/", "/api/devices/"} {
			row := c.row(prefix + url.PathEscape(id))
			if row["device_id"] != id || row["name"] != "name of "+id {
				t.Errorf("%q: got %v", id, row["device_id"])
			}
		}
	}
	if n := c.row("/api/v1/devices?limit=1000")["count"]; n != float64(len(oddIDs)) {
		t.Errorf("%v devices, want %d", n, len(oddIDs))
	}
}

// nowhere are paths that no route has.
var nowhere = []string{"/api/v1/devices/", "/api/v1/devices//", "/api/v1/devices/lamp/", "//api/v1/devices", "/api//v1/devices", "/api/v1//devices",
	"/api/v1/devices/lamp/entities", "/api/v1/devices/../devices", "/api/v1/./devices", "/API/v1/devices", "/api/v1/Devices", "/api/v2/devices", "/api/v1",
	"/api", "/api/v1/", "//", "///health", "/health/", "/livez/", "/favicon.ico", "/api%2Fv1%2Fdevices", "/api/v1/devices%2Flamp", "/api/v1/integrations",
	"/api/config_entries", "/api/areas", "/internal/devices", "/internal/devices/clear/", "/internal/areas/bulk_upsert", "/debug/pprof/"}

// nobody are paths of a route, with ids that nothing has.
var nobody = []string{"/api/v1/devices/nobody", "/api/v1/devices/LAMP", "/api/v1/devices/lamp%20", "/api/v1/devices/%00", "/api/v1/devices/lamp%00",
	"/api/v1/devices/%FF", "/api/v1/entities/light.none", "/api/v1/areas/none", "/api/v1/floors/x", "/api/v1/labels/x", "/api/v1/config_entries/x",
	"/api/integrations/nope/analytics", "/api/v1/entities/light.lamp'--", "/api/v1/devices/" + strings.Repeat("x", 60000)}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, path := range slices.Concat(nowhere, nobody) {
		p := c.get(path).problem(404)
		if u, _ := url.Parse(c.url + path); p["instance"] != u.EscapedPath() {
			t.Errorf("%.100s: instance %.100v", path, p["instance"])
		}
	}
	for _, path := range nowhere {
		c.do("POST", path, "[]", "Content-Type: application/json").problem(404)
	}
	for _, path := range nobody {
		c.do("POST", path, "[]", "Content-Type: application/json").problem(405)
	}
}

// TestMethods tries every method on every route: what the table does not have is a 405 that says what it has.
func TestMethods(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	allowed := map[string][]string{}
	for _, rt := range c.server.Routes() {
		allowed[rt.Path] = append(allowed[rt.Path], rt.Method)
		if rt.Method == "GET" {
			allowed[rt.Path] = append(allowed[rt.Path], "HEAD")
		}
	}
	for path, methods := range allowed {
		path = strings.NewReplacer("{", "", "}", "").Replace(path)
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "BREW"} {
			if slices.Contains(methods, method) {
				continue
			}
			a := c.do(method, path, "").want(405)
			if method != "HEAD" {
				a.problem(405)
			}
			if got := strings.Split(a.header.Get("Allow"), ", "); !slices.Equal(got, methods) {
				t.Errorf("%s %s: Allow %v, want %v", method, path, got, methods)
			}
		}
	}
	deviceFilters[0].check(c, "devices", "device_id")
}

// TestHead holds the header of a HEAD to that of a GET, and its body to nothing.
func TestHead(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, path := range []string{"/", "/health", "/livez", "/readyz", "/api/info", "/openapi.yaml", "/openapi.json", "/api/v1/devices", "/api/v1/devices?limit=2",
		"/api/v1/entities?limit=1000", "/api/devices/lamp", "/api/v1/devices/nobody", "/api/v1/devices?colour=red", "/nothing", "/internal/devices/clear",
		"/api/v1/devices/" + strings.Repeat("x", 5000), "/api/integrations", "/api/v1/integrations/hue/analytics"} {
		for _, encoding := range []string{"gzip", "identity"} {
			headers := []string{"X-Request-ID: same", "Accept-Encoding: " + encoding}
			get, head := c.get(path, headers...), c.do("HEAD", path, "", headers...)
			for _, a := range []response{get, head} {
				a.header.Del("Date")
				if a.header.Get("Cache-Control") == "no-store" && a.status == 200 { // it tells the time, whose length varies
					a.header.Del("Content-Length")
				}
			}
			if len(head.body) > 0 || head.status != get.status || !reflect.DeepEqual(head.header, get.header) {
				t.Errorf("%s: HEAD %d %v, GET %d %v", path, head.status, head.header, get.status, get.header)
			}
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	made := map[string]bool{}
	for _, test := range []struct {
		sent string
		kept bool
	}{
		{"abc-123", true}, {"!~", true}, {strings.Repeat("x", 128), true}, {"<script>", true}, {`"quoted"`, true},
		{"", false}, {strings.Repeat("x", 129), false}, {"a b", false}, {"ä", false}, {"a\tb", false}, {"\xff", false},
	} {
		for _, path := range []string{"/livez", "/api/v1/devices", "/nothing", "/api/v1/devices?x=1"} {
			a := c.get(path, "X-Request-ID: "+test.sent)
			got := a.header.Get("X-Request-Id")
			if test.kept && got != test.sent || !test.kept && (len(got) < 20 || made[got] || got == test.sent) {
				t.Errorf("sent %q, got %q", test.sent, got)
			}
			made[got] = true
			if a.status != http.StatusOK {
				a.problem(a.status)
			}
		}
	}
}

// TestNosniff looks at headers that every answer has.
func TestNosniff(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, path := range []string{"/", "/health", "/api/v1/devices", "/nothing", "/internal/devices/clear", "/openapi.yaml", "/api/v1/areas?x"} {
		a := c.get(path, "Origin: https://evil.example")
		if a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, a.header)
		}
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s is set", path, name)
			}
		}
	}
}
