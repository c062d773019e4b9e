package server_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/relay"
)

const pastHome = `{
	"floors": [{"floor_id":"ground","name":"Ground"}],
	"areas": [{"area_id":"kitchen","name":"Kitchen","floor_id":"ground"},{"area_id":"hall","name":"Hall","floor_id":"ground"}],
	"devices": [{"id":"stove","name":"Stove","area_id":"kitchen"}],
	"entities": [
		{"entity_id":"sensor.k1","id":"1","name":"Window","device_id":"stove","original_device_class":"temperature","unit_of_measurement":"°C"},
		{"entity_id":"sensor.k2","id":"2","area_id":"kitchen","original_device_class":"temperature","unit_of_measurement":"°C"},
		{"entity_id":"sensor.k3","id":"3","area_id":"kitchen","original_device_class":"temperature","unit_of_measurement":"°F"},
		{"entity_id":"sensor.hall","id":"4","area_id":"hall","original_device_class":"temperature","unit_of_measurement":"°C"},
		{"entity_id":"sensor.meter","id":"5","area_id":"kitchen","original_device_class":"energy","unit_of_measurement":"kWh","capabilities":{"state_class":"total_increasing"}},
		{"entity_id":"sensor.balance","id":"6","area_id":"kitchen","original_device_class":"energy","unit_of_measurement":"kWh","capabilities":{"state_class":"total"}},
		{"entity_id":"binary_sensor.door","id":"7","area_id":"hall"},
		{"entity_id":"sensor.silent","id":"8","area_id":"hall","original_device_class":"temperature","unit_of_measurement":"°C"}]}`

// past is a home whose first two hours after start are known. Times are minutes after start.
type past struct {
	client
	start time.Time
}

func pastOf(t *testing.T) past {
	t.Helper()
	p := past{serve(t, opened(t)), time.Now().Truncate(time.Hour).Add(-5 * time.Hour).UTC()}
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: pastHome, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	for id, states := range map[string]map[int]string{
		"sensor.k1":          {-60: "20", 30: "22"},
		"sensor.k2":          {0: "10", 15: "unavailable", 45: "20"},
		"sensor.k3":          {0: "68"},
		"sensor.hall":        {-10: "18", 90: "unknown"},
		"sensor.meter":       {-10: "95", 10: "100", 20: "2", 50: "3"},
		"sensor.balance":     {-10: "95", 10: "100", 20: "2"},
		"binary_sensor.door": {-30: "on", 15: "off"},
		"sensor.template":    {5: "7"},
	} {
		p.tell(id, states)
	}
	return p
}

