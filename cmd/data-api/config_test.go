package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// inFolder makes the working folder a new one with these files, and the environment one without settings.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range settingNames() {
		t.Setenv(name, "") // puts it back after the test
		os.Unsetenv(name)
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDefaults(t *testing.T) {
	inFolder(t, nil)
	got, err := loadConfig(nil)
	want := config{
		DatabaseURL: "sqlite:data/metadata.db", HistoryURL: "sqlite:data/history.db", WebhooksURL: "sqlite:data/webhooks.db", SQLiteTimeout: 30, SQLiteCacheSize: -64000, SQLiteSynchronous: "NORMAL",
		Host: "127.0.0.1", Port: 8006, MaxBodyBytes: 64 << 20, ChangesRetention: retention(90 * 24 * time.Hour),
		HistoryRetention: retention(30 * 24 * time.Hour), HistoryHours: retention(3650 * 24 * time.Hour), ResponseCache: "on", ClientRequests: 128, QueryTimeout: time.Minute, ShutdownTimeout: 10 * time.Second, InfluxSpillMax: 5_000_000,
		BackupInterval: retention(24 * time.Hour), BackupKeep: 3, LogLevel: slog.LevelInfo, LogFormat: "text",
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if d := got.database(); d.Path != "data/metadata.db" || d.Timeout != 30*time.Second || d.CacheSize != -64000 || d.Synchronous != "NORMAL" {
		t.Errorf("the database is opened with %+v", d)
	}
}

// The environment comes before .env.local, and that before .env.
func TestPrecedence(t *testing.T) {
	const port = "DATA_API_PORT="
	for _, c := range []struct {
		dotEnv, local string
		environ       []string
		want          uint16
	}{
		{"", "", nil, 8006},
		{port + "1", "", nil, 1},
		{"", port + "2", nil, 2},
		{port + "1", port + "2", nil, 2},
		{port + "1", "", []string{port + "3"}, 3},
		{port + "1", port + "2", []string{port + "3"}, 3},
		{port + "1", port + "2", []string{"OTHER=3"}, 2},
		{port + "1\n" + port + "4", "# " + port + "2", nil, 4},
		{port + `"1"`, "export " + port + "'2'", nil, 2},
		{port + "1", "", []string{port}, 8006}, // empty stands for the default
	} {
		inFolder(t, map[string]string{".env": c.dotEnv, ".env.local": c.local})
		if got, err := loadConfig(c.environ); err != nil || got.Port != c.want {
			t.Errorf("%q, %q, %q: %d, %v; want %d", c.dotEnv, c.local, c.environ, got.Port, err, c.want)
		}
	}
}

// The real environment is what run gives to loadConfig, not something that a file has set before.
func TestFilesDoNotChangeTheEnvironment(t *testing.T) {
	inFolder(t, map[string]string{".env": "DATA_API_PORT=77\nDATA_API_TEST_ONLY=1"})
	if _, err := loadConfig(os.Environ()); err != nil {
		t.Fatal(err)
	}
	if value, set := os.LookupEnv("DATA_API_TEST_ONLY"); set {
		t.Errorf("it is set to %q", value)
	}
}

// Settings of dbmate lie beside ours, and are none of our business.
func TestDotEnvOfTheRepository(t *testing.T) {
	text, err := os.ReadFile("../../dbmate.env")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, map[string]string{".env": string(text)})
	if c, err := loadConfig(nil); err != nil || c.DatabaseURL != "sqlite:data/metadata.db" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestGoodValues(t *testing.T) {
	inFolder(t, nil)
	for name, values := range map[string][]string{
		"DATABASE_URL":             {"sqlite:x.db", "sqlite:/abs/x.db", "sqlite:///abs/x.db", "sqlite:x.db?mode=rwc", "sqlite+aiosqlite:///data/metadata.db", "sqlite::memory:"},
		"HISTORY_DATABASE_URL":     {"sqlite:x.db", "sqlite:/abs/x.db", "sqlite::memory:"},
		"WEBHOOKS_DATABASE_URL":    {"sqlite:x.db", "sqlite:/abs/x.db", "sqlite::memory:"},
		"WEBHOOK_ALLOW_CIDRS":      {"127.0.0.0/8", "127.0.0.1, ::1", ""},
		"WEBHOOK_DENY_CIDRS":       {"10.0.0.0/8,192.168.1.1"},
		"HISTORY_RETENTION":        {"0", "36h", "30d", "1y6d12h"},
		"HISTORY_HOURLY_RETENTION": {"0", "1d", "100y"},
		"SQLITE_TIMEOUT":           {"0", "0.5", "3600"},
		"SQLITE_CACHE_SIZE":        {"0", "2000", "-1"},
		"SQLITE_SYNCHRONOUS":       {"full", "NORMAL", "Extra", "off"},
		"DATA_API_HOST":            {"0.0.0.0", "::1", "localhost"},
		"DATA_API_PORT":            {"0", "65535"},
		"ENABLE_AUTH":              {"true", "false", "True", "FALSE", ""},
		"API_KEY":                  {"x", ""},
		"TRUSTED_NETWORKS":         {"172.31.86.128/25", "10.0.0.7, fd00::/8", ""},
		"MAX_BODY_BYTES":           {"1", "1099511627776"},
		"CORS_ORIGINS":             {"*", "https://home.example, http://localhost:5173", "HTTPS://Home.example:8443", ""},
		"TRUSTED_PROXIES":          {"172.18.0.0/16, ::1", ""},
		"CLIENT_REQUESTS":          {"0", "1", "100000"},
		"QUERY_TIMEOUT":            {"0s", "5m"},
		"SHUTDOWN_TIMEOUT":         {"0s", "1m30s", "250ms"},
		"INFLUXDB_URL":             {"http://localhost:8086", "https://me:pw@db.example.com/influx"},
		"INFLUXDB_BUCKET":          {"Home Assistant"},
		"INFLUXDB_DATABASE":        {"home_assistant"},
		"INFLUXDB_LAYOUT":          {"data-api", "home-assistant", "homeiq", ""},
		"INFLUXDB_WRITE":           {"true", "false", ""},
		"INFLUXDB_SPILL_MAX":       {"1", "50000000"},
		"LOG_LEVEL":                {"debug", "INFO", "Warn", "error"},
		"LOG_FORMAT":               {"json", "text"},
	} {
		for _, value := range values {
			if _, err := loadConfig([]string{name + "=" + value}); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
}

// badValues has some for each setting that can be wrong.
var badValues = map[string][]string{
	"DATABASE_URL":             {"postgres://localhost/x", "data/metadata.db", "sqlite:", "mysql:x", "sqlite+aiosqlite:x", "sqlite:folder/"},
	"HISTORY_DATABASE_URL":     {"data/history.db", "sqlite:", "sqlite:data/metadata.db", "sqlite:./data//metadata.db"},
	"WEBHOOKS_DATABASE_URL":    {"data/webhooks.db", "sqlite:", "sqlite:data/metadata.db", "sqlite:data/history.db"},
	"WEBHOOK_ALLOW_CIDRS":      {"localhost", "10.0.0.0/33"},
	"WEBHOOK_DENY_CIDRS":       {"everything"},
	"HISTORY_RETENTION":        {"-1d", "30", "1y-1d", "soon"},
	"HISTORY_HOURLY_RETENTION": {"10 years", "300y", "-1h"},
	"SQLITE_TIMEOUT":           {"-1", "3601", "NaN", "30s", "Inf"},
	"SQLITE_CACHE_SIZE":        {"64MB", "1.5"},
	"SQLITE_SYNCHRONOUS":       {"yes", "1"},
	"DATA_API_PORT":            {"http", "65536", "-1"},
	"ENABLE_AUTH":              {"yes", "1", "on"},
	"TRUSTED_NETWORKS":         {"everybody", "10.0.0.0/33", "0.0.0.0/0", "10.0.0.0/8,::/0"},
	"MAX_BODY_BYTES":           {"0", "-5", "64M"},
	"TLS_CERT":                 {"cert.pem"},
	"CORS_ORIGINS":             {"home.example", "https://home.example/", "https://home.example/x", "*,https://home.example", "https://me@home.example", "null"},
	"TRUSTED_PROXIES":          {"proxy", "10.0.0.0/33"},
	"INFLUXDB_TOKEN_FILE":      {"no/such/file", "."},
	"INFLUXDB_PASSWORD_FILE":   {"/dev/null"},
	"CLIENT_REQUESTS":          {"many", "-1"},
	"QUERY_TIMEOUT":            {"60", "-1s"},
	"SHUTDOWN_TIMEOUT":         {"10", "-1s", "soon"},
	"INFLUXDB_URL":             {"localhost:8086", "ftp://me:s3cret@localhost", "://"},
	"INFLUXDB_LAYOUT":          {"ours", "Home-Assistant"},
	"INFLUXDB_WRITE":           {"yes", "TRUE"},
	"INFLUXDB_SPILL_MAX":       {"many", "0", "-1"},
	"LOG_LEVEL":                {"verbose", "5"},
	"LOG_FORMAT":               {"xml", "TEXT"},
}

// A bucket is a database: only one of the words is needed, and both must mean the same.
func TestInfluxDatabase(t *testing.T) {
	inFolder(t, nil)
	url := "INFLUXDB_URL=http://localhost:8086"
	for want, settings := range map[string][]string{
		"http://localhost:8086 home_assistant": nil,
		"http://localhost:8086 a":              {"INFLUXDB_DATABASE=a"},
		"http://localhost:8086 b":              {"INFLUXDB_BUCKET=b"},
		"http://localhost:8086 c":              {"INFLUXDB_BUCKET=c", "INFLUXDB_DATABASE=c"},
	} {
		c, err := loadConfig(append(settings, url))
		if err != nil {
			t.Fatal(err)
		}
		if influx, err := c.influx(); err != nil || influx.Target() != want {
			t.Errorf("%v: %v, %v", settings, influx.Target(), err)
		}
	}
	if _, err := loadConfig([]string{url, "INFLUXDB_BUCKET=a", "INFLUXDB_DATABASE=b"}); err == nil || !strings.HasPrefix(err.Error(), "INFLUXDB_BUCKET") {
		t.Errorf("a bucket that is another database: %v", err)
	}
}

func TestBadValues(t *testing.T) {
	inFolder(t, nil)
	for name, values := range badValues {
		for _, value := range values {
			_, err := loadConfig([]string{name + "=" + value})
			if err == nil || !strings.HasPrefix(err.Error(), name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s=%s: %v, want one line that names it", name, value, err)
			} else if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: the password is shown: %v", name, err)
			}
		}
	}
}

// All that is wrong is said at once, each setting in a line of its own.
func TestAllBadValuesAtOnce(t *testing.T) {
	for n := range 2 { // some do not parse, some make no sense: both at once
		var file strings.Builder
		for name, values := range badValues {
			file.WriteString(name + "='" + values[min(n, len(values)-1)] + "'\n")
		}
		inFolder(t, map[string]string{".env.local": file.String()})
		_, err := loadConfig(nil)
		if err == nil {
			t.Fatal("nothing is refused")
		}
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != len(badValues) {
			t.Errorf("%d lines, want %d:\n%v", len(lines), len(badValues), err)
		}
		for name := range badValues {
			if strings.Count("\n"+err.Error(), "\n"+name) != 1 {
				t.Errorf("%s is not named once:\n%v", name, err)
			}
		}
	}
}

// A file that cannot be read is named. What is in it may be a password, so that is not shown.
func TestBadFiles(t *testing.T) {
	for _, name := range []string{".env", ".env.local"} {
		for _, text := range []string{"what is this\nINFLUXDB_URL=http://me:s3cret@x", `INFLUXDB_URL="http://me:s3cret@x`} {
			inFolder(t, map[string]string{name: text})
			if _, err := loadConfig(nil); err == nil || !strings.HasPrefix(err.Error(), name+" has lines") || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s with %q: %v", name, text, err)
			}
		}
		inFolder(t, nil)
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := loadConfig(nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is a folder: %v", name, err)
		}
	}
}

// Each setting is in the help, with what it is for and its default.
func TestHelpDocumentsEverySetting(t *testing.T) {
	var out bytes.Buffer
	helpSettings(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")[1:]
	if names := settingNames(); len(lines) != len(names) {
		t.Errorf("%d lines for %d settings", len(lines), len(names))
	}
	for f := range reflect.TypeFor[config]().Fields() {
		name, about, value := f.Tag.Get("env"), f.Tag.Get("help"), f.Tag.Get("envDefault")
		want := about
		if value != "" {
			want += " (" + value + ")"
		}
		found := false
		for _, line := range lines {
			field, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			found = found || field == name && strings.TrimSpace(text) == want
		}
		if !found || name == "" || about == "" {
			t.Errorf("%s (%s): want %q in\n%s", f.Name, name, want, out.String())
		}
	}
}

func TestLogger(t *testing.T) {
	for _, c := range []struct {
		config config
		want   string
	}{
		{config{LogFormat: "text", LogLevel: slog.LevelInfo}, "level=INFO msg=b"},
		{config{LogFormat: "json", LogLevel: slog.LevelDebug}, `"level":"DEBUG","msg":"a"`},
		{config{LogFormat: "json", LogLevel: slog.LevelError}, ""},
	} {
		var out bytes.Buffer
		log := c.config.logger(&out)
		log.Debug("a")
		log.Info("b")
		if got := out.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" || c.config.LogLevel == slog.LevelInfo && strings.Contains(got, "msg=a") {
			t.Errorf("%+v logs %q, want %q", c.config, got, c.want)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		host string
		port uint16
		want string
	}{{"127.0.0.1", 8006, "127.0.0.1:8006"}, {"::1", 80, "[::1]:80"}, {"localhost", 0, "localhost:0"}} {
		if got := (config{Host: c.host, Port: c.port}).address(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

// Whoever InfluxDB is asked as: a token comes before a user, and that before what the URL says.
func TestInfluxAuthorization(t *testing.T) {
	inFolder(t, nil)
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Header.Get("Authorization") }))
	defer server.Close()
	user, token := []string{"INFLUXDB_USER=me", "INFLUXDB_PASSWORD=pw"}, []string{"INFLUXDB_TOKEN=secret"}
	for want, settings := range map[string][]string{
		"":                   nil,
		"Basic bWU6cHc=":     user,
		"Token secret":       append(token, user...),
		"Basic dXJsOnVybA==": {"INFLUXDB_URL=" + strings.Replace(server.URL, "//", "//url:url@", 1)},
	} {
		c, err := loadConfig(append([]string{"INFLUXDB_URL=" + server.URL}, settings...))
		if err != nil {
			t.Fatal(err)
		}
		influx, err := c.influx()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- influx.Run(ctx) }()
		if got := <-asked; got != want {
			t.Errorf("%v: asked as %q, want %q", settings, got, want)
		}
		cancel()
		<-ended
	}
}

// A secret may be in a file, without the newline at its end, and not in a setting and in a file.
func TestSecretsInFiles(t *testing.T) {
	inFolder(t, map[string]string{"token": "s3cret\n", "password": " two words\r\n", ".env.local": "INFLUXDB_TOKEN_FILE=token"})
	c, err := loadConfig([]string{"INFLUXDB_PASSWORD_FILE=password"})
	if err != nil || c.InfluxToken != "s3cret" || c.InfluxPassword != " two words" {
		t.Errorf("%q, %q, %v", c.InfluxToken, c.InfluxPassword, err)
	}
	if _, err := loadConfig([]string{"INFLUXDB_TOKEN=other"}); err == nil || err.Error() != "INFLUXDB_TOKEN_FILE: INFLUXDB_TOKEN is set, too: set one of them" {
		t.Errorf("both: %v", err)
	}
	for _, name := range settingNames() {
		if secret, isFile := strings.CutSuffix(name, fileSuffix); isFile && !slices.Contains(settingNames(), secret) {
			t.Errorf("%s is for %s, which is no setting", name, secret)
		}
	}
}
