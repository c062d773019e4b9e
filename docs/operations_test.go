package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReasons holds the table of operations.md to the reasons that /health gives for a file, both ways.
func TestReasons(t *testing.T) {
	code, err := os.ReadFile("../db/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(code), "// The causes that are told apart.\nconst (")
	block, _, _ = strings.Cut(block, "\n)")
	reasons := map[string]bool{}
	for _, m := range regexp.MustCompile(`Reason = "(\w+)"`).FindAllStringSubmatch(block, -1) {
		reasons[m[1]] = true
	}
	if len(reasons) < 5 {
		t.Fatalf("reasons: %v", reasons)
	}
	text, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| reason |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(table, -1) {
		if !reasons[m[1]] {
			t.Errorf("operations.md tells of %s, which is no reason", m[1])
		}
		delete(reasons, m[1])
	}
	for reason := range reasons {
		t.Errorf("operations.md does not tell of %s", reason)
	}
}
