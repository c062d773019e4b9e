package server_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history/embedded"
)

// told is a state in an answer.
type toldState struct {
	EntityID   string `json:"entity_id"`
	State      *string
	Time       *time.Time
	Attributes map[string]any
}

func (p past) state(path string) string {
	p.Helper()
	s := decode[toldState](p.T, p.find(path, http.StatusOK).body)
	if s.State == nil {
		return s.EntityID + " none"
	}
	return fmt.Sprintf("%s %s %.0f %v", s.EntityID, *s.State, s.Time.Sub(p.start).Minutes(), s.Attributes["friendly_name"])
}

func (p past) at(minute int) string {
	return url.QueryEscape(p.start.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339))
}

func (p past) rename() {
	p.Helper()
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: `{"entities":[{"entity_id":"sensor.new","id":"1"}]}`, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
}

func TestEntityState(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	for path, want := range map[string]string{
		"sensor.k2/state":                      "sensor.k2 20 45 Of sensor.k2",
		"sensor.k2/state?at=" + p.at(20):       "sensor.k2 unavailable 15 <nil>",
		"sensor.k2/state?at=" + p.at(0):        "sensor.k2 10 0 <nil>",
		"sensor.k2/state?at=" + p.at(-1):       "sensor.k2 none",
		"sensor.silent/state":                  "sensor.silent none",
		"sensor.template/state":                "sensor.template 7 5 Of sensor.template",
		"sensor.template/state?at=" + p.at(-1): "sensor.template none",
	} {
		if got := p.state("/api/v1/entities/" + path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	p.rename()
	if got := p.state("/api/v1/entities/sensor.k1/state"); got != "sensor.new 22 30 Of sensor.k1" {
		t.Errorf("renamed: got %s", got)
	}
	for _, id := range []string{"sensor.nobody", "no%2Fid", "Sensor.K2"} {
		p.find("/api/v1/entities/"+id+"/state", http.StatusNotFound)
		p.find("/api/v1/entities/"+id+"/history", http.StatusNotFound)
	}
}

// statesPage is a page of states.
type statesPage struct {
	Before  *struct{ State string }
	States  []struct{ State string }
	Count   int
	Next    *string `json:"next_cursor"`
	Partial bool
}

func (p statesPage) String() string {
	var all []string
	if p.Before != nil {
		all = append(all, "("+p.Before.State+")")
	}
	for _, s := range p.States {
		all = append(all, s.State)
	}
	return strings.Join(all, " ")
}

func TestEntityHistory(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	p.rename()
	for path, want := range map[string]string{
		"sensor.k2/history": "10 unavailable 20",
		"sensor.k2/history?start=" + p.at(15) + "&end=" + p.at(45):   "(10) unavailable",
		"sensor.k2/history?start=" + p.at(50):                        "(20)",
		"sensor.k2/history?start=" + p.at(-50) + "&end=" + p.at(-40): "",
		"sensor.k1/history":                    "20 22",
		"sensor.new/history":                   "20 22",
		"sensor.silent/history":                "",
		"sensor.template/history":              "7",
		"sensor.meter/history?limit=2&start=0": "95 100",
	} {
		page := decode[statesPage](t, p.find("/api/v1/entities/"+path, http.StatusOK).body)
		if got := page.String(); got != want || page.Count != len(page.States) || page.Partial {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	first := p.find("/api/v1/entities/sensor.meter/history?limit=2", http.StatusOK)
	next := decode[statesPage](t, first.body).Next
	second := decode[statesPage](t, p.find("/api/v1/entities/sensor.meter/history?limit=2&cursor="+url.QueryEscape(*next), http.StatusOK).body)
	if second.String() != "(100) 2 3" || second.Next != nil || !strings.Contains(first.header.Get("Link"), *next) {
		t.Errorf("got %s, next %v, link %s", second, second.Next, first.header.Get("Link"))
	}
}

// States are of now: an answer with them is neither kept nor has it an ETag, and what has no state says so.
func TestIncludeState(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	list := func(query string) string {
		a := p.find("/api/v1/entities?include=state&"+query, http.StatusOK)
		if a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", query, a.header)
		}
		var all []string
		for _, e := range decode[struct {
			Entities []struct {
				EntityID string `json:"entity_id"`
				State    *struct{ State string }
			}
		}](t, a.body).Entities {
			if e.State == nil {
				e.State = &struct{ State string }{"none"}
			}
			all = append(all, e.EntityID+"="+e.State.State)
		}
		return strings.Join(all, " ")
	}
	if got := list("area_id=hall"); got != "binary_sensor.door=off sensor.hall=unknown sensor.silent=none" {
		t.Errorf("got %s", got)
	}
	p.tell("binary_sensor.door", map[int]string{100: "on"})
	if got := list("area_id=hall&fields=entity_id"); got != "binary_sensor.door=on sensor.hall=unknown sensor.silent=none" {
		t.Errorf("got %s", got)
	}
	if a := p.find("/api/v1/entities?include=state&limit=2", http.StatusOK); a.header.Get("Link") == "" {
		t.Error("no link to the next page")
	}
}

// A device shows its entities with their states, beside whatever else is asked for, and nothing of it is kept.
func TestDeviceWithStates(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	minute := 60
	for query, want := range map[string]string{
		"state":               `{"device_id":"stove","entities":`,
		"area,entities,state": `{"device_id":"stove","area":{"area_id":"kitchen",`,
	} {
		for _, state := range []string{"22", "23"} {
			p.tell("sensor.k1", map[int]string{minute: state})
			minute++
			a := p.find("/api/v1/devices/stove?fields=device_id&include="+query, http.StatusOK)
			if body := string(a.body); !strings.HasPrefix(body, want) || !strings.Contains(body, `"state":{"state":"`+state+`","time":"`) || a.header.Get("ETag") != "" {
				t.Errorf("%s: %v %s", query, a.header, body)
			}
		}
	}
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: `{"entities":[{"entity_id":"sensor.new","id":"9","device_id":"stove"}]}`, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	if a := p.find("/api/v1/devices/stove?include=state", http.StatusOK); !strings.Contains(string(a.body), `"state":null`) {
		t.Errorf("%s", a.body)
	}
}

// A list of devices shows the states of their entities.
func TestDevicesWithStates(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	p.proper(request{method: http.MethodPatch, target: "/api/v1/registry", header: plainJSON, body: `{"devices":[{"id":"thermometer","area_id":"hall","name":"Thermometer"},{"id":"bare","name":"Bare"}],
		"entities":[{"entity_id":"sensor.k1","id":"1","device_id":"thermometer"},{"entity_id":"sensor.quiet","device_id":"thermometer"}]}`}, http.StatusOK)
	type device struct {
		ID       string `json:"device_id"`
		Entities []struct {
			ID    string `json:"entity_id"`
			State *struct{ State string }
		}
	}
	text := func(d device) string {
		all := d.ID + ":"
		for _, e := range d.Entities {
			if all += " " + e.ID; e.State != nil {
				all += "=" + e.State.State
			}
		}
		return all
	}
	a := p.find("/api/v1/devices?include=state&fields=device_id&device_id=thermometer,bare&limit=2", http.StatusOK)
	list := decode[struct{ Devices []device }](t, a.body).Devices
	if len(list) != 2 || text(list[0]) != "bare:" || list[0].Entities == nil || text(list[1]) != "thermometer: sensor.k1=22 sensor.quiet" || a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %s", a.header, a.body)
	}
	if a := p.find("/api/v1/devices?fields=device_id", http.StatusOK); a.header.Get("ETag") == "" || strings.Contains(string(a.body), `"entities"`) {
		t.Errorf("nobody asked for states: %v %s", a.header, a.body)
	}
}

// What cannot be read is said so, and the registry is served all the same.
func TestStatesAreUnavailable(t *testing.T) {
	t.Parallel()
	c := configOf(t, opened(t))
	c.History = embedded.New(embedded.Config{DB: db.DefaultConfig(t.TempDir() + "/none.db")}, slog.New(slog.DiscardHandler))
	down := serveConfig(t, c)
	down.proper(request{method: http.MethodPatch, target: "/api/v1/registry", body: pastHome, header: http.Header{"Content-Type": {"application/json"}}}, http.StatusOK)
	for _, path := range []string{"entities?include=state", "devices?include=state", "home?include=state", "devices/stove?include=state", "entities/sensor.k1/state", "entities/sensor.k1/history", "entities/sensor.nobody/state"} {
		down.find("/api/v1/"+path, http.StatusServiceUnavailable)
	}
	down.find("/api/v1/entities", http.StatusOK)
}

// The home shows states where they are asked for, in each of its forms, and nothing of it is kept.
func TestHomeWithStates(t *testing.T) {
	t.Parallel()
	p := pastOf(t)
	for query, want := range map[string]string{
		"include=state":                        `"unit_of_measurement":"°C","entity_category":null,"disabled":false,"hidden_by":null,"state":{"state":"22","time":"`,
		"include=state,visible&fields=area_id": `{"state":{"state":"22","time":"`,
		"include=state&format=text":            "sensor.k1  Window = 22 (°C)",
	} {
		a := p.find("/api/v1/home?"+query, http.StatusOK)
		if !strings.Contains(string(a.body), want) || a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", query, a.header, a.body)
		}
	}
	p.tell("sensor.k1", map[int]string{70: "25"})
	if a := p.find("/api/v1/home?include=state&format=text", http.StatusOK); !strings.Contains(string(a.body), "Window = 25") {
		t.Errorf("%s", a.body)
	}
	if a := p.find("/api/v1/home", http.StatusOK); strings.Contains(string(a.body), `"state"`) || a.header.Get("ETag") == "" {
		t.Errorf("nobody asked for states: %s", a.body)
	}
}