func (p past) tell(id string, states map[int]string) {
	p.Helper()
	var items []string
	for minute, state := range states {
		items = append(items, fmt.Sprintf(`{"entity_id":%q,"state":%q,"time":%q,"attributes":{"friendly_name":"Of %s","unit_of_measurement":"km"}}`,
			id, state, p.start.Add(time.Duration(minute)*time.Minute).Format(time.RFC3339), id))
	}
	p.proper(request{method: http.MethodPost, target: "/api/v1/events", body: "[" + strings.Join(items, ",") + "]", header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
}

// hours asks about the first two hours, in buckets of one hour if query says nothing else.
func (p past) hours(query string) string {
	if !strings.Contains(query, "every=") {
		query += "&every=1h"
	}
	return fmt.Sprintf("/api/v1/history?start=%d&end=%d&%s", p.start.Unix(), p.start.Add(2*time.Hour).UnixMilli(), query)
}

// answered is what a test reads of an answer.
type answered struct {
	Entities int
	Partial  bool
	Missing  *struct{ Reason string }
	Every    string
	Start    time.Time
	Series   []struct {
		Name, Unit *string
		UnitOf     *string `json:"unit_of_measurement"`
		AreaID     *string `json:"area_id"`
		Entities   []string
		Points     []struct {
			Time  time.Time
			State string
			Value any
		}
	}
}

// read is an answer in a line: each series with its unit, and its values by the minute of their buckets.
func (p past) read(target string) string {
	p.Helper()
	var all []string
	for _, s := range decode[answered](p.T, p.find(target, http.StatusOK).body).Series {
		name, unit := "-", ""
		if s.Name != nil {
			name = *s.Name
		}
		if s.UnitOf != nil {
			unit = *s.UnitOf
		}
		line := name + " " + unit + ":"
		for _, point := range s.Points {
			line += fmt.Sprintf(" %.0f=%s%v", point.Time.Sub(p.start).Minutes(), point.State, point.Value)
		}
		all = append(all, line)
	}
	return strings.Join(all, "; ")
}

// What is asked means what Home Assistant means by it: numbers worked out by hand.
func TestHistory(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	for query, want := range map[string]string{
		"device_class=temperature&group_by=area":                          "Hall °C: 0=18 60=18; Kitchen °C: 0=18 60=21; Kitchen °F: 0=68 60=68",
		"device_class=temperature&group_by=floor":                         "Ground °C: 0=18 60=20; Ground °F: 0=68 60=68",
		"device_class=temperature&group_by=device":                        "Stove °C: 0=21 60=22; - °C: 0=16.5 60=19; - °F: 0=68 60=68",
		"device_class=temperature&group_by=domain&fn=max":                 "sensor °C: 0=22 60=22; sensor °F: 0=68 60=68",
		"device_class=temperature&group_by=none&fn=min":                   "- °C: 0=10 60=18; - °F: 0=68 60=68",
		"device_class=temperature&area_id=kitchen&fn=count&group_by=area": "Kitchen : 0=5",
		"entity_id=sensor.k1,sensor.k2&fn=sample_mean&group_by=area":      "Kitchen °C: 0=17.3333333333",
		"entity_id=sensor.k1,sensor.k2&fn=first&group_by=area":            "Kitchen °C: 0=10",
		"entity_id=sensor.k1,sensor.k2&fn=last&group_by=area":             "Kitchen °C: 0=20",
		"entity_id=sensor.k1&fn=last&fill=previous":                       "Window °C: 0=22 60=22",
		"entity_id=sensor.k1&fn=count&fill=null":                          "Window : 0=1 60=<nil>",
		"entity_id=sensor.k2&every=15m&fill=null":                         "k2 °C: 0=10 15=<nil> 30=<nil> 45=20 60=20 75=20 90=20 105=20",
		"entity_id=sensor.k2&every=15m&fill=previous":                     "k2 °C: 0=10 15=10 30=10 45=20 60=20 75=20 90=20 105=20",
		"entity_id=sensor.k1&every=all":                                   "Window °C: 0=21.5",
		"entity_id=sensor.meter&fn=change":                                "meter kWh: 0=8",
		"entity_id=sensor.balance&fn=change":                              "balance kWh: 0=-93",
		"device_class=energy&fn=change&group_by=area":                     "Kitchen kWh: 0=-85",
		"domain=binary_sensor&fn=time_in_state":                           "door s: 0=off2700 0=on900 60=off3600",
		"domain=binary_sensor&fn=last":                                    "door : 0=off",
		"domain=binary_sensor":                                            "",
		"entity_id=sensor.silent":                                         "",
		"entity_id=sensor.template,sensor.nobody":                         "Of sensor.template km: 0=7 60=7",
		"entity_id=sensor.template&area_id=kitchen":                       "",
	} {
		if got := p.read(p.hours(query)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
	a := decode[answered](t, p.find(p.hours("group_by=area&device_class=temperature"), http.StatusOK).body)
	if got := fmt.Sprint(a.Entities, a.Series[1].Entities, *a.Series[1].AreaID); got != "5 [sensor.k1 sensor.k2]kitchen" || a.Partial || !a.Start.Equal(p.start) {
		t.Errorf("got %s, %+v", got, a)
	}
}

// Nothing holds longer than now, and no bucket is filled that has not begun.
func TestHistoryEndsNow(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	a := decode[answered](t, p.find("/api/v1/history?entity_id=sensor.k1&every=1m&fill=null&end="+url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)), http.StatusOK).body)
	points := a.Series[0].Points
	if last := points[len(points)-1]; last.Time.After(time.Now()) || time.Since(last.Time) > 5*time.Minute || last.Value != 22.0 {
		t.Errorf("the last of %d points is %+v", len(points), last)
	}
	day := decode[answered](t, p.find("/api/v1/history?entity_id=sensor.k1&fn=time_in_state&every=all", http.StatusOK).body)
	if len(day.Series) != 0 {
		t.Errorf("a number is no state: %+v", day)
	}
}

// The past of an entity is found by its old name and by its new one, whole.
func TestHistoryOfTheRenamed(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: `{"entities":[{"entity_id":"sensor.new","id":"1"}]}`, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	p.tell("sensor.k1", map[int]string{60: "30"}) // late, and by the name of that time
	for _, ids := range []string{"sensor.new", "sensor.k1", "sensor.k1,sensor.new"} {
		if got := p.read(p.hours("entity_id=" + ids)); got != "Window °C: 0=21 60=30" {
			t.Errorf("%s: got %s", ids, got)
		}
	}
	p.tell("sensor.new", map[int]string{int(time.Since(p.start).Minutes()) + 1: "31"})
	if a := decode[answered](t, p.find("/api/v1/history?entity_id=sensor.k1&every=all&fn=last&end="+url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)), http.StatusOK).body); a.Series[0].Points[0].Value != 30.0 {
		t.Errorf("what is to come counts already: %+v", a.Series)
	}
}

