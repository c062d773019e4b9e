package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v10"
	"github.com/joho/godotenv"

	"dataapi/db"
)

// config is every setting there is. It comes from the environment, else from .env.local, else from .env
// in the working folder, else it is the default.
type config struct {
	DatabaseURL       string        `env:"DATABASE_URL" envDefault:"sqlite:data/metadata.db" help:"where the metadata is kept"`
	SQLiteTimeout     float64       `env:"SQLITE_TIMEOUT" envDefault:"30" help:"seconds a write waits for another process's lock"`
	SQLiteCacheSize   int64         `env:"SQLITE_CACHE_SIZE" envDefault:"-64000" help:"page cache of the process: pages, or KiB if negative"`
	SQLiteSynchronous string        `env:"SQLITE_SYNCHRONOUS" envDefault:"NORMAL" help:"NORMAL, or FULL to survive power cuts without loss"`
	Host              string        `env:"DATA_API_HOST" envDefault:"127.0.0.1" help:"address to listen on"`
	Port              uint16        `env:"DATA_API_PORT" envDefault:"8006" help:"port to listen on; 0 for any"`
	MaxBodyBytes      int64         `env:"MAX_BODY_BYTES" envDefault:"67108864" help:"largest body of a registry write"`
	ShutdownTimeout   time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s" help:"how long running requests may take to end"`
	InfluxURL         string        `env:"INFLUXDB_URL" help:"InfluxDB server to watch, such as http://localhost:8086"`
	LogLevel          slog.Level    `env:"LOG_LEVEL" envDefault:"info" help:"debug, info, warn or error"`
	LogFormat         string        `env:"LOG_FORMAT" envDefault:"text" help:"text or json"`
}

// loadConfig reads the settings, and refuses all that are wrong at once.
func loadConfig(environ []string) (config, error) {
	settings := map[string]string{}
	for _, file := range []string{".env", ".env.local"} {
		values, err := godotenv.Read(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return config{}, fmt.Errorf("%s: %w", file, err)
		}
		maps.Copy(settings, values)
	}
	maps.Copy(settings, env.ToMap(environ))
	var c config
	if err := env.ParseWithOptions(&c, env.Options{Environment: settings}); err != nil {
		return c, err
	}
	return c, c.check()
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
	if c.SQLiteTimeout < 0 || c.SQLiteTimeout > 3600 {
		refuse("SQLITE_TIMEOUT", c.SQLiteTimeout, "it must be from 0 to 3600 seconds")
	}
	switch strings.ToUpper(c.SQLiteSynchronous) {
	case "NORMAL", "FULL", "EXTRA", "OFF":
	default:
		refuse("SQLITE_SYNCHRONOUS", strconv.Quote(c.SQLiteSynchronous), "it must be NORMAL, FULL, EXTRA or OFF")
	}
	if c.MaxBodyBytes < 1 {
		refuse("MAX_BODY_BYTES", c.MaxBodyBytes, "it must be at least 1")
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		refuse("LOG_FORMAT", strconv.Quote(c.LogFormat), "it must be text or json")
	}
	return errors.Join(problems...)
}

// database is the part of the settings that opens the metadata.
func (c config) database() db.Config {
	path, err := db.ParseURL(c.DatabaseURL)
	if err != nil {
		panic(err) // check has parsed it
	}
	d := db.DefaultConfig(path)
	d.Timeout = time.Duration(c.SQLiteTimeout * float64(time.Second))
	d.CacheSize = c.SQLiteCacheSize
	d.Synchronous = strings.ToUpper(c.SQLiteSynchronous)
	return d
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
		fmt.Fprintf(w, "  %-20s %s", tag.Get("env"), tag.Get("help"))
		if value := tag.Get("envDefault"); value != "" {
			fmt.Fprintf(w, " (%s)", value)
		}
		fmt.Fprintln(w)
	}
}
