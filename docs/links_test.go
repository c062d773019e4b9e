// Package docs holds the documents of data-api to the program that they speak of, and to each other.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are all that people read, relative to this folder.
func documents(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"../*.md", "*.md", "../deploy/*/*.md", "../testdata/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 10 {
		t.Fatalf("only %q", files)
	}
	return files
}

var (
	fences = regexp.MustCompile("(?ms)^```.*?^```$")
	links  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	titles = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// Each link to something of the project leads there: the file exists, and has the heading.
func TestLinks(t *testing.T) {
	followed := 0
	for _, file := range documents(t) {
		for _, m := range links.FindAllStringSubmatch(prose(t, file), -1) {
			path, heading, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			followed++
			target := filepath.Join(filepath.Dir(file), path)
			if path == "" {
				target = file
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if heading != "" && !anchors(t, target)[heading] {
				t.Errorf("%s links to %s, and there is no such heading", file, m[1])
			}
		}
	}
	if followed < 20 {
		t.Errorf("only %d links", followed)
	}
}

// Each document under docs/ is reached from README.
func TestReadmeLeadsToAll(t *testing.T) {
	readme := prose(t, "../README.md")
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.Contains(readme, "](docs/"+file+")") {
			t.Errorf("README does not link to docs/%s", file)
		}
	}
}

// prose is a document without its blocks of code.
func prose(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return fences.ReplaceAllString(string(text), "")
}

var punctuation = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are what headings are linked by, as code hosting sites make them.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, m := range titles.FindAllStringSubmatch(prose(t, file), -1) {
		name := punctuation.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}
