package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v10"
	"github.com/joho/godotenv"

	"dataapi/db"
	"dataapi/internal/backup"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/relay"
	"dataapi/internal/webhook"
	"dataapi/server"
	datasql "dataapi/sql"
)

// config is every setting there is. It comes from the environment, else from the file that DATA_API_OPTIONS names,
// else from .env.local, else from .env in the working folder, else it is the default. A group is the heading in docs/settings.md that a setting and
// those after it stand under; after a change, make settings writes that file anew.
type config struct {
	DatabaseURL       string        `group:"Files" env:"DATABASE_URL" envDefault:"sqlite:data/metadata.db" help:"where the metadata is kept"`
	HistoryURL        string        `env:"HISTORY_DATABASE_URL" envDefault:"sqlite:data/history.db" help:"where the history is kept, a file of its own"`
	WebhooksURL       string        `env:"WEBHOOKS_DATABASE_URL" envDefault:"sqlite:data/webhooks.db" help:"where it is kept what webhooks were sent, a file of its own"`
	SQLiteTimeout     float64       `env:"SQLITE_TIMEOUT" envDefault:"30" help:"seconds a write waits for another process's lock"`
	SQLiteCacheSize   int64         `env:"SQLITE_CACHE_SIZE" envDefault:"-64000" help:"page cache of each of the two: pages, or KiB if negative"`
	SQLiteSynchronous string        `env:"SQLITE_SYNCHRONOUS" envDefault:"NORMAL" help:"NORMAL, or FULL to survive power cuts without loss"`
	Host              string        `group:"Server" env:"DATA_API_HOST" envDefault:"127.0.0.1" help:"address to listen on"`
	Port              uint16        `env:"DATA_API_PORT" envDefault:"8006" help:"port to listen on; 0 for any"`
	MaxBodyBytes      int64         `env:"MAX_BODY_BYTES" envDefault:"67108864" help:"largest body of a registry write"`
	ResponseCache     string        `env:"RESPONSE_CACHE" envDefault:"on" help:"on, or off to read the database for each answer"`
	TLSCert           string        `env:"TLS_CERT" help:"file of the certificate, and of those that it follows from, to serve HTTPS; read anew when it changes"`
	TLSKey            string        `env:"TLS_KEY" help:"file of the key to it"`
	Origins           string        `env:"CORS_ORIGINS" help:"origins of pages that may use the API from a browser, such as https://home.example, or * for any"`
	Proxies           string        `env:"TRUSTED_PROXIES" help:"networks of reverse proxies, which are believed who the client is, such as 172.18.0.0/16"`
	ClientRequests    int           `env:"CLIENT_REQUESTS" envDefault:"128" help:"requests that one client may have under way at a time, streams included; 0 for any number"`
	QueryTimeout      time.Duration `env:"QUERY_TIMEOUT" envDefault:"60s" help:"how long an answer may take to be found; 0s for ever"`
	ShutdownTimeout   time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s" help:"how long running requests may take to end"`
	EnableAuth        asking        `group:"Access" env:"ENABLE_AUTH" help:"true or false: whether keys are asked for; by default on every address but loopback"`
	APIKey            string        `env:"API_KEY" help:"a key that may do everything, beside those that are in the database"`
	APIKeyFile        string        `env:"API_KEY_FILE" help:"file that holds the key"`
	TrustedNetworks   string        `env:"TRUSTED_NETWORKS" help:"networks whose services need no key for what they did with the FastAPI data-api, such as 172.31.86.128/25"`
	ChangesRetention  retention     `group:"Retention" env:"CHANGES_RETENTION" envDefault:"90d" help:"how long changes of the registry are kept, such as 90d or 36h; 0 keeps all"`
	HistoryRetention  retention     `env:"HISTORY_RETENTION" envDefault:"30d" help:"how long every state is kept, such as 30d or 1y; 0 keeps all"`
	HistoryHours      retention     `env:"HISTORY_HOURLY_RETENTION" envDefault:"10y" help:"how long summaries by the hour are kept, at least as long as states; 0 keeps all"`
	BackupInterval    retention     `group:"Backups" env:"BACKUP_INTERVAL" envDefault:"24h" help:"how often a backup is made, such as 24h or 7d; 0 for none but on demand"`
	BackupKeep        int           `env:"BACKUP_KEEP" envDefault:"3" help:"how many backups are kept in the folder, the newest ones"`
	BackupDir         string        `env:"BACKUP_DIR" help:"folder for backups; by default backups beside the metadata"`
	HassStorage       string        `group:"Home Assistant" env:"HASS_STORAGE" help:"Home Assistant's .storage folder, to follow its registries"`
	Options           string        `env:"DATA_API_OPTIONS" help:"JSON file of settings, such as the /data/options.json of a Home Assistant app"`
	InfluxURL         string        `group:"InfluxDB" env:"INFLUXDB_URL" help:"InfluxDB server that keeps the history, too, such as http://localhost:8086"`
	InfluxToken       string        `env:"INFLUXDB_TOKEN" help:"token for it, of version 2 and 3"`
	InfluxTokenFile   string        `env:"INFLUXDB_TOKEN_FILE" help:"file that holds the token"`
	InfluxUser        string        `env:"INFLUXDB_USER" help:"user, where there is no token"`
	InfluxPassword    string        `env:"INFLUXDB_PASSWORD" help:"of this user"`
	InfluxPassFile    string        `env:"INFLUXDB_PASSWORD_FILE" help:"file that holds the password"`
	InfluxOrg         string        `env:"INFLUXDB_ORG" help:"organization, of version 2"`
	InfluxBucket      string        `env:"INFLUXDB_BUCKET" help:"bucket, of version 2; home_assistant if neither this nor INFLUXDB_DATABASE is set"`
	InfluxDatabase    string        `env:"INFLUXDB_DATABASE" help:"database, of version 1 and 3"`
	InfluxLayout      string        `env:"INFLUXDB_LAYOUT" help:"whose points are there: data-api, home-assistant or homeiq; found by looking if it is not set"`
	InfluxWrite       string        `env:"INFLUXDB_WRITE" help:"true or false: whether history is written there; by default only where the layout is data-api"`
	InfluxSpillMax    int64         `env:"INFLUXDB_SPILL_MAX" envDefault:"5000000" help:"states that are kept for InfluxDB, and for webhooks, while they cannot take them"`
	WebhookAllow      string        `group:"Webhooks" env:"WEBHOOK_ALLOW_CIDRS" help:"networks that webhooks may be in although they may not by default, such as 127.0.0.0/8"`
	WebhookDeny       string        `env:"WEBHOOK_DENY_CIDRS" help:"networks that webhooks may not be in"`
	SelectedTeams     string        `group:"Preferences" env:"SELECTED_TEAMS" help:"teams for the preferences of the user default, taken over once: a JSON object, or nfl:dal,nhl:vgk"`
	LogLevel          slog.Level    `group:"Log" env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	LogFormat         string        `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
}

