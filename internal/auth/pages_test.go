package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Where no key is asked for, the service answers to its own names alone.
func TestNamesOfTheLoopback(t *testing.T) {
	g := Local("my-home", nil)
	for host, want := range map[string]error{
		"localhost": nil, "localhost:8006": nil, "LOCALHOST:1": nil, "127.0.0.1": nil, "127.0.0.1:8006": nil, "127.9.9.9": nil,
		"[::1]": nil, "[::1]:8006": nil, "[::ffff:127.0.0.1]:80": nil, "my-home": nil, "My-Home:80": nil, "": nil,
		"evil.example": ErrHost, "evil.example:8006": ErrHost, "localhost.evil.example": ErrHost, "127.0.0.1.evil.example": ErrHost,
		"192.168.1.10:8006": ErrHost, "0.0.0.0:8006": ErrHost, "[fd00::1]:8006": ErrHost, "my-home.evil.example": ErrHost, "localhost.": ErrHost,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		if err := g.Misled(r); err != want {
			t.Errorf("%q: %v, want %v", host, err, want)
		}
		for _, other := range []*Guard{nil, Open(), New(Config{})} {
			if err := other.Misled(r); err != nil {
				t.Errorf("%q where keys are asked for, or it is open: %v", host, err)
			}
		}
	}
}

// Pages of another origin may have the browser read, which they cannot see, and not write.
func TestPagesOfOtherOrigins(t *testing.T) {
	g := Local("127.0.0.1", []string{"https://panel.example"})
	for _, c := range []struct {
		method, origin, site string
		want                 error
	}{
		{"POST", "", "", nil}, // curl, and whatever else is no browser
		{"POST", "http://127.0.0.1:8006", "", nil},
		{"POST", "http://evil.example", "", ErrOrigin},
		{"POST", "null", "", ErrOrigin},
		{"DELETE", "", "cross-site", ErrOrigin},
		{"POST", "", "same-site", ErrOrigin},
		{"PUT", "", "same-origin", nil},
		{"PUT", "https://panel.example", "cross-site", nil},
		{"GET", "http://evil.example", "cross-site", nil},
	} {
		r := httptest.NewRequest(c.method, "/write", nil)
		r.Host = "127.0.0.1:8006"
		for name, value := range map[string]string{"Origin": c.origin, "Sec-Fetch-Site": c.site} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if err := g.Misled(r); err != c.want {
			t.Errorf("%+v: %v", c, err)
		}
		if err := New(Config{}).Misled(r); err != nil {
			t.Errorf("%+v where keys are asked for: %v", c, err)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if g.Misled(&http.Request{Method: "GET", Host: "127.0.0.1:8006"}) != nil {
			t.Error("refused")
		}
	}); n > 1 { // the request itself
		t.Errorf("%v allocations", n)
	}
}
