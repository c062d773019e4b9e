package history

import (
	"regexp"
	"strings"
	"testing"
)

// unquoted reads a quoted identifier as InfluxQL does, and returns what stands behind it.
func unquoted(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	for n := 1; n < len(s); n++ {
		switch s[n] {
		case '"':
			return name, s[n+1:], true
		case '\\':
			n++
			if n == len(s) || s[n] != '\\' && s[n] != '"' {
				return "", s, false
			}
		case '\n':
			return "", s, false
		}
		name += s[n : n+1]
	}
	return "", s, false
}

// Whatever is quoted is one name, and no way out of it.
func FuzzInfluxIdentifier(f *testing.F) {
	for _, s := range []string{
		"", "°C", "light.hall", `a"b`, `a\`, `\"`, `\\"`, `"; DROP MEASUREMENT m --`, "a\nb", "a\x00", "\xff", "/.*/", "it's", "a\u0085", `","`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := influxIdentifier(s)
		if err != nil {
			return
		}
		if name, rest, ok := unquoted(quoted); !ok || name != s || rest != "" {
			t.Errorf("%q becomes %s, which is %q and then %q", s, quoted, name, rest)
		}
	})
}

// A pattern matches the ids that it is of, and no other; what is no id never meets one.
func FuzzInfluxPattern(f *testing.F) {
	for _, s := range []string{"light.hall", "lightxhall", "a.b|.*", "a.b)$/ OR 1=1 --", "a.b/", "a.b\n", "sensor.a_b", "A.b", "a.b.c", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one := regexp.MustCompile(strings.Trim(influxPattern([]string{"light.hall", "sensor.a"}), "/"))
		if one.MatchString(s) != (s == "light.hall" || s == "sensor.a") {
			t.Errorf("%q meets %s", s, one)
		}
		spans := spansOf([]Series{Named(s)}, Always, Forever)
		if len(spans) == 0 {
			return
		}
		pattern := influxPattern([]string{s, "light.hall"})
		if !regexp.MustCompile(strings.Trim(pattern, "/")).MatchString(s) || strings.Count(pattern, "/") != 2 || strings.ContainsAny(pattern, "'\"; \n") {
			t.Errorf("%q becomes %s", s, pattern)
		}
	})
}

func TestInfluxScrub(t *testing.T) {
	i, err := NewInflux(InfluxConfig{URL: "http://u:in-url@localhost:8086?p=in-query", Token: "in-token", Password: "in-password"})
	if err != nil {
		t.Fatal(err)
	}
	if got := i.scrub("in-url in-query in-token in-password"); got != "*** *** *** ***" {
		t.Error(got)
	}
}