// retention is a duration that may be given in days and years; 0 is for ever.
type retention time.Duration

// UnmarshalText reads a duration that is not negative.
func (d *retention) UnmarshalText(text []byte) error {
	parsed, err := server.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return errors.New("it must be a duration, such as 90d or 36h")
	}
	*d = retention(parsed)
	return nil
}

// duration is how long, which is longer than any home is old where it is for ever.
func (d retention) duration() time.Duration {
	if d == 0 {
		return 200 * 365 * 24 * time.Hour
	}
	return time.Duration(d)
}

// loadConfig reads the settings, and refuses all that are wrong at once.
func loadConfig(environ []string) (config, error) {
	settings := map[string]string{}
	for _, file := range []string{".env", ".env.local"} {
		values, err := readSettings(file)
		if err != nil {
			return config{}, err
		}
		maps.Copy(settings, values)
	}
	if err := addOptions(settings, env.ToMap(environ)); err != nil {
		return config{}, err
	}
	unread := addSecrets(settings)
	var c config
	if err := env.ParseWithOptions(&c, env.Options{Environment: map[string]string{}}); err != nil {
		panic(err) // a default that does not parse
	}
	err := env.ParseWithOptions(&c, env.Options{Environment: settings}) // leaves the default where it fails
	return c, errors.Join(unread, named(err, settings), c.check())
}

// readSettings reads a file of settings, which need not be there.
func readSettings(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	settings, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		return nil, fmt.Errorf("%s has lines that are not NAME=value", file) // err shows them, passwords included
	}
	return settings, nil
}

// named turns the errors of the parser, which names fields of config, into ones that name settings.
func named(err error, settings map[string]string) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	var problems []error
	for _, problem := range all.Errors {
		var p env.ParseError
		if errors.As(problem, &p) {
			field, _ := reflect.TypeFor[config]().FieldByName(p.Name)
			name := field.Tag.Get("env")
			problem = fmt.Errorf("%s is %q: %w", name, settings[name], p.Err)
		}
		problems = append(problems, problem)
	}
	return errors.Join(problems...)
}

