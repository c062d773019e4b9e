package server

import (
	"bytes"
	"compress/gzip"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var cacheable = []string{"/api/v1/devices", "/api/v1/devices?limit=1", "/api/devices/lamp", "/api/v1/devices/lamp?fields=name", "/api/v1/entities",
	"/api/v1/areas/kitchen", "/api/v1/labels", "/api/v1/floors", "/api/integrations", "/openapi.yaml", "/openapi.json"}

// TestETagOverRestarts closes the database and the server, and opens both anew. The tag of an empty list
// is written down here, as other processes, and other machines, must find it too.
func TestETagOverRestarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "metadata.db")
	before := map[string]string{}
	for restart := range 3 {
		d := prepared(t, path)
		c := serveDB(t, d)
		if restart == 0 {
			furnish(c)
		}
		for _, p := range cacheable {
			a := c.get(p).want(200)
			if tag := a.header.Get("Etag"); before[p] == "" {
				before[p] = tag
			} else if tag != before[p] {
				t.Errorf("%s: ETag %s, before the restart %s", p, tag, before[p])
			}
			c.get(p, "If-None-Match: "+before[p]).want(304)
		}
		d.Close()
	}
	if got := inMemory(t).get("/api/v1/labels").header.Get("Etag"); got != `"dmiSDhTUGey4efI2OQNvOA"` {
		t.Errorf("ETag of an empty list: %s", got)
	}
}

// TestETagFollowsBody makes changes of all sorts: the tag changes when the body does, and only then.
func TestETagFollowsBody(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	last := map[string]response{}
	changed := 0
	for _, change := range []string{`[]`, `[{"id":"lamp"}]`, `[{"id":"lamp","modified_at":1700000000.5}]`, `[{"id":"lamp","name":"Other"}]`, `[{"id":"lamp","name":"Other"}]`,
		`[{"id":"lamp","name":"Lamp"}]`, `[{"id":"new"}]`, `[{"id":"lamp","area_id":"bath"}]`, `[{"id":"lamp","labels":["cold"]}]`} {
		c.pushOnly("devices", change)
		for _, path := range cacheable {
			before, now := last[path], c.get(path).want(200)
			same := string(now.body) == string(before.body)
			if same != (now.header.Get("Etag") == before.header.Get("Etag")) {
				t.Errorf("%s after %s: the same body %v, ETag %s, before %s", path, change, same, now.header.Get("Etag"), before.header.Get("Etag"))
			}
			if again := c.get(path, "If-None-Match: "+before.header.Get("Etag")); same != (again.status == 304) {
				t.Errorf("%s after %s: the same body %v, answered with %d", path, change, same, again.status)
			}
			if last[path] = now; !same {
				changed++
			}
		}
	}
	if changed < 20 || changed > 60 {
		t.Errorf("the changes made %d new bodies", changed)
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	const path = "/api/v1/entities"
	tag := strings.Trim(c.get(path).want(200).header.Get("Etag"), `"`)
	for _, test := range []struct {
		header string
		status int
	}{
		{`"TAG"`, 304}, {`W/"TAG"`, 304}, {`"TAG-gzip"`, 304}, {`W/"TAG-gzip"`, 304}, {`*`, 304}, {` * `, 304}, {`"a", "TAG"`, 304}, {`"a","b",W/"TAG-gzip" ,"c"`, 304},
		{`,,"TAG",`, 304}, {"\"a\"\nIf-None-Match: \"TAG\"", 304},
		{`"a"`, 200}, {`"a", "b"`, 200}, {`"TAG-br"`, 200}, {`"TAGx"`, 200}, {`"-gzip"`, 200}, {`"*"`, 200}, {``, 200}, {`""`, 200}, {`W/`, 200}, {`"`, 200},
	} {
		headers := strings.Split("If-None-Match: "+strings.ReplaceAll(test.header, "TAG", tag), "\n")
		for _, method := range []string{"GET", "HEAD"} {
			for _, encoding := range []string{"gzip", "identity"} {
				a := c.do(method, path, "", append(headers, "Accept-Encoding: "+encoding)...).want(test.status)
				if a.status == 304 && (len(a.body) > 0 || a.header.Get("Content-Encoding")+a.header.Get("Content-Length") != "") {
					t.Errorf("%s: 304 with a body: %v", test.header, a.header)
				}
				if got := strings.Trim(a.header.Get("Etag"), `"`); strings.TrimSuffix(got, "-gzip") != tag {
					t.Errorf("%s: ETag %s", test.header, got)
				}
				if a.header.Get("Cache-Control") != "private, no-cache" || a.header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s: %v", test.header, a.header)
				}
			}
		}
	}
	for _, path := range []string{"/health", "/api/v1/devices/nobody", "/api/v1/devices?x"} {
		if a := c.get(path, "If-None-Match: *"); a.status == 304 || a.header.Get("Etag") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	const path = "/api/v1/entities"
	plain := c.get(path, "Accept-Encoding: identity").want(200)
	for _, test := range []struct {
		accept string
		gzip   bool
	}{
		{"gzip", true}, {"gzip, deflate, br, zstd", true}, {"br;q=1, gzip;q=0.5", true}, {"GZIP", true}, {"x-gzip", true}, {"*", true}, {"gzip;q=1.0", true},
		{"gzip ; q=0.001", true}, {"*;q=0, gzip", true}, {"gzip, *;q=0", true}, {"br\nAccept-Encoding: gzip", true}, {"identity;q=0, *", true},
		{"", false}, {"identity", false}, {"br", false}, {"gzip;q=0", false}, {"gzip; q=0.000", false}, {"gzip;Q=0", false}, {"gzip ; q = 0", false},
		{"*;q=0", false}, {"*, gzip;q=0", false}, {"gzip;q=0, *", false}, {"identity, *;q=0", false}, {"gzipped", false}, {";q=1", false}, {",", false},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a := c.do(method, path, "", strings.Split("Accept-Encoding: "+test.accept, "\n")...).want(200)
			if got := a.header.Get("Content-Encoding") == "gzip"; got != test.gzip {
				t.Errorf("%q: gzip %v", test.accept, got)
			}
			if got := strings.HasSuffix(a.header.Get("Etag"), `-gzip"`); got != test.gzip || a.header.Get("Vary") != "Accept-Encoding" {
				t.Errorf("%q: %v", test.accept, a.header)
			}
			if method == "GET" && !bytes.Equal(a.inflated(), plain.body) {
				t.Errorf("%q: another body", test.accept)
			}
			a.checkLength(method, plain)
		}
	}
}

