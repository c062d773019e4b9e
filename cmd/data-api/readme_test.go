package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeSettings holds README's table of settings to the program's: names and defaults, both ways.
func TestReadmeSettings(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Settings")
	section, _, _ = strings.Cut(section, "\n## ")
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| (?:`([^`]*)`)? ?\\|").FindAllStringSubmatch(section, -1) {
		documented[m[1]] = m[2]
	}
	settings := reflect.TypeFor[config]()
	for i := range settings.NumField() {
		tag := settings.Field(i).Tag
		value, ok := documented[tag.Get("env")]
		if !ok {
			t.Errorf("README does not mention %s", tag.Get("env"))
		} else if value != tag.Get("envDefault") {
			t.Errorf("README says that %s is %q, and it is %q", tag.Get("env"), value, tag.Get("envDefault"))
		}
		delete(documented, tag.Get("env"))
	}
	for name := range documented {
		t.Errorf("README mentions %s, which is no setting", name)
	}
}