// check refuses values that have the right type and make no sense.
func (c config) check() error {
	var problems []error
	refuse := func(name string, value any, want string) {
		problems = append(problems, fmt.Errorf("%s is %v: %s", name, value, want))
	}
	if _, err := db.ParseURL(c.DatabaseURL); err != nil {
		refuse("DATABASE_URL", strconv.Quote(c.DatabaseURL), "it must be a SQLite URL, such as sqlite:data/metadata.db")
	}
	c.checkFiles(refuse)
	if !(c.SQLiteTimeout >= 0 && c.SQLiteTimeout <= 3600) { // so that NaN is refused, too
		refuse("SQLITE_TIMEOUT", c.SQLiteTimeout, "it must be from 0 to 3600 seconds")
	}
	switch strings.ToUpper(c.SQLiteSynchronous) {
	case "NORMAL", "FULL", "EXTRA", "OFF":
	default:
		refuse("SQLITE_SYNCHRONOUS", strconv.Quote(c.SQLiteSynchronous), "it must be NORMAL, FULL, EXTRA or OFF")
	}
	c.checkBounds(refuse)
	if (c.TLSCert == "") != (c.TLSKey == "") {
		problems = append(problems, errors.New("TLS_CERT and TLS_KEY belong together: set both, or neither"))
	}
	if _, err := server.ParseOrigins(c.Origins); err != nil {
		problems = append(problems, fmt.Errorf("CORS_ORIGINS: %w", err))
	}
	c.checkTrusted(refuse)
	problems = append(problems, c.checkInflux(refuse)...)
	for name, text := range map[string]string{"WEBHOOK_ALLOW_CIDRS": c.WebhookAllow, "WEBHOOK_DENY_CIDRS": c.WebhookDeny, "TRUSTED_PROXIES": c.Proxies} {
		if _, err := webhook.ParsePrefixes(text); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	if _, err := c.teams(); err != nil {
		refuse("SELECTED_TEAMS", strconv.Quote(c.SelectedTeams), "it must be a JSON object of lists, or a list such as nfl:dal,nhl:vgk")
	}
	if c.ResponseCache != "on" && c.ResponseCache != "off" {
		refuse("RESPONSE_CACHE", strconv.Quote(c.ResponseCache), "it must be on or off")
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		refuse("LOG_FORMAT", strconv.Quote(c.LogFormat), "it must be text or json")
	}
	return errors.Join(problems...)
}

// checkBounds refuses numbers and times that are too small.
func (c config) checkBounds(refuse func(name string, value any, want string)) {
	if c.BackupKeep < 1 {
		refuse("BACKUP_KEEP", c.BackupKeep, "it must be at least 1")
	}
	if c.BackupInterval > 0 && time.Duration(c.BackupInterval) < time.Second {
		refuse("BACKUP_INTERVAL", time.Duration(c.BackupInterval), "it must be 0, or at least a second")
	}
	if c.MaxBodyBytes < 1 {
		refuse("MAX_BODY_BYTES", c.MaxBodyBytes, "it must be at least 1")
	}
	if c.ClientRequests < 0 {
		refuse("CLIENT_REQUESTS", c.ClientRequests, "it must not be negative")
	}
	if c.QueryTimeout < 0 {
		refuse("QUERY_TIMEOUT", c.QueryTimeout, "it must not be negative")
	}
	if c.ShutdownTimeout < 0 {
		refuse("SHUTDOWN_TIMEOUT", c.ShutdownTimeout, "it must not be negative")
	}
}

// checkFiles refuses files beside the metadata that are none, or are the same.
func (c config) checkFiles(refuse func(name string, value any, want string)) {
	metadata, _ := db.ParseURL(c.DatabaseURL)
	others := map[string]string{metadata: "DATABASE_URL"}
	for _, f := range []struct{ name, url, example string }{
		{"HISTORY_DATABASE_URL", c.HistoryURL, "history"}, {"WEBHOOKS_DATABASE_URL", c.WebhooksURL, "webhooks"},
	} {
		path, err := db.ParseURL(f.url)
		if err != nil {
			refuse(f.name, strconv.Quote(f.url), "it must be a SQLite URL, such as sqlite:data/"+f.example+".db")
		} else if other := others[path]; other != "" && path != db.Memory {
			refuse(f.name, strconv.Quote(f.url), "it must be another file than "+other)
		}
		others[path] = f.name
	}
}

// checkInflux shows no value that may hold a secret.
func (c config) checkInflux(refuse func(name string, value any, want string)) (problems []error) {
	if _, err := c.influx(); err != nil {
		problems = append(problems, fmt.Errorf("INFLUXDB_URL: %w", err))
	}
	if c.InfluxBucket != "" && c.InfluxDatabase != "" && c.InfluxBucket != c.InfluxDatabase {
		refuse("INFLUXDB_BUCKET", strconv.Quote(c.InfluxBucket), "it is another word for INFLUXDB_DATABASE, which is not the same: set one of them")
	}
	if layouts := history.Layouts(); c.InfluxLayout != "" && !slices.Contains(layouts, c.InfluxLayout) {
		refuse("INFLUXDB_LAYOUT", strconv.Quote(c.InfluxLayout), "it must be one of "+strings.Join(layouts, ", "))
	}
	switch relay.Write(c.InfluxWrite) {
	case relay.Auto, relay.Always, relay.Never:
	default:
		refuse("INFLUXDB_WRITE", strconv.Quote(c.InfluxWrite), "it must be true or false")
	}
	if c.InfluxSpillMax < 1 {
		refuse("INFLUXDB_SPILL_MAX", c.InfluxSpillMax, "it must be at least 1")
	}
	return problems
}

// database is the part of the settings that opens the metadata.
func (c config) database() db.Config { return c.fileAt(c.DatabaseURL) }

// past is the part of the settings that keeps the history.
func (c config) past() embedded.Config {
	return embedded.Config{
		DB:        c.fileAt(c.HistoryURL),
		Retention: c.HistoryRetention.duration(),
		Hours:     c.HistoryHours.duration(),
		Spill:     c.InfluxSpillMax,
	}
}

// targets is the part of the settings that says where webhooks may be.
func (c config) targets() (t webhook.Targets) {
	t.Allow, _ = webhook.ParsePrefixes(c.WebhookAllow) // check has parsed both
	t.Deny, _ = webhook.ParsePrefixes(c.WebhookDeny)
	return t
}

// databases are where the database files are.
func (c config) databases() backup.Paths {
	return backup.Paths{
		datasql.OfMetadata:   c.fileAt(c.DatabaseURL).Path,
		datasql.OfHistory:    c.fileAt(c.HistoryURL).Path,
		datasql.OfDeliveries: c.fileAt(c.WebhooksURL).Path,
	}
}

// backups is the part of the settings that keeps backups.
func (c config) backups(sources []backup.Source, log *slog.Logger) backup.Config {
	return backup.Config{
		Folder: cmp.Or(c.BackupDir, filepath.Join(filepath.Dir(c.fileAt(c.DatabaseURL).Path), "backups")),
		Every:  time.Duration(c.BackupInterval), Keep: c.BackupKeep,
		Sources: sources, Room: c.databases().Size, Version: version, Log: log,
	}
}

// proxies are the networks of trusted proxies.
func (c config) proxies() []netip.Prefix {
	all, _ := webhook.ParsePrefixes(c.Proxies) // check has parsed them
	return all
}

// origins are those whose pages may use the API.
func (c config) origins() []string {
	origins, _ := server.ParseOrigins(c.Origins) // check has parsed them
	return origins
}

// scheme is that of the URL of the service.
func (c config) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

// fileAt is how a SQLite file is opened.
func (c config) fileAt(url string) db.Config {
	path, err := db.ParseURL(url)
	if err != nil {
		panic(err) // check has parsed it
	}
	d := db.DefaultConfig(path)
	d.Timeout = time.Duration(c.SQLiteTimeout * float64(time.Second))
	d.CacheSize = c.SQLiteCacheSize
	d.Synchronous = strings.ToUpper(c.SQLiteSynchronous)
	return d
}

// influx is the client of the InfluxDB server, nil where none is configured.
func (c config) influx() (*history.Influx, error) {
	if c.InfluxURL == "" {
		return nil, nil
	}
	i := history.InfluxConfig{URL: c.InfluxURL, Token: c.InfluxToken, User: c.InfluxUser, Password: c.InfluxPassword, Org: c.InfluxOrg}
	i.Database = cmp.Or(c.InfluxBucket, c.InfluxDatabase, "home_assistant")
	if slices.Contains(history.Layouts(), c.InfluxLayout) {
		i.Layout = c.InfluxLayout
	}
	return history.NewInflux(i)
}

// cacheBytes is how much of the memory answers may take that are kept.
func (c config) cacheBytes() int {
	if c.ResponseCache == "off" {
		return 0
	}
	return 16 << 20
}

func (c config) address() string { return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) }

func (c config) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// helpSettings lists the settings for people.
func helpSettings(w io.Writer) {
	fmt.Fprintln(w, "Settings, from the environment or from .env.local or .env in the working folder:")
	t := reflect.TypeFor[config]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		fmt.Fprintf(w, "  %-24s %s", tag.Get("env"), tag.Get("help"))
		if value := tag.Get("envDefault"); value != "" {
			fmt.Fprintf(w, " (%s)", value)
		}
		fmt.Fprintln(w)
	}
}
