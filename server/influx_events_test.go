package server

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/influxdtest"
	"dataapi/internal/history/relay"
)

// eventLines are the same events in InfluxDB as each writer lays them out: minutes before now stand after an @.
var eventLines = map[string]string{
	"data-api": `
state_changes,domain=light,entity_id=light.lamp state="off",context_id="" @9
state_changes,domain=sensor,entity_id=sensor.lamp_power state="0",context_id="",value=0 @8
state_changes,domain=light,entity_id=light.lamp state="on",context_id="c1" @6
state_changes,domain=sensor,entity_id=sensor.lamp_power state="60",context_id="",value=60 @5
state_changes,domain=sensor,entity_id=sensor.stranger state="7",context_id="",value=7 @4`,
	"homeiq": `
home_assistant_events,event_type=state_changed,domain=light,time_of_day=night,entity_id=light.lamp state="off",old_state="on",context_id="" @9
home_assistant_events,event_type=state_changed,domain=sensor,area_id=attic,entity_id=sensor.lamp_power state="0" @8
home_assistant_events,event_type=state_changed,domain=light,time_of_day=morning,entity_id=light.lamp state="on",old_state="off",context_id="c1" @6
home_assistant_events,event_type=state_changed,domain=sensor,entity_id=sensor.lamp_power state_value="60",previous_state="0",attributes="{\"unit_of_measurement\":\"W\"}" @5
home_assistant_events,event_type=state_changed,domain=sensor,entity_id=sensor.stranger state="7" @4`,
	"home-assistant": `
light.lamp,domain=light,entity_id=lamp state="off",value=0 @9
W,domain=sensor,entity_id=lamp_power value=0 @8
light.lamp,domain=light,entity_id=lamp state="on",value=1 @6
W,domain=sensor,entity_id=lamp_power value=60 @5
sensor.stranger,domain=sensor,entity_id=stranger value=7 @4`,
}

// readingInflux returns a caller of a home whose past is in a real InfluxDB, where others wrote it.
func readingInflux(t *testing.T, s influxdtest.Server, lines string, now time.Time) rememberer {
	t.Helper()
	database := s.Database(t)
	for minutes := range 10 {
		lines = strings.ReplaceAll(lines+"\n", fmt.Sprintf("@%d\n", minutes), fmt.Sprintf("%d\n", now.Add(-time.Duration(minutes)*time.Minute).UnixNano()))
	}
	s.Write(t, database, strings.TrimSpace(lines))
	influx, err := history.NewInflux(history.InfluxConfig{URL: s.URL, Token: s.Token, User: s.User, Password: s.Password, Org: s.Org, Database: database})
	if err != nil {
		t.Fatal(err)
	}
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if err := past.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := rememberer{serveDB(t, prepared(t, db.Memory), func(c *Config) {
		c.Relay = relay.New(relay.Config{Embedded: past, Influx: influx, Write: relay.Never, Log: c.Log})
		c.History = c.Relay
	}), past}
	furnish(c.caller)
	return c
}

// The events of a real InfluxDB are told alike, whoever wrote them, and what a writer did not keep is null.
func TestEventsOfInfluxDB(t *testing.T) {
	t.Parallel()
	server := influxdtest.Open(t)
	for layout, lines := range eventLines {
		t.Run(layout, func(t *testing.T) {
			now := time.Now().Truncate(time.Millisecond)
			c := readingInflux(t, server, lines, now)
			all := []string{"sensor.stranger: ->7", "sensor.lamp_power: 0>60", "light.lamp: off>on", "sensor.lamp_power: ->0", "light.lamp: ->off"}
			ago := func(minutes int) string {
				return fmt.Sprint(now.Add(-time.Duration(minutes) * time.Minute).UnixMilli())
			}
			for query, want := range map[string][]string{
				"":                                    all,
				"?limit=2&offset=1":                   all[1:3],
				"?entity_id=light.lamp":               {all[2], all[4]},
				"?area_id=kitchen&domain=sensor":      {all[1], all[3]},
				"?device_id=lamp&start=-7m":           all[1:3],
				"?exclude_category=diagnostic":        {all[0], all[2], all[4]},
				"?start=" + ago(6) + "&end=" + ago(4): all[1:3],
				"/search?q=stranger":                  all[:1],
				"/search?q=60":                        all[1:2],
			} {
				if got, _, complete := c.listed("/api/v1/events" + query); !slices.Equal(got, want) || complete {
					t.Errorf("%s:\n got %q, complete: %v\nwant %q", query, got, complete, want)
				}
			}
			var paged []string
			for next := "/api/v1/events?limit=2"; next != "" && len(paged) < 9; {
				var page []string
				page, next, _ = c.listed(next)
				paged = append(paged, page...)
			}
			if !slices.Equal(paged, all) {
				t.Errorf("in pages: %q", paged)
			}
			c.tellsWhatInfluxKnows(layout, now)
		})
	}
}

// tellsWhatInfluxKnows wants each event by its id, what else its writer kept, and true sums.
func (c rememberer) tellsWhatInfluxKnows(layout string, now time.Time) {
	c.Helper()
	power := c.row(fmt.Sprintf("/api/v1/events/%d.sensor.lamp_power", now.Add(-5*time.Minute).UnixMicro()))
	lamp := c.row(fmt.Sprintf("/api/v1/events/%d.light.lamp", now.Add(-6*time.Minute).UnixMicro()))
	var context, attributes any
	if layout != "home-assistant" {
		context = "c1"
	}
	if layout == "homeiq" {
		attributes = map[string]any{"unit_of_measurement": "W"}
	}
	if lamp["context_id"] != context || lamp["complete"] != false || fmt.Sprint(power["attributes"]) != fmt.Sprint(attributes) || power["tags"].(map[string]any)["area_id"] != "kitchen" {
		c.Errorf("got %v\nand %v", lamp, power)
	}
	c.get(fmt.Sprintf("/api/v1/events/%d.light.lamp", now.UnixMicro())).problem(404)
	stats := c.row("/api/v1/events/stats?period=20m")
	if stats["total_events"] != 5.0 || stats["entities"] != 3.0 {
		c.Errorf("stats: %v", stats)
	}
	if got := string(c.get("/api/v1/events/types").want(200).body); got != `[{"event_type":"state_changed","count":5}]`+"\n" {
		c.Errorf("types: %s", got)
	}
	want := []string{"light.lamp: off>on"}
	if layout == "home-assistant" { // it writes no contexts
		want = nil
	}
	if got, _, complete := c.listed("/api/v1/events/automation-trace/c1"); !slices.Equal(got, want) || complete {
		c.Errorf("trace: %q, complete: %v, want %q", got, complete, want)
	}
}
