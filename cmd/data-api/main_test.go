package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
	"dataapi/server"
)

// demo is the demo home, from wherever a test has gone.
var demo = func() string {
	path, err := filepath.Abs("../../testdata/demo-home")
	if err != nil {
		panic(err)
	}
	return path
}()

// call runs a command line in the working folder.
func call(t *testing.T, args ...string) (out, errOut string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = run(t.Context(), args, &o, &e)
	return o.String(), e.String(), err
}

func TestUsage(t *testing.T) {
	inFolder(t, nil)
	for _, c := range []struct {
		args string
		want string // of what is written to standard error
	}{
		{"nonsense", `data-api: there is no command "nonsense"`},
		{"Serve", `data-api: there is no command "Serve"`},
		{"nonsense --help", `data-api: there is no command "nonsense"`},
		{"import", "data-api import: an argument is missing\nUsage: data-api import [--dry-run] [--force] PATH…\n"},
		{"import --dry-run", "data-api import: an argument is missing\n"},
		{"import --hard x", "data-api import: flag provided but not defined: -hard\nUsage: data-api import [--dry-run] [--force] PATH…\n"},
		{"serve now", `data-api serve: "now" is one argument too many` + "\nUsage: data-api serve\n"},
		{"migrate up", `data-api migrate: "up" is one argument too many`},
		{"routes x y", `data-api routes: "x" is one argument too many`},
		{"version 1", `data-api version: "1" is one argument too many`},
		{"healthcheck now", `data-api healthcheck: "now" is one argument too many`},
		{"-p 8080", "data-api serve: flag provided but not defined: -p"},
	} {
		out, errOut, err := call(t, strings.Fields(c.args)...)
		if !errors.Is(err, errUsage) || out != "" || !strings.HasPrefix(errOut, c.want) {
			t.Errorf("%s: %v\n%s%s\nwant %s", c.args, err, out, errOut, c.want)
		}
	}
	if _, errOut, err := call(t, ""); !errors.Is(err, errUsage) || errOut == "" {
		t.Errorf("an empty argument: %v, %s", err, errOut)
	}
	if files, _ := os.ReadDir("."); len(files) > 0 {
		t.Errorf("wrong usage made %s", files[0].Name())
	}
}

func TestHelp(t *testing.T) {
	inFolder(t, map[string]string{".env": "DATA_API_PORT=nonsense"}) // help helps against this, too
	for _, word := range []string{"help", "-h", "-help", "--help"} {
		out, errOut, err := call(t, word)
		if err != nil || errOut != "" {
			t.Errorf("%s: %v, %s", word, err, errOut)
		}
		for _, c := range commands() {
			if !strings.Contains(out, "  "+c.usage+" ") || !strings.Contains(out, c.about) {
				t.Errorf("%s does not tell of %s", word, c.name)
			}
		}
		for _, name := range settingNames() {
			if !strings.Contains(out, "\n  "+name+" ") {
				t.Errorf("%s does not tell of %s", word, name)
			}
		}
	}
	for _, c := range commands() {
		out, errOut, err := call(t, c.name, "--help")
		if err != nil || errOut != "" || !strings.HasPrefix(out, "Usage: data-api "+c.usage+"\n\n"+c.about+".\n") || !strings.Contains(out, "DATABASE_URL") {
			t.Errorf("%s --help: %v, %s\n%s", c.name, err, errOut, out)
		}
	}
}

// Bad settings stop what would act on them, and nothing else.
func TestBadSettings(t *testing.T) {
	for _, bad := range []string{"LOG_FORMAT=xml", "DATABASE_URL=postgres://x", "DATA_API_PORT=x"} {
		inFolder(t, map[string]string{".env": bad})
		name, _, _ := strings.Cut(bad, "=")
		for _, c := range commands() {
			out, _, err := call(t, []string{c.name, demo}[:1+c.minArgs]...)
			switch harmless := c.name == "version" || c.name == "routes"; {
			case harmless && (err != nil || out == ""):
				t.Errorf("%s with %s: %v, %q", c.name, bad, err, out)
			case !harmless && (err == nil || !strings.Contains(err.Error(), name)):
				t.Errorf("%s with %s: %v", c.name, bad, err)
			}
			if out, _, err := call(t, c.name, "--help"); err != nil || !strings.HasPrefix(out, "Usage: ") {
				t.Errorf("%s --help with %s: %v, %q", c.name, bad, err, out)
			}
		}
	}
}