func TestHistoryForms(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	query := "group_by=area&fn=time_in_state&tz=UTC&format="
	a := p.find(p.hours(query+"csv"), http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	if err != nil || a.header.Get("Content-Type") != "text/csv; charset=utf-8" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatal(err, a.header)
	}
	lines := strings.Split(strings.TrimSpace(string(p.send(request{method: http.MethodGet, target: p.hours(query + "ndjson")}).body)), "\n")
	if len(rows) != 1+len(lines) || len(lines) < 4 {
		t.Fatalf("%d rows, %d lines", len(rows), len(lines))
	}
	for i, line := range lines {
		object := decode[map[string]any](t, []byte(line))
		for j, name := range rows[0] {
			want := fmt.Sprint(object[name])
			if object[name] == nil {
				want = ""
			}
			if got := rows[i+1][j]; got != want {
				t.Errorf("row %d: %s is %q, on the line it is %q", i, name, got, want)
			}
		}
	}
	if want := []string{p.start.Format(time.RFC3339), "Hall", "2700", "s", "off", "", "", "", "hall", "Hall", "ground"}; !slices.Equal(rows[1], want) {
		t.Errorf("got %q, want %q", rows[1], want)
	}
}

func TestHistoryRefuses(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	for query, want := range map[string]string{
		"fn=median&every=7m&group_by=room&fill=zero&format=xml&tz=Mars&start=x": "every fill fn format group_by start tz",
		"start=-1h&end=-2h":  "start",
		"every=1m&start=-1y": "every",
		"every=1m&start=-170d&fill=null&entity_id=sensor.k1,sensor.k2": "every",
		"tz=Local":     "tz",
		"area=kitchen": "area",
	} {
		a := p.get("/api/v1/history?"+query, http.StatusUnprocessableEntity)
		var fields []string
		for _, e := range decode[complaint](t, a.body).Errors {
			fields = append(fields, e.Field)
		}
		slices.Sort(fields)
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: %s, want %s", query, a.body, want)
		}
	}
}

// A past that cannot be read is not an empty one.
func TestHistoryIsUnavailable(t *testing.T) {
	t.Parallel()
	c := configOf(t, opened(t))
	c.History = embedded.New(embedded.Config{DB: db.DefaultConfig(t.TempDir() + "/none.db")}, slog.New(slog.DiscardHandler))
	down := serveConfig(t, c)
	down.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: pastHome, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	for _, format := range []string{"json", "csv", "ndjson"} {
		a := down.find("/api/v1/history?format="+format, http.StatusServiceUnavailable)
		if !json.Valid(a.body) || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v %s", format, a.header, a.body)
		}
	}
}

// While InfluxDB is down, what came since is answered as a part, and what is not known for that reason is a 503.
func TestHistoryInPart(t *testing.T) {
	t.Parallel()
	c := configOf(t, opened(t))
	nowhere := httptest.NewServer(http.NotFoundHandler())
	nowhere.Close()
	influx, err := history.NewInflux(history.InfluxConfig{URL: nowhere.URL, Layout: "data-api"})
	if err != nil {
		t.Fatal(err)
	}
	c.Relay = relay.New(relay.Config{Embedded: c.History.(*embedded.Store), Influx: influx, Write: relay.Always, Log: c.Log,
		Rename: func(context.Context, []history.Point) error { return nil }})
	c.History = c.Relay
	p := past{serveConfig(t, c), time.Now().Truncate(time.Hour).Add(-5 * time.Hour).UTC()}
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: pastHome, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	p.tell("sensor.k1", map[int]string{0: "20", 60: "22"})
	for path, want := range map[string]string{
		p.hours("entity_id=sensor.k1"):                       `"value":22`,
		"/api/v1/entities/sensor.k1/state":                   `"state":"22"`,
		"/api/v1/entities/sensor.k1/history":                 `"state":"20"`,
		"/api/v1/entities?entity_id=sensor.k1&include=state": `"state":"22"`,
		"/api/v1/home?include=state&fields=entity_id":        `"state":"22"`,
	} {
		a := p.find(path, http.StatusOK)
		partial := strings.Contains(string(a.body), `"partial":true`) || strings.HasPrefix(path, "/api/v1/home")
		if !strings.Contains(string(a.body), want) || !partial || a.header.Get("Data-Complete") != "false" {
			t.Errorf("%s: %v %s", path, a.header, a.body)
		}
	}
	for _, path := range []string{p.hours("entity_id=sensor.k2"), "/api/v1/entities/sensor.k2/state", "/api/v1/entities/sensor.k2/history", "/api/v1/entities/sensor.nobody/history"} {
		p.find(path, http.StatusServiceUnavailable)
	}
}
