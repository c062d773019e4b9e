package server

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"dataapi/internal/hass"
)

// TestReadmeHeart holds the four blocks of README's "The heart in one look" to the code: the query, the
// signature, the handler, and the answer of a server that has the demo home.
func TestReadmeHeart(t *testing.T) {
	readme := readFile(t, "../README.md")
	_, heart, _ := strings.Cut(readme, "## The heart in one look")
	heart, _, _ = strings.Cut(heart, "\n## ")
	blocks := regexp.MustCompile("(?s)```\\w+\n(.*?)```").FindAllStringSubmatch(heart, -1)
	if len(blocks) != 4 {
		t.Fatalf("the heart has %d blocks, want 4", len(blocks))
	}
	for i, file := range []string{"../sql/queries/areas.sql", "../db/areas.sql.go", "areas.go"} {
		if block := strings.TrimSpace(blocks[i][1]); !strings.Contains(readFile(t, file), block) {
			t.Errorf("%s does not hold what README shows of it:\n%s", file, block)
		}
	}
	console := regexp.MustCompile(`\$ curl 'localhost:8006(\S+)'\n(.*)\n`).FindStringSubmatch(blocks[3][1])
	if console == nil {
		t.Fatalf("no curl and answer in:\n%s", blocks[3][1])
	}
	c := inFile(t)
	files, err := hass.ReadStorage("../testdata/demo-home")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hass.Import(context.Background(), c.db, files, hass.How{}); err != nil {
		t.Fatal(err)
	}
	if got, want := string(bytes.TrimSpace(c.get(console[1]).body)), console[2]; got != want {
		t.Errorf("GET %s\n got %s\nwant %s", console[1], got, want)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
