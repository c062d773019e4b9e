package server

import (
	"strings"
	"testing"

	"dataapi/internal/auth"
)

// sharing serves the database of c to pages of other origins.
func (c *caller) sharing(origins ...string) *caller {
	return serveDB(c, c.db, func(config *Config) { config.Origins, config.CacheBytes, config.ClientRequests = origins, 1<<20, 128 })
}

const ourPage, otherPage = "https://home.example:8443", "https://evil.example"

// crossOrigin is what an answer tells a browser.
func (a response) crossOrigin() string {
	var all []string
	for _, name := range []string{"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Max-Age"} {
		all = append(all, a.header.Get("Access-Control-"+name))
	}
	return strings.Join(all, " ")
}

// Answers of all sorts, from the cache too, can be read by the pages that are named, and by no others.
func TestOriginsOfAnswers(t *testing.T) {
	t.Parallel()
	c := furnish(inFile(t)).sharing(ourPage, "http://localhost:5173")
	for _, test := range []struct {
		path   string
		status int
	}{
		{"/api/v1/devices", 200}, {"/api/v1/devices", 200}, {"/api/v1/devices/lamp", 200}, {"/api/v1/devices/nobody", 404}, {"/nothing", 404},
		{"/api/v1/devices?x=1", 422}, {"/livez", 200}, {"/health", 200}, {"/openapi.json", 200}, {"/ping", 204},
	} {
		for _, encoding := range []string{"gzip", "identity"} {
			for origin, want := range map[string]string{
				ourPage: ourPage + " true  ", "http://localhost:5173": "http://localhost:5173 true  ", "HTTPS://HOME.example:8443": "HTTPS://HOME.example:8443 true  ",
				otherPage: "   ", "null": "   ", "https://home.example": "   ", "http://home.example:8443": "   ", ourPage + ".evil.example": "   ", ourPage + "/": "   ", "": "   ",
			} {
				a := c.get(test.path, "Origin: "+origin, "Accept-Encoding: "+encoding).want(test.status)
				if got := a.crossOrigin(); got != want {
					t.Errorf("%s for %q: %q, want %q", test.path, origin, got, want)
				}
				if vary := strings.Join(a.header["Vary"], ", "); !strings.Contains(vary, "Origin") || a.header.Get("Etag") != "" && !strings.Contains(vary, "Accept-Encoding") {
					t.Errorf("%s: Vary %q", test.path, vary)
				}
				exposed := a.header.Get("Access-Control-Expose-Headers")
				for _, name := range []string{"ETag", "Link", "X-Request-ID", "Data-Complete", "Retry-After"} {
					if strings.Contains(exposed, name) != (want != "   ") {
						t.Errorf("%s for %q: exposed are %q", test.path, origin, exposed)
					}
				}
			}
		}
	}
	if hits := c.server.cache.hits.Load(); hits < 50 {
		t.Errorf("%d answers from the cache", hits)
	}
}

func TestPreflights(t *testing.T) {
	t.Parallel()
	c := inMemory(t).sharing(ourPage)
	ask := func(path, origin, method string) response {
		headers := []string{"Origin: " + origin}
		if method != "" {
			headers = append(headers, "Access-Control-Request-Method: "+method)
		}
		return c.do("OPTIONS", path, "", headers...)
	}
	for path, allow := range map[string]string{
		"/api/v1/devices":                        "GET, HEAD",
		"/api/v1/users/anna/preferences":         "GET, HEAD, PUT, PATCH, DELETE",
		"/internal/devices/bulk_upsert":          "POST",
		"/api/v1/webhooks/x/deliveries/y/replay": "POST",
	} {
		a := ask(path, ourPage, "GET").want(204)
		if got, want := a.crossOrigin(), ourPage+" true "+allow+" 600"; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		for _, name := range []string{"Authorization", "X-API-Key", "Content-Type", "If-Match", "Last-Event-ID"} {
			if !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s may not be sent", name)
			}
		}
		if a := ask(path, otherPage, "GET"); a.crossOrigin() != "   " || a.problem(405) == nil {
			t.Errorf("%s for a otherPage: %v", path, a.header)
		}
		if a := ask(path, ourPage, ""); a.problem(405) == nil || a.header.Get("Allow") != allow {
			t.Errorf("%s: %v", path, a.header)
		}
	}
	ask("/nothing", ourPage, "GET").problem(404)
}

// A star is for all, and for none with credentials. Without the setting nobody is told anything.
func TestAnyOriginAndNone(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	any, none := c.sharing("*"), c.sharing()
	for _, origin := range []string{ourPage, otherPage, "null"} {
		if got := any.get("/api/v1/devices", "Origin: "+origin).want(200).crossOrigin(); got != "*   " {
			t.Errorf("%s: %q", origin, got)
		}
		if got := any.do("OPTIONS", "/api/v1/devices", "", "Origin: "+origin, "Access-Control-Request-Method: GET").want(204).crossOrigin(); got != "*  GET, HEAD 600" {
			t.Errorf("%s: %q", origin, got)
		}
		a := none.get("/api/v1/devices", "Origin: "+origin).want(200)
		if a.crossOrigin() != "   " || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v", origin, a.header)
		}
		none.do("OPTIONS", "/api/v1/devices", "", "Origin: "+origin, "Access-Control-Request-Method: GET").problem(405)
	}
}

// Where no key is asked for, the pages that are named may change what is here, and a star names none.
func TestPagesThatMayWriteWithoutAKey(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct {
		origins []string
		page    string
		status  int
	}{{[]string{ourPage}, ourPage, 200}, {[]string{ourPage}, otherPage, 403}, {[]string{"*"}, otherPage, 403}, {nil, ourPage, 403}} {
		s := c.sharing(test.origins...)
		s.server.Guard = auth.Local("127.0.0.1", test.origins)
		s.post("devices", `[{"id":"a"}]`, "Origin: "+test.page, "Sec-Fetch-Site: cross-site").want(test.status)
	}
}
