package webhook

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestTargets(t *testing.T) {
	lan := "192.168.1.20 10.1.2.3 172.16.0.1 100.64.0.1 8.8.8.8 fd00::20 2001:db8::1 ::ffff:192.168.1.20 64:ff9b::808:808 2002:808:808::1"
	self := "127.0.0.1 127.255.255.254 ::1 0.0.0.0 0.1.2.3 :: ::ffff:127.0.0.1 ::127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1"
	link := "169.254.169.254 fe80::1 fe80::1%eth0 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::"
	many := "224.0.0.1 239.255.255.250 255.255.255.255 ff02::1 ff02::1%eth0 ::ffff:224.0.0.1"
	for _, c := range []struct{ allow, deny, good, bad string }{
		{"", "", lan, self + " " + link + " " + many},
		{"127.0.0.0/8, ::1", "", lan + " 127.0.0.1 ::ffff:127.0.0.1 ::1", "0.0.0.0 :: " + link + " " + many},
		{"::ffff:127.0.0.0/104", "", "127.0.0.1 127.9.9.9 ::ffff:127.0.0.1", "::1 0.0.0.0"},
		{"fe80::/10", "", "fe80::1 fe80::1%eth0", "169.254.169.254 ::1"},
		{"", "10.0.0.0/8,fd00::/8", "192.168.1.20 8.8.8.8", "10.1.2.3 ::ffff:10.1.2.3 64:ff9b::a01:203 2002:a01:203:: fd00::20"},
		{"", "2002::/16", "8.8.8.8", "2002:808:808::1"},
		{"127.0.0.1", "127.0.0.1", "", "127.0.0.1"},
		{"10.0.0.5", "0.0.0.0/0,::/0", "", lan + " 10.0.0.5"},
	} {
		targets := Targets{Allow: prefixes(t, c.allow), Deny: prefixes(t, c.deny)}
		for _, address := range strings.Fields(c.good) {
			if err := targets.control("tcp", net.JoinHostPort(address, "80"), nil); err != nil {
				t.Errorf("%s with %q allowed and %q denied: %v", address, c.allow, c.deny, err)
			}
		}
		for _, address := range strings.Fields(c.bad) {
			if targets.control("tcp", net.JoinHostPort(address, "80"), nil) == nil {
				t.Errorf("%s with %q allowed and %q denied may be called", address, c.allow, c.deny)
			}
		}
	}
}

func prefixes(t *testing.T, text string) []netip.Prefix {
	t.Helper()
	all, err := ParsePrefixes(text)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOwnAddresses(t *testing.T) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		address, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if (Targets{}).check(address) == nil {
			t.Errorf("%s, which is this machine, may be called", address)
		}
	}
	interfaces := []net.Addr{&net.IPAddr{}, &net.IPNet{IP: net.ParseIP("192.168.1.20")}, &net.IPNet{IP: net.ParseIP("fd00::20")}}
	for address, want := range map[string]bool{
		"192.168.1.20": true, "fd00::20": true, "192.168.1.21": false, "fd00::21": false,
	} {
		if got := isOneOf(interfaces, netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is one of %v: %v, want %v", address, interfaces, got, want)
		}
	}
}

func TestParsePrefixes(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "[]",
		" , ":                 "[]",
		"10.1.2.3/8":          "[10.0.0.0/8]",
		"10.1.2.3":            "[10.1.2.3/32]",
		" fd00::1/8 ,::1":     "[fd00::/8 ::1/128]",
		"::ffff:10.1.2.3/104": "[10.0.0.0/8]",
		"::ffff:10.1.2.3":     "[10.1.2.3/32]",
	} {
		all := prefixes(t, text)
		texts := []string{}
		for _, p := range all {
			texts = append(texts, p.String())
		}
		if got := "[" + strings.Join(texts, " ") + "]"; got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"10.0.0.0/33", "10.0.0/8", "localhost", "10.0.0.1:80", "10.0.0.0/8 10.1.0.0/16", "fe80::%eth0/10", "fe80::1%eth0"} {
		if all, err := ParsePrefixes("127.0.0.1," + text); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%q is %v, %v; want an error that names it", text, all, err)
		}
	}
}

func TestCheckURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://homeassistant.local:8123/api/webhook/abc?x=1": "",
		"https://example.com":                     "",
		"http://192.168.1.20:65535/":              "",
		"http://[fd00::20]:8123/":                 "",
		"http://localhost/":                       "", // what names stand for is judged when they are called
		"":                                        "must be the URL",
		"homeassistant.local:8123":                "must be the URL",
		"ftp://example.com/":                      "must be the URL",
		"file:///etc/passwd":                      "must be the URL",
		"http:///path":                            "must be the URL",
		"http://:8123/":                           "must be the URL",
		"http://example.com:0/":                   "must be the URL",
		"http://example.com:65536/":               "must be the URL",
		"http://exa mple.com/":                    "must be the URL",
		"http://example.com/\n":                   "must be the URL",
		"http://example.com/" + longText(2000):    "must be the URL",
		"http://user@example.com/":                "must not hold a user",
		"http://user:password@example.com/":       "must not hold a user",
		"http://example.com/#part":                "must not hold a fragment",
		"http://127.0.0.1:8000/":                  "may not be at 127.0.0.1",
		"http://[::1]/":                           "may not be at ::1",
		"http://[fe80::1%25eth0]/":                "may not be at fe80::1",
		"http://169.254.169.254/latest/meta-data": "may not be at 169.254.169.254",
		"http://[::ffff:127.0.0.1]/":              "may not be at 127.0.0.1",
	} {
		err := (Targets{}).CheckURL(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func longText(bytes int) string { return strings.Repeat("x", bytes) }
