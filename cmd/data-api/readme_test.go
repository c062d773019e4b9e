package main

import (
	"maps"
	"regexp"
	"slices"
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
	there := map[string]bool{}
	for _, c := range commands() {
		word, _, _ := strings.Cut(c.name, " ")
		there[word] = true
	}
	if !maps.Equal(listed, there) {
		t.Errorf("README lists %v, and there are %v", slices.Sorted(maps.Keys(listed)), slices.Sorted(maps.Keys(there)))
	}
}
