package docs

import (
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// picture is the diagram of architecture.md: the package of each box, and which boxes its arrows lead to.
type picture map[string][]string

var (
	boxes  = regexp.MustCompile(`(?m)^    (\w+)\["([\w/-]+)<br>`)
	arrows = regexp.MustCompile(`(?m)^    (\w+) --> (\w+)$`)
)

func drawn(t *testing.T) picture {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	names, p := map[string]string{}, picture{}
	for _, m := range boxes.FindAllStringSubmatch(string(text), -1) {
		names[m[1]], p[m[2]] = m[2], nil
	}
	for _, m := range arrows.FindAllStringSubmatch(string(text), -1) {
		from, to := names[m[1]], names[m[2]]
		if from == "" || to == "" {
			t.Fatalf("an arrow between boxes that are not there: %s", m[0])
		}
		p[from] = append(p[from], to)
	}
	return p
}

// box is the one that a package is in: its own, else that of the folder above it.
func (p picture) box(pkg string) string {
	for name := strings.TrimPrefix(pkg, "dataapi/"); name != ""; {
		if _, there := p[name]; there {
			return name
		}
		i := strings.LastIndex(name, "/")
		name = name[:max(i, 0)]
	}
	return ""
}

// reaches tells whether arrows lead from one box to another.
func (p picture) reaches(from, to string) bool {
	return slices.ContainsFunc(p[from], func(next string) bool { return next == to || p.reaches(next, to) })
}

// imports are those of the program's own packages, by boxes. Tests and tools do not count.
func (p picture) imports(t *testing.T) map[[2]string]bool {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "dataapi/cmd/data-api")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[[2]string]bool{}
	for line := range strings.Lines(string(out)) {
		ours := slices.DeleteFunc(strings.Fields(line), func(pkg string) bool { return !strings.HasPrefix(pkg, "dataapi/") })
		if !strings.HasPrefix(line, "dataapi/") {
			continue
		}
		from := p.box(ours[0])
		if from == "" {
			t.Errorf("architecture.md has no box for %s", ours[0])
		}
		for _, pkg := range ours[1:] {
			if to := p.box(pkg); to != from {
				all[[2]string{from, to}] = true
			}
		}
	}
	return all
}

// TestArchitecture holds the picture to the imports: each arrow is one, and each one follows arrows.
func TestArchitecture(t *testing.T) {
	p := drawn(t)
	imports := p.imports(t)
	if len(p) < 8 || len(imports) < len(p) {
		t.Fatalf("%d boxes, and imports %v", len(p), slices.Collect(maps.Keys(imports)))
	}
	for edge := range imports {
		if edge[0] != "" && edge[1] != "" && !p.reaches(edge[0], edge[1]) {
			t.Errorf("%s imports %s, and no arrows in architecture.md lead there", edge[0], edge[1])
		}
	}
	for from, next := range p {
		for _, to := range next {
			if !imports[[2]string{from, to}] {
				t.Errorf("architecture.md has an arrow from %s to %s, which it does not import", from, to)
			}
		}
	}
}
