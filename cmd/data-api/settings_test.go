package main

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/settings.md")

const settingsFile = "../../docs/settings.md"

// TestSettingsFile holds the tables of docs/settings.md to the settings that there are. -update writes them; what
// stands between a heading and its table, or after it, is written by hand and stays.
func TestSettingsFile(t *testing.T) {
	text, err := os.ReadFile(settingsFile)
	if err != nil {
		t.Fatal(err)
	}
	want := withTables(t, string(text))
	if *update {
		if err := os.WriteFile(settingsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Error("docs/settings.md is not what config.go says: run make settings")
	}
}

// tables are the groups of settings in order, and the table of each.
func tables() (groups []string, table map[string]string) {
	table = map[string]string{}
	for f := range reflect.TypeFor[config]().Fields() {
		if group := f.Tag.Get("group"); group != "" {
			groups = append(groups, group)
			table[group] = "| setting | default | what it is |\n| --- | --- | --- |\n"
		}
		value := f.Tag.Get("envDefault")
		if value != "" {
			value = "`" + value + "`"
		}
		table[groups[len(groups)-1]] += fmt.Sprintf("| `%s` | %s | %s |\n", f.Tag.Get("env"), value, f.Tag.Get("help"))
	}
	return groups, table
}

var tableLines = regexp.MustCompile(`(?m)(^\|.*\n)+`)

// withTables is the text with the table of each group under its heading.
func withTables(t *testing.T, text string) string {
	t.Helper()
	sections := regexp.MustCompile(`(?m)^## `).Split(text, -1)
	groups, table := tables()
	for i, section := range sections[1:] {
		heading, _, _ := strings.Cut(section, "\n")
		if i >= len(groups) || heading != groups[i] {
			t.Fatalf("docs/settings.md has %q as heading %d, and config.go the groups %q", heading, i+1, groups)
		}
		sections[i+1] = tableLines.ReplaceAllLiteralString(section, table[heading])
	}
	if len(sections)-1 != len(groups) {
		t.Fatalf("docs/settings.md has %d headings, and config.go the groups %q", len(sections)-1, groups)
	}
	return strings.Join(sections, "## ")
}

// A table that is not there cannot be held to anything, and neither can two.
func TestSettingsFileHasTables(t *testing.T) {
	text, err := os.ReadFile(settingsFile)
	if err != nil {
		t.Fatal(err)
	}
	groups, _ := tables()
	if n := len(tableLines.FindAllString(string(text), -1)); n != len(groups) {
		t.Errorf("docs/settings.md has %d tables for the groups %q", n, groups)
	}
	for _, name := range settingNames() {
		if n := strings.Count(string(text), "\n| `"+name+"` |"); n != 1 {
			t.Errorf("docs/settings.md has %s in %d tables", name, n)
		}
	}
}
