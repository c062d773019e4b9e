package main

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// compose is what docker-compose.yml may say.
type compose struct {
	Services map[string]service
	Volumes  map[string]any
	Networks map[string]struct {
		IPAM struct {
			Config []struct {
				Subnet, Gateway netipText
				IPRange         netipText `yaml:"ip_range"`
			}
		} `yaml:"ipam"`
	}
}

// netipText is an address or a network.
type netipText string

func (n netipText) prefix(t *testing.T) netip.Prefix {
	t.Helper()
	p, err := netip.ParsePrefix(string(n))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What compose trusts is where containers get their addresses, and not the gateway, from which outsiders come.
func TestComposeTrustsContainersAlone(t *testing.T) {
	all := readCompose(t)
	trusted := accepted(t, "docker-compose.yml", filled(all.Services["data-api"].Environment)).trusted()
	network := all.Networks["default"].IPAM.Config[0]
	gateway, err := netip.ParseAddr(string(network.Gateway))
	if err != nil || len(trusted) != 1 || trusted[0] != network.IPRange.prefix(t) || trusted[0].Contains(gateway) ||
		!network.Subnet.prefix(t).Contains(gateway) || !network.Subnet.prefix(t).Contains(trusted[0].Addr()) {
		t.Errorf("trusted is %v, the network %+v, %v", trusted, network, err)
	}
}

type service struct {
	Build, Image, Restart, User string
	Command, Profiles           []string
	Ports, Volumes, Tmpfs       []string
	Environment                 map[string]string
	StopGracePeriod             string   `yaml:"stop_grace_period"`
	ReadOnly                    bool     `yaml:"read_only"`
	SecurityOpt                 []string `yaml:"security_opt"`
	CapDrop                     []string `yaml:"cap_drop"`
	Healthcheck                 struct {
		Test              []string
		Interval, Timeout string
		StartPeriod       string `yaml:"start_period"`
	}
}

var variable = regexp.MustCompile(`\$\{(\w+):?-([^}]*)\}`)

// filled is an environment with the defaults of its variables.
func filled(environment map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range environment {
		all[name] = variable.ReplaceAllString(value, "$2")
	}
	return all
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	readYAML(t, "docker-compose.yml", &c)
	return c
}

func TestCompose(t *testing.T) {
	all := readCompose(t)
	s := all.Services["data-api"]
	c := accepted(t, "docker-compose.yml", filled(s.Environment))
	under(t, "docker-compose.yml", "/data", c)
	longer(t, "docker-compose.yml", s.StopGracePeriod, c)
	isCommand(t, "docker-compose.yml", "/data-api", s.Healthcheck.Test[1:]...)
	for name, value := range s.Environment {
		for _, m := range variable.FindAllStringSubmatch(value, -1) {
			if m[1] != name {
				t.Errorf("%s comes from %s", name, m[1])
			}
		}
	}
	if s.Build != "." || !s.ReadOnly || !slices.Contains(s.Tmpfs, "/tmp") || !slices.Contains(s.CapDrop, "ALL") ||
		!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || !slices.Equal(s.Ports, []string{"127.0.0.1:8006:8006"}) {
		t.Errorf("%+v", s)
	}
}

// Each volume that a service has is declared, and each port is open on this machine only.
func TestComposeVolumes(t *testing.T) {
	all, used := readCompose(t), map[string]bool{}
	for name, s := range all.Services {
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s opens %s", name, port)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(from, "./") {
				readText(t, from)
				continue
			}
			if _, declared := all.Volumes[from]; !declared {
				t.Errorf("%s has the volume %s, which is not declared", name, from)
			}
			used[from] = true
		}
	}
	for name := range all.Volumes {
		if !used[name] {
			t.Errorf("nobody has the volume %s", name)
		}
	}
}

// litestream is what deploy/litestream.yml may say.
type litestream struct {
	DBs []struct {
		Path     string
		Interval string `yaml:"checkpoint-interval"`
		Pages    int    `yaml:"min-checkpoint-page-count"`
		Replica  struct{ Type, Path string }
	} `yaml:"dbs"`
}

// Litestream copies what data-api keeps, as the user that owns it.
func TestLitestream(t *testing.T) {
	all := readCompose(t)
	s, ours := all.Services["litestream"], all.Services["data-api"]
	c := accepted(t, "docker-compose.yml", filled(ours.Environment))
	var l litestream
	readYAML(t, "deploy/litestream.yml", &l)
	var copied []string
	for _, db := range l.DBs {
		copied = append(copied, db.Path)
		if !strings.HasPrefix(db.Replica.Path, "/replica/") || db.Interval != "1h" || db.Pages < 10000 {
			t.Errorf("%+v", db)
		}
	}
	if want := []string{c.database().Path, c.past().DB.Path}; !slices.Equal(copied, want) {
		t.Errorf("it copies %q, want %q", copied, want)
	}
	if !slices.Contains(s.Volumes, ours.Volumes[0]) || s.User != readImage(t, "Dockerfile").said["USER"] || !slices.Equal(s.Profiles, []string{"litestream"}) {
		t.Errorf("%+v", s)
	}
}
