package main

import (
	"strings"
	"testing"
)

// Options are settings, below the environment and above the files of the working folder.
func TestOptions(t *testing.T) {
	files := map[string]string{
		"options.json": `{"data_api_port": 8010, "LOG_LEVEL": "debug", "sqlite_timeout": 0.5, "hass_storage": null,
			"max_body_bytes": 9007199254740993, "log_format": ""}`,
		".env.local": "DATA_API_PORT=8009\nSHUTDOWN_TIMEOUT=3s",
	}
	inFolder(t, files)
	for _, where := range []string{"environment", ".env", ".env.local"} {
		environ := []string{"DATA_API_OPTIONS=options.json"}
		if where != "environment" {
			files[where] += "\n" + environ[0]
			inFolder(t, files)
			environ = nil
		}
		c, err := loadConfig(append(environ, "LOG_LEVEL=warn"))
		if err != nil || c.Port != 8010 || c.LogLevel.String() != "WARN" || c.SQLiteTimeout != 0.5 ||
			c.MaxBodyBytes != 9007199254740993 || c.ShutdownTimeout.Seconds() != 3 || c.LogFormat != "text" || c.HassStorage != "" {
			t.Errorf("named in %s: %+v, %v", where, c, err)
		}
	}
}

// What is wrong with options is said in one line that names the option, and never shows a value.
func TestBadOptions(t *testing.T) {
	for text, want := range map[string]string{
		``:                                  "holds no JSON object",
		`[]`:                                "holds no JSON object",
		`{"log_level":"info"} {}`:           "holds no JSON object",
		`{"influxdb_token":"s3cret",`:       "holds no JSON object",
		`{"colour":"s3cret"}`:               "colour is no setting",
		`{"data_api_options":"s3cret"}`:     "data_api_options is no setting",
		`{"influxdb_token":["s3cret"]}`:     "influxdb_token is neither",
		`{"influxdb_token":{"a":"s3cret"}}`: "influxdb_token is neither",
		`{"log_level":"info","LOG_LEVEL":"warn"}`: "log_level is there twice",
		`{"data_api_port":"eight"}`:               "DATA_API_PORT is \"eight\"",
		`{"influxdb_url":"me:s3cret@local"}`:      "INFLUXDB_URL",
	} {
		inFolder(t, map[string]string{"options.json": text})
		_, err := loadConfig([]string{"DATA_API_OPTIONS=options.json"})
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want one line with %q", text, err, want)
		}
	}
	inFolder(t, map[string]string{"options.json": `{"b": 1, "a": 1, "log_level": []}`})
	want := "DATA_API_OPTIONS: a is no setting\nDATA_API_OPTIONS: b is no setting\nDATA_API_OPTIONS: log_level is neither text, a number nor true or false"
	if _, err := loadConfig([]string{"DATA_API_OPTIONS=options.json"}); err == nil || err.Error() != want {
		t.Errorf("three at once: %v", err)
	}
	if _, err := loadConfig([]string{"DATA_API_OPTIONS=missing.json"}); err == nil || !strings.HasPrefix(err.Error(), optionsSetting) {
		t.Errorf("a missing file: %v", err)
	}
}
