package history_test

import (
	"testing"

	"dataapi/internal/history"
	"dataapi/internal/history/historytest"
	"dataapi/internal/history/influxdtest"
)

// TestInfluxSuite holds InfluxDB to the same answers as every other store, in each layout that points may
// be in.
func TestInfluxSuite(t *testing.T) {
	server := influxdtest.Open(t)
	for layout, subject := range map[string]historytest.Subject{
		"data-api":       {NamesOnly: true},
		"homeiq":         {NamesOnly: true},
		"home-assistant": {NamesOnly: true, KnownOnly: true, Coarse: true},
	} {
		t.Run(layout, func(t *testing.T) {
			subject.Open = func(t *testing.T) history.Store { return influx(t, server, server.Database(t), layout) }
			historytest.Run(t, subject)
		})
	}
}

// influx is a client of a database.
func influx(t *testing.T, s influxdtest.Server, database, layout string) *history.Influx {
	t.Helper()
	i, err := history.NewInflux(history.InfluxConfig{
		URL: s.URL, Token: s.Token, User: s.User, Password: s.Password, Org: s.Org, Database: database, Layout: layout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}
