package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestReadmeCommands holds README's list of commands to those that there are, both ways.
func TestReadmeCommands(t *testing.T) {
	_, section, _ := strings.Cut(readText(t, "README.md"), "\n## Commands")
	section, _, _ = strings.Cut(section, "\n## ")
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^    data-api \[?(\w+)`).FindAllStringSubmatch(section, -1) {
		listed[m[1]] = true
	}
	for _, c := range commands() {
		if !listed[c.name] {
			t.Errorf("README does not list %s", c.name)
		}
		delete(listed, c.name)
	}
	for name := range listed {
		t.Errorf("README lists %s, which is no command", name)
	}
}
