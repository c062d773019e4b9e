package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"dataapi/server"
)

var (
	named      = regexp.MustCompile("`(?:([A-Z]+) )?(/[^`?]*)[^`]*`")
	parameters = regexp.MustCompile(`\{\w+\}`)
)

// routesOf holds the routes that are named in a cell of a table to those that there are, and counts them. A method
// holds for those after it, too; an ellipsis stands for what a path goes on with.
func routesOf(t *testing.T, cell string) (n int) {
	t.Helper()
	method := "GET"
	for _, m := range named.FindAllStringSubmatch(cell, -1) {
		if m[1] != "" {
			method = m[1]
		}
		n++
		want, more := strings.CutSuffix(parameters.ReplaceAllString(m[2], "{}"), "…")
		found := false
		for _, r := range server.New(server.Config{}).Routes() {
			path := parameters.ReplaceAllString(r.Path, "{}")
			found = found || path == want && r.Method == method || more && strings.HasPrefix(path, want)
		}
		if !found {
			t.Errorf("%s %s is no route", method, m[2])
		}
	}
	return n
}

// TestMoving holds the table for those who move to the routes: what is the same is there, and so is what there is
// instead.
func TestMoving(t *testing.T) {
	text, err := os.ReadFile("moving.md")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || strings.Contains(cells[1], "not served") {
			continue
		}
		if strings.HasPrefix(cells[1], "the same") {
			named += routesOf(t, cells[0])
		}
		if _, instead, also := strings.Cut(cells[1], ", or "); also {
			cells[1] = strings.ReplaceAll(instead, "`/", "`GET /")
		}
		named += routesOf(t, cells[1])
	}
	if named < 25 {
		t.Errorf("only %d routes are named", named)
	}
}
