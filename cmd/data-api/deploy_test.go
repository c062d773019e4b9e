package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"dataapi/server"
)

// What is under deploy/, the image and docker-compose.yml are parsed here and held to the program. No engine runs them.

// repository is where this project lies, also after a test has changed its working folder.
var repository, _ = filepath.Abs("../..")

func readText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readYAML reads a file into a value that has a member for each key that there may be.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(strings.NewReader(readText(t, name)))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// accepted holds an environment to the settings that there are, and returns what the program makes of it.
func accepted(t *testing.T, where string, environment map[string]string) config {
	t.Helper()
	inFolder(t, nil)
	var environ []string
	for name, value := range environment {
		if !slices.Contains(settingNames(), name) {
			t.Errorf("%s sets %s, which is no setting", where, name)
		}
		environ = append(environ, name+"="+value)
	}
	c, err := loadConfig(environ)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
	return c
}

// kept are the files of a configuration.
func (c config) kept() []string {
	return []string{c.database().Path, c.past().DB.Path, c.fileAt(c.WebhooksURL).Path}
}

// under fails where a file is not in a folder that is kept.
func under(t *testing.T, where, folder string, c config) {
	t.Helper()
	for _, file := range c.kept() {
		if path.Dir(file) != folder {
			t.Errorf("%s keeps %s, which is not in %s", where, file, folder)
		}
	}
}

// isCommand fails where a command line does not start the binary with a command that it has.
func isCommand(t *testing.T, where, binary string, line ...string) {
	t.Helper()
	if len(line) != 2 || line[0] != binary || !slices.ContainsFunc(commands(), func(c command) bool { return c.name == line[1] }) {
		t.Errorf("%s runs %q, which is no command of %s", where, line, binary)
	}
}

// isRoute fails where no route answers a GET of a path.
func isRoute(t *testing.T, where, path string) {
	t.Helper()
	for _, r := range server.New(server.Config{}).Routes() {
		if r.Method == "GET" && r.Path == path {
			return
		}
	}
	t.Errorf("%s asks for %s, which is no route", where, path)
}

// longer fails where a service is killed before it has ended by itself.
func longer(t *testing.T, where, grace string, c config) {
	t.Helper()
	if d, err := time.ParseDuration(grace); err != nil || d <= c.ShutdownTimeout {
		t.Errorf("%s kills after %q, and ending may take %s", where, grace, c.ShutdownTimeout)
	}
}

// image is what a Dockerfile says of the image that it makes last.
type image struct {
	copies      map[string]string // from what, and where to
	environment map[string]string
	said        map[string]string // the last of each other instruction
}

var lineEnds = regexp.MustCompile(`\\\n\s*`)

// readImage reads the instructions of the last stage.
func readImage(t *testing.T, name string) image {
	t.Helper()
	i := image{}
	for line := range strings.Lines(lineEnds.ReplaceAllString(readText(t, name), "")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "FROM":
			i = image{map[string]string{}, map[string]string{}, map[string]string{}}
		case "COPY":
			words := slices.DeleteFunc(strings.Fields(rest), func(w string) bool { return strings.HasPrefix(w, "--") })
			i.copies[words[0]] = words[1]
		case "ENV":
			for _, word := range strings.Fields(rest) {
				name, value, _ := strings.Cut(word, "=")
				i.environment[name] = value
			}
		case "", "#":
			continue
		}
		i.said[instruction] = rest
	}
	return i
}

// run holds the commands of an image to those of the binary that is copied into it.
func (i image) run(t *testing.T, where, binary string) {
	t.Helper()
	words := func(instruction string) []string {
		_, list, _ := strings.Cut(i.said[instruction], "[")
		return strings.Fields(strings.NewReplacer("]", "", `"`, "", ",", " ").Replace(list))
	}
	isCommand(t, where, binary, append(words("ENTRYPOINT"), words("CMD")...)...)
	isCommand(t, where, binary, words("HEALTHCHECK")...)
	if !slices.Contains([]string{i.copies["/out/data-api"], i.copies["data-api-${BUILD_ARCH}"]}, binary) {
		t.Errorf("%s copies %q, and not to %s", where, i.copies, binary)
	}
	if i.said["EXPOSE"] != "8006" || i.environment["DATA_API_PORT"] != "" {
		t.Errorf("%s exposes %s", where, i.said["EXPOSE"])
	}
}

func TestDockerfile(t *testing.T) {
	i := readImage(t, "Dockerfile")
	under(t, "Dockerfile", i.said["VOLUME"], accepted(t, "Dockerfile", i.environment))
	i.run(t, "Dockerfile", "/data-api")
	if user := i.said["USER"]; !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("the image runs as %q", user)
	}
	if i.said["FROM"] != "scratch" {
		t.Errorf("the image is from %s", i.said["FROM"])
	}
	text := readText(t, "Dockerfile")
	for _, variable := range regexp.MustCompile(`-X main\.(\w+)=`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`(?m)^var .*\b` + variable[1] + `\b.* = `).MatchString(readText(t, "cmd/data-api/main.go")) {
			t.Errorf("Dockerfile sets main.%s, which is not there", variable[1])
		}
	}
}