// checkLength holds Content-Length to the bytes that were sent, or would be.
func (a response) checkLength(method string, plain response) {
	a.Helper()
	n, err := strconv.Atoi(a.header.Get("Content-Length"))
	if err != nil || n == 0 || method == "GET" && n != len(a.body) || method == "HEAD" && len(a.body) > 0 {
		a.Errorf("Content-Length %v of %d bytes", a.header["Content-Length"], len(a.body))
	}
	if shorter := n < len(plain.body); shorter != (a.header.Get("Content-Encoding") == "gzip") {
		a.Errorf("%d bytes of %d", n, len(plain.body))
	}
}

// inflated is the body without compression.
func (a response) inflated() []byte {
	a.Helper()
	if a.header.Get("Content-Encoding") != "gzip" {
		return a.body
	}
	r, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		a.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil {
		a.Fatal(err)
	}
	return body
}

func TestSmallAnswersAreNotCompressed(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, path := range []string{"/api/v1/floors/ground", "/livez", "/api/v1/devices/nobody", "/api/v1/labels?limit=1"} {
		a := c.get(path, "Accept-Encoding: gzip")
		if a.header.Get("Content-Encoding") != "" || strings.Contains(a.header.Get("Etag"), "gzip") {
			t.Errorf("%s: %v", path, a.header)
		}
	}
	off := serveDB(t, c.db, func(config *Config) { config.Compress = false })
	if a := off.get("/api/v1/entities", "Accept-Encoding: gzip"); a.header.Get("Content-Encoding") != "" {
		t.Errorf("compressed all the same: %v", a.header)
	}
}

// TestEveryAnswerHasItsLength looks for answers whose length a client cannot know in advance.
func TestEveryAnswerHasItsLength(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, rt := range c.server.Routes() {
		a := c.get(strings.NewReplacer("{", "", "}", "").Replace(rt.Path) + "?" + strings.Repeat("x", 3000))
		if a.status != 204 && a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
			t.Errorf("%s: %v for %d bytes", rt.Path, a.header["Content-Length"], len(a.body))
		}
	}
}
