package db

import (
	"strings"
	"testing"
	"time"
)

func TestPositionsAsText(t *testing.T) {
	for _, p := range []Position{
		{"3f2ab84c91d7", 0, 0},
		{"3f2ab84c91d7", 1, time.Now().UnixMilli()},
		{"000000000000", 1<<63 - 1, 1<<63 - 1},
		{"0", 7, -5},
	} {
		got, ok := ParsePosition(p.String())
		if !ok || got != p {
			t.Errorf("%s: got %v, %v, want %v", p, got, ok, p)
		}
	}
	for _, text := range []string{
		"", ".", "..", "a", "a.1", "a.1.", "a..1", ".1.1", "a.-1.1", "a.+1.1", "a.01.1", "a.1.01", "a.1.A", "a.1.1.1", "a.1.1 ", "a. 1.1",
		"a.9223372036854775808.1", "a.1.zzzzzzzzzzzzzz", "-24h", "1764065797", "2026-11-25T10:16:37.5Z", strings.Repeat("a", 300) + ".1",
	} {
		if got, ok := ParsePosition(text); ok {
			t.Errorf("%.40q was read as %v", text, got)
		}
	}
}

func FuzzPositionsAsText(f *testing.F) {
	f.Add("3f2ab84c91d7.12.mif0v1x3")
	f.Add("a..")
	f.Fuzz(func(t *testing.T, text string) {
		if p, ok := ParsePosition(text); ok && (p.String() != text || p == Position{}) {
			t.Errorf("%q was read as %v", text, p)
		}
	})
}
