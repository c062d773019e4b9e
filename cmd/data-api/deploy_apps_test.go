package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// app is what the config.yaml of a Home Assistant app may say, of that which ours says.
type app struct {
	Name, Version, Slug, Description string
	Arch                             []string
	Startup, Boot, Stage, Backup     string
	BackupExclude                    []string `yaml:"backup_exclude"`
	Init, Tmpfs                      bool
	Timeout                          int
	Watchdog                         string
	Ports                            map[string]*int
	Map                              []struct {
		Type     string
		ReadOnly bool `yaml:"read_only"`
		Path     string
	}
	Options map[string]any
	Schema  map[string]string
}

func readApp(t *testing.T) app {
	t.Helper()
	var a app
	readYAML(t, "deploy/homeassistant/config.yaml", &a)
	return a
}

// with is what the program makes of options that a user has chosen, in the image of the app.
func (a app) with(t *testing.T, where string, options map[string]any) config {
	t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "options.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	environment := readImage(t, "deploy/homeassistant/Dockerfile").environment
	if environment[optionsSetting] != "/data/options.json" {
		t.Errorf("options come from %s", environment[optionsSetting])
	}
	environment[optionsSetting] = file
	return accepted(t, where, environment)
}

func TestHomeAssistantApp(t *testing.T) {
	a := readApp(t)
	c := a.with(t, "config.yaml", a.Options)
	under(t, "the app", "/data", c)
	longer(t, "the app", strconv.Itoa(a.Timeout)+"s", c)
	readImage(t, "deploy/homeassistant/Dockerfile").run(t, "the app's Dockerfile", "/data-api")
	isRoute(t, "the watchdog", strings.TrimPrefix(a.Watchdog, "http://[HOST]:[PORT:8006]"))
	if len(a.Map) != 1 || a.Map[0].Type != "homeassistant_config" || !a.Map[0].ReadOnly || c.HassStorage != a.Map[0].Path+"/.storage" {
		t.Errorf("it follows %s, and has %+v", c.HassStorage, a.Map)
	}
	if port, there := a.Ports["8006/tcp"]; !there || port != nil || len(a.Ports) != 1 {
		t.Errorf("ports: %v", a.Ports)
	}
	if !slices.Equal(a.Arch, []string{"amd64", "aarch64"}) || a.Backup != "cold" || a.Init {
		t.Errorf("%+v", a)
	}
}

// Whatever the schema lets a user choose is a setting that takes it; what is set by the image is none of theirs.
func TestHomeAssistantOptions(t *testing.T) {
	a := readApp(t)
	fixed := readImage(t, "deploy/homeassistant/Dockerfile").environment
	for option := range a.Options {
		if _, there := a.Schema[option]; !there {
			t.Errorf("the option %s is not in the schema", option)
		}
	}
	for option, kind := range a.Schema {
		if _, there := fixed[strings.ToUpper(option)]; there {
			t.Errorf("the image sets %s, so that the option does nothing", option)
		}
		for _, value := range choices(t, strings.ToUpper(option), kind) {
			a.with(t, option, map[string]any{option: value})
		}
	}
}

var kinds = regexp.MustCompile(`^(str|password|url|int|list)(?:\((.*)\))?\??$`)

// choices are values that a kind of option lets through.
func choices(t *testing.T, name, kind string) (values []any) {
	t.Helper()
	m := kinds.FindStringSubmatch(kind)
	switch {
	case m == nil:
		t.Fatalf("%s is %s", name, kind)
	case m[1] == "list":
		for _, value := range strings.Split(m[2], "|") {
			values = append(values, value)
		}
	case m[1] == "int":
		values = append(values, 2000)
	case m[1] == "url":
		values = append(values, "http://a0d7b954-influxdb:8086")
	case m[1] == "password":
		values = append(values, "s3cret")
	case strings.HasSuffix(name, "_RETENTION"):
		values = append(values, "60d", "20y")
	case strings.HasSuffix(name, "_INTERVAL"):
		values = append(values, "0", "7d")
	case strings.HasSuffix(name, "_CIDRS"), strings.HasSuffix(name, "_NETWORKS"):
		values = append(values, "10.0.0.0/8, 192.168.1.0/24")
	default:
		values = append(values, "", "home")
	}
	return values
}

// The pages of the app name each option that there is, and none that is not.
func TestHomeAssistantDocs(t *testing.T) {
	a, docs := readApp(t), readText(t, "deploy/homeassistant/DOCS.md")
	_, section, _ := strings.Cut(docs, "## Options")
	section, _, _ = strings.Cut(section, "\n## ")
	named := regexp.MustCompile("`([a-z]+_[a-z_]*)(…?)`").FindAllStringSubmatch(section, -1)
	for option := range a.Schema {
		if !slices.ContainsFunc(named, func(m []string) bool { return m[1] == option || m[2] != "" && strings.HasPrefix(option, m[1]) }) {
			t.Errorf("DOCS.md does not tell of %s", option)
		}
	}
	for _, m := range named {
		if _, there := a.Schema[m[1]]; !there && m[2] == "" {
			t.Errorf("DOCS.md tells of %s, which is no option", m[1])
		}
	}
	var translations struct {
		Configuration map[string]struct{ Name, Description string }
		Network       map[string]string
	}
	readYAML(t, "deploy/homeassistant/translations/en.yaml", &translations)
	for option := range translations.Configuration {
		if _, there := a.Schema[option]; !there {
			t.Errorf("en.yaml names %s, which is no option", option)
		}
	}
	for port := range translations.Network {
		if _, there := a.Ports[port]; !there {
			t.Errorf("en.yaml names the port %s", port)
		}
	}
	if changes := readText(t, "deploy/homeassistant/CHANGELOG.md"); !strings.Contains(changes, "## "+a.Version+"\n") {
		t.Errorf("CHANGELOG.md does not tell of %s", a.Version)
	}
}

// The unit starts a command that there is with settings that there are, and keeps its files in its own folder.
func TestSystemdUnit(t *testing.T) {
	said := map[string][]string{}
	for line := range strings.Lines(readText(t, "deploy/systemd/data-api.service")) {
		if name, value, is := strings.Cut(strings.TrimSpace(line), "="); is && !strings.HasPrefix(name, "#") {
			said[name] = append(said[name], value)
		}
	}
	environment := map[string]string{}
	for _, pair := range said["Environment"] {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
	}
	c := accepted(t, "the unit", environment)
	under(t, "the unit", "/var/lib/"+said["StateDirectory"][0], c)
	longer(t, "the unit", said["TimeoutStopSec"][0]+"s", c)
	isCommand(t, "the unit", "/usr/local/bin/data-api", strings.Fields(said["ExecStart"][0])...)
	for name, want := range map[string]string{
		"DynamicUser": "yes", "ProtectSystem": "strict", "NoNewPrivileges": "yes", "CapabilityBoundingSet": "",
		"WorkingDirectory": "/var/lib/data-api", "StateDirectoryMode": "0700", "Type": "exec",
	} {
		if got := strings.Join(said[name], " "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