func TestVersionCommand(t *testing.T) {
	inFolder(t, nil)
	defer func(before string) { commit = before }(commit)
	for linked, want := range map[string]string{"": "data-api dev\n", "0123abc": "data-api dev (0123abc)\n"} {
		commit = linked
		if out, _, err := call(t, "version"); err != nil || out != want {
			t.Errorf("%q, %v; want %q", out, err, want)
		}
	}
}

// routes lists what the server answers to, a line each.
func TestRoutesCommand(t *testing.T) {
	inFolder(t, nil)
	out, _, err := call(t, "routes")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	routes := server.New(server.Config{}).Routes()
	if len(lines) != len(routes) {
		t.Fatalf("%d lines for %d routes", len(lines), len(routes))
	}
	for i, r := range routes {
		if want := []string{r.Method, r.Path, r.Scope, "->", r.Handler, "->", r.SQL}; strings.Join(strings.Fields(lines[i]), " ") != strings.Join(want, " ") {
			t.Errorf("%q, want %q", lines[i], want)
		}
		if r.SQL != "-" {
			if _, err := os.Stat(filepath.Join(demo, "../..", r.SQL)); err != nil {
				t.Errorf("%s: %v", r.Path, err)
			}
		}
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("routes made a database")
	}
}

func TestMigrateCommand(t *testing.T) {
	inFolder(t, map[string]string{".env": "DATABASE_URL=sqlite:new/folder/metadata.db"})
	first, _, err := call(t, "migrate")
	if err != nil || !regexp.MustCompile(`^new/folder/metadata\.db is at \d{14}\n$`).MatchString(first) {
		t.Fatalf("%q, %v", first, err)
	}
	if again, _, err := call(t, "migrate"); err != nil || again != first {
		t.Errorf("again: %q, %v; first %q", again, err, first)
	}
	if _, err := os.Stat("new/folder/metadata.db-wal"); err == nil {
		t.Error("a log was left behind")
	}
	writeFile(t, "new/folder/metadata.db", "this is no database, but text that is long enough to be read as one "+strings.Repeat("x", 4096))
	if out, _, err := call(t, "migrate"); !errors.Is(err, db.ErrUnavailable) || out != "" {
		t.Errorf("over garbage: %q, %v", out, err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// counted is what import says of the demo home.
func counted(created, unchanged bool) string {
	var text strings.Builder
	for _, r := range []struct {
		kind, file string
		n          int
	}{
		{"floors", "core.floor_registry", 3}, {"labels", "core.label_registry", 5}, {"areas", "core.area_registry", 12},
		{"config_entries", "core.config_entries", 16}, {"devices", "core.device_registry", 62}, {"entities", "core.entity_registry", 490},
	} {
		n := map[bool]int{true: r.n}
		fmt.Fprintf(&text, "%-15s %5d created  %5d updated  %5d unchanged  %5d deleted  %5d rejected   %s\n", r.kind, n[created], 0, n[unchanged], 0, 0, filepath.Join(demo, r.file))
	}
	fmt.Fprintf(&text, "%-15s %5d unresolved: %s\n", "config_entries", 1, "01M1D47Z00HM29012NA28RRY2Z")
	fmt.Fprintf(&text, "%-15s %5d unresolved: %s\n", "devices", 3,
		"13502e1adb521aace079dd6063a2f4fd, 1a04d1d313e8a5d58c31381f3374edd3, 831e0b4c70e412029ca38484e41d6596")
	return text.String()
}

func TestImportCommand(t *testing.T) {
	inFolder(t, nil)
	for n, want := range []string{counted(true, false), counted(false, true)} {
		if out, errOut, err := call(t, "import", demo); err != nil || errOut != "" || out != want {
			t.Errorf("time %d: %v %s\n%swant\n%s", n, err, errOut, out, want)
		}
	}
}

// What is rejected is named, with where it is and why; an entry with two bad members is one entry.
func TestImportCommandTellsWhatIsRejected(t *testing.T) {
	inFolder(t, map[string]string{"core.area_registry": `{"version":1,"key":"core.area_registry","data":{"areas":[
		{"id":"a"}, {"id":"b","icon":1,"labels":"x"}, {"name":"c"}, "d"]}}`})
	out, _, err := call(t, "import", "core.area_registry")
	want := "areas               1 created      0 updated      0 unchanged      0 deleted      3 rejected   core.area_registry\n" +
		"  rejected #1 b: icon must be a string or null\n" +
		"  rejected #1 b: labels must be a list or null\n" +
		"  rejected #2: area_id is missing\n" +
		"  rejected #3 must be an object\n"
	if err != nil || out != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}

// A folder is the whole home: what it does not hold is removed, but not most of what there is unless that
// is asked for.
func TestImportCommandOfAnotherHome(t *testing.T) {
	inFolder(t, map[string]string{"core.area_registry": `{"version":1,"key":"core.area_registry","data":{"areas":[{"id":"kitchen","floor_id":"loft"}]}}`})
	if _, _, err := call(t, "import", demo); err != nil {
		t.Fatal(err)
	}
	out, _, err := call(t, "import", ".")
	if want := "nothing was imported: this would remove 11 of 12 areas; --force does it"; err == nil || err.Error() != want || out != "" {
		t.Errorf("%v, %q; want %s", err, out, want)
	}
	want := "areas               0 created      1 updated      0 unchanged     11 deleted      0 rejected   core.area_registry\n" +
		"  deleted bedroom, diadromos, fenetre_sud, garazh, ke_ting and 6 more\n" +
		"config_entries      1 unresolved: 01M1D47Z00HM29012NA28RRY2Z\n" +
		"devices             3 unresolved: 13502e1adb521aace079dd6063a2f4fd, 1a04d1d313e8a5d58c31381f3374edd3, 831e0b4c70e412029ca38484e41d6596\n" +
		"floors              1 unresolved: loft\n"
	const dry = "This was a dry run: nothing was stored.\n"
	for _, args := range []string{"import --force --dry-run .", "import --force ."} {
		out, _, err := call(t, strings.Fields(args)...)
		if err != nil || strings.TrimSuffix(out, dry) != want || strings.HasSuffix(out, dry) != strings.Contains(args, "dry") {
			t.Errorf("%s: %v\n%s\nwant\n%s", args, err, out, want)
		}
	}
}

// A file that cannot be taken is named before anything is done.
func TestImportCommandRefuses(t *testing.T) {
	inFolder(t, map[string]string{"broken": `{"version":1,`, "other": `{"version":1,"key":"auth","data":{}}`})
	for path, want := range map[string]string{
		"nothing": "stat nothing: no such file or directory",
		"broken":  "broken: not a Home Assistant registry file: broken JSON at byte 13 of 13",
		"other":   `other: not a Home Assistant registry file: its key is "auth"`,
		".":       ".: not a Home Assistant registry file: the folder holds none (core.device_registry, …)",
	} {
		out, _, err := call(t, "import", demo, path)
		if err == nil || err.Error() != want || out != "" {
			t.Errorf("%s: %v, %q; want %s", path, err, out, want)
		}
	}
	if _, err := os.Stat("data"); err == nil {
		t.Error("a database was made for nothing")
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	say := progress(&out)
	f := hass.Storage{Kind: hass.Devices, Batch: make(hass.Batch, 9000)}
	say(f, 1000)
	if out.Len() > 0 {
		t.Errorf("a short import is talkative: %s", out.String())
	}
	time.Sleep(2100 * time.Millisecond)
	say(f, 2000)
	say(f, 3000)
	if got, want := out.String(), "devices: 2000 of 9000\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// healthcheck asks /readyz where the service listens.
func TestHealthcheckCommand(t *testing.T) {
	inFolder(t, nil)
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s", r.URL)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "because")
	}))
	defer s.Close()
	address, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DATA_API_PORT", address.Port())
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "::", "localhost"} {
		t.Setenv("DATA_API_HOST", host)
		status = http.StatusOK
		if out, _, err := call(t, "healthcheck"); err != nil || out != "ready\n" {
			t.Errorf("%s: %q, %v", host, out, err)
		}
		status = http.StatusServiceUnavailable
		if out, _, err := call(t, "healthcheck"); err == nil || err.Error() != "not ready: because" || out != "" {
			t.Errorf("%s: %q, %v", host, out, err)
		}
	}
	status = http.StatusOK
	t.Setenv("DATA_API_HOST", "nothing.invalid") // a name is asked by itself, not this machine
	if out, _, err := call(t, "healthcheck"); err == nil || out != "" {
		t.Errorf("a host that is not there: %q, %v", out, err)
	}
	s.Close()
	t.Setenv("DATA_API_HOST", "127.0.0.1")
	if out, _, err := call(t, "healthcheck"); err == nil || out != "" {
		t.Errorf("nobody listens: %q, %v", out, err)
	}
}
