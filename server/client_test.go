package server

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/webhook"
)

func proxies(t testing.TB, text string) []netip.Prefix {
	t.Helper()
	all, err := webhook.ParsePrefixes(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Who a request is from: the last hop that is of no proxy of ours, whatever stands before it.
func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	s := &Server{Config: Config{Proxies: proxies(t, "10.0.0.0/8,fd00::/8,127.0.0.1")}}
	for _, c := range []struct{ peer, headers, want string }{
		{"10.0.0.1:5000", "", "10.0.0.1"},
		{"10.0.0.1:5000", "X-Forwarded-For: 203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 1.1.1.1, 203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 1.1.1.1, 203.0.113.7, 10.0.0.2,10.0.0.3", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 1.1.1.1|X-Forwarded-For: 203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 203.0.113.7:4711", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 2001:db8::7", "2001:db8::7"},
		{"10.0.0.1:5000", "X-Forwarded-For: [2001:db8::7]:4711", "2001:db8::7"},
		{"10.0.0.1:5000", "X-Forwarded-For: [2001:db8::7]", "2001:db8::7"},
		{"10.0.0.1:5000", "X-Forwarded-For: ::ffff:203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5000", "X-Forwarded-For: 10.0.0.9, 10.0.0.2", "10.0.0.9"},
		{"10.0.0.1:5000", "X-Forwarded-For: 203.0.113.7, unknown", ""},
		{"10.0.0.1:5000", "X-Forwarded-For: 203.0.113.7,", ""},
		{"10.0.0.1:5000", "X-Forwarded-For: <script>, 10.0.0.2", ""},
		{"10.0.0.1:5000", "X-Forwarded-For: <script>, 203.0.113.7", "203.0.113.7"},
		{"[::ffff:10.0.0.1]:5000", "X-Forwarded-For: 203.0.113.7", "203.0.113.7"},
		{"[fd00::1]:5000", "X-Forwarded-For: 203.0.113.7", "203.0.113.7"},
		{"127.0.0.1:5000", "X-Forwarded-For: 203.0.113.7", "203.0.113.7"},
		{"127.0.0.2:5000", "X-Forwarded-For: 203.0.113.7", "127.0.0.2"},
		{"192.0.2.1:5000", "X-Forwarded-For: 10.0.0.1, 127.0.0.1", "192.0.2.1"},
		{"192.0.2.1:5000", "Forwarded: for=127.0.0.1", "192.0.2.1"},
		{"10.0.0.1:5000", "Forwarded: for=203.0.113.7", "203.0.113.7"},
		{"10.0.0.1:5000", `Forwarded: for=1.1.1.1, For="[2001:db8::7]:4711";proto=https;by=10.0.0.1`, "2001:db8::7"},
		{"10.0.0.1:5000", `Forwarded: proto=http;for="203.0.113.7:80", for=10.0.0.2`, "203.0.113.7"},
		{"10.0.0.1:5000", `Forwarded: for=203.0.113.7;host="a,for=1.1.1.1"`, "203.0.113.7"},
		{"10.0.0.1:5000", "Forwarded: for=203.0.113.7, for=_hidden", ""},
		{"10.0.0.1:5000", "Forwarded: for=203.0.113.7, proto=https", ""},
		{"10.0.0.1:5000", "X-Forwarded-For: 203.0.113.7|Forwarded: for=1.1.1.1", "203.0.113.7"},
		{"@", "X-Forwarded-For: 203.0.113.7", ""},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		for _, h := range strings.Split(c.headers, "|") {
			if name, value, ok := strings.Cut(h, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		s.believe(r)
		got := ""
		if a := clientAddr(r); a.IsValid() {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s, %s: %q, want %q", c.peer, c.headers, got, c.want)
		}
	}
}

// The log and the limits go by the client, where the peer is a proxy of ours, and by the peer where it is not.
func TestLimitsAndLogGoByTheClient(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		proxies, remote string
		other           int
	}{{"127.0.0.0/8", "203.0.113.8", 200}, {"", "127.0.0.1", 429}} {
		c := followed(t).bounded(usualPace, func(config *Config) { config.ClientRequests, config.Proxies = 1, proxies(t, test.proxies) })
		stream := c.stream("", "X-Forwarded-For: 203.0.113.7")
		if test.proxies != "" {
			c.get("/livez", "X-Forwarded-For: 1.1.1.1, 203.0.113.7").want(429)
		}
		a := c.get("/livez", "X-Forwarded-For: 203.0.113.8").want(test.other)
		remote, _ := c.logged(a, 1)[0]["remote"].(string)
		if got := addressIn(remote).String(); got != test.remote {
			t.Errorf("%q: the log says that it is from %q", test.proxies, remote)
		}
		stream.response.Body.Close()
	}
}

// A network is trusted by the address of the client, not by that of the proxy that the request came through.
func TestTrustGoesByTheClient(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	guard := auth.New(auth.Config{DB: c.db, Trusted: proxies(t, "203.0.113.0/24"), Log: slog.New(slog.DiscardHandler)})
	s := serveDB(t, c.db, func(config *Config) { config.Guard, config.Proxies = guard, proxies(t, "127.0.0.0/8") })
	for client, status := range map[string]int{"203.0.113.7": 200, "1.1.1.1, 203.0.113.7": 200, "203.0.113.7, 1.1.1.1": 401, "unknown": 401, "": 401} {
		s.get("/api/devices", "X-Forwarded-For: "+client).want(status)
	}
}

// An IPv6 network of 64 bits is one client, as whoever has an address there has them all.
func TestHousehold(t *testing.T) {
	t.Parallel()
	for a, want := range map[string]string{"203.0.113.7": "203.0.113.7", "2001:db8:0:1:2:3:4:5": "2001:db8:0:1::", "::1": "::"} {
		if got := household(netip.MustParseAddr(a)).String(); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

// Whom a trusted proxy speaks for is trusted as if it came without one, and nobody else.
func TestTrustedBehindAProxy(t *testing.T) {
	t.Parallel()
	d := prepared(t, db.Memory)
	home := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	c := serveDB(t, d, func(config *Config) {
		config.Guard = auth.New(auth.Config{DB: d, Trusted: home, Log: slog.New(slog.DiscardHandler)})
		config.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for client, status := range map[string]int{"10.1.2.3": 200, "11.1.2.3": 401, "10.1.2.3, 11.1.2.3": 401, "11.1.2.3, 10.1.2.3": 200, "nobody": 401} {
		if a := c.post("devices", `[{"id":"lamp"}]`, "X-Forwarded-For: "+client); a.status != status {
			t.Errorf("for %s: %d, want %d", client, a.status, status)
		}
	}
}

// FuzzForwarded has clients send what proxies add to: whatever they send, they are who the proxy says, or nobody can tell.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{"", "10.1.2.3", "for=10.1.2.3", `for=10.1.2.3;x="`, `for=10.1.2.3;x="\"`, `for="10.1.2.3`, `for=10.1.2.3;x="a,b"`, ",", ";", "for=", `"`, "10.1.2.3,", "for=10.1.2.3,for=127.0.0.1", "\x00"} {
		f.Add(seed)
	}
	s := &Server{Config: Config{Proxies: proxies(f, "127.0.0.0/8")}}
	f.Fuzz(func(t *testing.T, sent string) {
		for _, header := range []http.Header{
			{"X-Forwarded-For": {sent + ", 203.0.113.7"}}, {"X-Forwarded-For": {sent, "203.0.113.7"}}, {"Forwarded": {sent + ", for=203.0.113.7"}},
			{"Forwarded": {sent, `for="203.0.113.7:80";proto=https`}}, {"X-Forwarded-For": {"203.0.113.7"}, "Forwarded": {sent}},
		} {
			r := &http.Request{RemoteAddr: "127.0.0.1:5000", Header: header}
			if s.believe(r); clientAddr(r).IsValid() && clientAddr(r).String() != "203.0.113.7" {
				t.Errorf("%q: %v", header, clientAddr(r))
			}
		}
	})
}
