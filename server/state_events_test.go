package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/stateevent"
)

// listed asks for events and returns them as "entity: old>new", and the link to the next page.
func (c rememberer) listed(target string) (events []string, next string, complete bool) {
	c.Helper()
	a := c.get(target).want(200)
	var list []stateevent.Event
	if err := json.Unmarshal(a.body, &list); err != nil {
		c.Fatalf("%s: %v: %s", target, err, a.body)
	}
	for _, e := range list {
		old := "-"
		if e.OldState != nil {
			old = e.OldState.State
		}
		events = append(events, e.EntityID+": "+old+">"+e.NewState.State)
	}
	link, _, _ := strings.Cut(a.header.Get("Link"), ">")
	return events, strings.TrimPrefix(link, "<"), a.header.Get("Data-Complete") == ""
}

// eventful is a home in which something happened: a minute ago and before.
func eventful(t *testing.T) (c rememberer, now time.Time) {
	c, now = remembering(t), time.Now().Truncate(time.Millisecond)
	furnish(c.caller)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	c.tell(state("light.lamp", "off", ago(9)), state("sensor.lamp_power", "0", ago(8)), state("switch.plug", "on", ago(7)),
		state("light.lamp", "on", ago(6)), state("sensor.lamp_power", "60", ago(6)), state("sensor.stranger", "7", ago(5)),
		state("sensor.hub_power", "3", ago(4)), state("sensor.lamp_power", "55", ago(3)))
	c.tell(fmt.Sprintf(`{"entity_id":"light.lamp","state":"off","time":%q,"attributes":{"brightness":7},"context":"c1"}`, ago(2).Format(time.RFC3339Nano)))
	return c, now
}

func TestListEvents(t *testing.T) {
	t.Parallel()
	c, now := eventful(t)
	all := []string{"light.lamp: on>off", "sensor.lamp_power: 60>55", "sensor.hub_power: ->3", "sensor.stranger: ->7", "sensor.lamp_power: 0>60",
		"light.lamp: off>on", "switch.plug: ->on", "sensor.lamp_power: ->0", "light.lamp: ->off"}
	at := func(minutes int) string {
		return now.Add(-time.Duration(minutes) * time.Minute).UTC().Format(time.RFC3339Nano)
	}
	for query, want := range map[string][]string{
		"":                                   all,
		"limit=2":                            all[:2],
		"limit=2&offset=3":                   all[3:5],
		"offset=9":                           nil,
		"entity_id=light.lamp":               {all[0], all[5], all[8]},
		"entity_id=sensor.stranger":          {all[3]},
		"entity_id=no.body":                  nil,
		"device_id=lamp":                     {all[0], all[1], all[4], all[5], all[7], all[8]},
		"area_id=attic,none":                 {all[2], all[6]},
		"entity_category=diagnostic":         {all[1], all[4], all[7]},
		"exclude_category=diagnostic,config": {all[0], all[3], all[5], all[6], all[8]},
		"exclude_category=diagnostic&area_id=none": {all[2]},
		"event_type=state_changed&domain=switch":   {all[6]},
		"event_type=call_service":                  nil,
		"start=" + at(6) + "&end=" + at(3):         all[2:6],
		"start_time=" + at(4):                      all[:3],
		"end_time=" + at(8):                        all[8:],
	} {
		if got, _, complete := c.listed("/api/v1/events?" + query); !slices.Equal(got, want) || complete && query != "offset=9" && query != "entity_id=no.body" {
			t.Errorf("%s:\n got %q, complete: %v\nwant %q", query, got, complete, want)
		}
	}
	var paged []string
	for next := "/api/v1/events?limit=2&offset=1&exclude_category=config"; next != ""; {
		var page []string
		if page, next, _ = c.listed(next); len(page) > 2 || len(paged) > 9 {
			t.Fatalf("%q after %q", page, paged)
		}
		paged = append(paged, page...)
	}
	if want := slices.Delete(slices.Clone(all), 2, 3)[1:]; !slices.Equal(paged, want) {
		t.Errorf("in pages: %q, want %q", paged, want)
	}
}

// What is known of an event is told, and what is not is null.
func TestEventsTellWhatIsKnown(t *testing.T) {
	t.Parallel()
	c, _ := eventful(t)
	var list []map[string]any
	if err := json.Unmarshal(c.get("/api/v1/events?entity_id=light.lamp,sensor.stranger").want(200).body, &list); err != nil || len(list) != 4 {
		t.Fatalf("%v, %v", list, err)
	}
	newest, stranger, older := list[0], list[1], list[2]
	if newest["complete"] != true || newest["context_id"] != "c1" || fmt.Sprint(newest["attributes"]) != "map[brightness:7]" {
		t.Errorf("%v", newest)
	}
	if tags := newest["tags"].(map[string]any); tags["area_id"] != "kitchen" || tags["device_id"] != "lamp" || tags["integration"] != "hue" || tags["domain"] != "light" {
		t.Errorf("%v", tags)
	}
	if older["complete"] != false || older["attributes"] != nil || older["context_id"] != nil {
		t.Errorf("%v", older)
	}
	if tags := stranger["tags"].(map[string]any); tags["domain"] != "sensor" || tags["name"] != nil {
		t.Errorf("%v", tags)
	}
	for _, e := range list {
		if got := c.row("/api/v1/events/" + fmt.Sprint(e["id"])); fmt.Sprint(got) != fmt.Sprint(e) {
			t.Errorf("got %v\nwant %v", got, e)
		}
	}
	for _, id := range []string{"7.light.lamp", "light.lamp", "x.light.lamp", "9223372036854775807.light.lamp", "1"} {
		c.get("/api/v1/events/" + id).problem(404)
	}
}

// A state that came without attributes does not have those of the one before, whatever comes late or again.
func TestEventsWithoutAttributes(t *testing.T) {
	t.Parallel()
	c, now := remembering(t), time.Now().Truncate(time.Second)
	at := func(seconds int, value, attributes string) string {
		return fmt.Sprintf(`{"entity_id":"light.a","state":%q,"time":%q%s}`, value, now.Add(time.Duration(seconds-60)*time.Second).Format(time.RFC3339), attributes)
	}
	const bright, dim = `,"attributes":{"brightness":9}`, `,"attributes":{"brightness":1}`
	for _, step := range []struct {
		items []string
		want  string // attributes of the newest event, and whether it is complete
	}{
		{[]string{at(1, "on", bright)}, "map[brightness:9] true"},
		{[]string{at(3, "on", bright)}, "map[brightness:9] true"},
		{[]string{at(3, "on", "")}, "map[brightness:9] true"},
		{[]string{at(0, "off", "")}, "map[brightness:9] true"},
		{[]string{at(5, "off", "")}, "<nil> false"},
		{[]string{at(4, "on", dim)}, "<nil> false"},
		{[]string{at(7, "off", ""), at(6, "on", dim)}, "<nil> false"},
		{[]string{at(9, "on", dim), at(8, "off", "")}, "map[brightness:1] true"},
	} {
		c.tell(step.items...)
		var list []map[string]any
		if err := json.Unmarshal(c.get("/api/v1/events?limit=1").want(200).body, &list); err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if got := fmt.Sprint(list[0]["attributes"], " ", list[0]["complete"]); got != step.want {
			t.Errorf("after %s: got %s, want %s", step.items, got, step.want)
		}
		state := c.row("/api/v1/entities/light.a/state")
		if fmt.Sprint(state["attributes"]) != fmt.Sprint(list[0]["attributes"]) {
			t.Errorf("after %s: the state has %v", step.items, state)
		}
	}
}

func TestSearchAndTrace(t *testing.T) {
	t.Parallel()
	c, _ := eventful(t)
	for target, want := range map[string]string{
		"/api/v1/events/search?q=LAMPE":           "[light.lamp: on>off light.lamp: off>on light.lamp: ->off]", // by name
		"/api/v1/events/search?q=stranger":        "[sensor.stranger: ->7]",
		"/api/v1/events/search?q=55":              "[sensor.lamp_power: 60>55]",
		"/api/v1/events/search?q=nowhere":         "[]",
		"/api/v1/events/automation-trace/c1":      "[light.lamp: on>off]",
		"/api/v1/events/automation-trace/unknown": "[]",
	} {
		got, _, complete := c.listed(target)
		if fmt.Sprint(got) != want || complete && strings.Contains(target, "trace") {
			t.Errorf("%s: got %v, complete: %v", target, got, complete)
		}
	}
}

// A search in a body finds what the one in the query string does.
func TestPostEventSearch(t *testing.T) {
	t.Parallel()
	c, _ := eventful(t)
	post := func(body string) response {
		return c.do("POST", "/api/v1/events/search", body, "Content-Type: application/json")
	}
	for body, want := range map[string]string{
		`{"query":"LAMPE"}`:           "light.lamp off, light.lamp on, light.lamp off",
		`{"query":"LAMPE","limit":2}`: "light.lamp off, light.lamp on",
		`{"query":"55"}`:              "sensor.lamp_power 55",
		`{"query":"nowhere"}`:         "",
	} {
		a := post(body).want(200)
		var list []stateevent.Event
		if err := json.Unmarshal(a.body, &list); err != nil || list == nil {
			t.Fatalf("%s: %v: %s", body, err, a.body)
		}
		var got []string
		for _, e := range list {
			got = append(got, e.EntityID+" "+e.NewState.State)
		}
		if strings.Join(got, ", ") != want || a.header.Get("Link") != "" || a.header.Get("ETag") != "" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: got %q, %v", body, got, a.header)
		}
	}
	for body, want := range map[string]string{
		`{"query":7,"limit":0,"fields":["entity_id"]}`: "[/query /limit /fields]",
		`{}`:                           "[/query]",
		`{"query":"--"}`:               "[/query]",
		`{"query":"a","limit":1001}`:   "[/limit]",
		`{"query":"a","limit":"many"}`: "[/limit]",
	} {
		var pointers []string
		for _, e := range post(body).problem(422)["errors"].([]any) {
			pointers = append(pointers, fmt.Sprint(e.(map[string]any)["pointer"]))
		}
		if fmt.Sprint(pointers) != want {
			t.Errorf("%s: %q, want %s", body, pointers, want)
		}
	}
	post(`[]`).problem(400)
	c.do("POST", "/api/v1/events/search?limit=1", `{"query":"a"}`, "Content-Type: application/json").problem(422)
	c.do("POST", "/api/v1/events/search", `{"query":"a"}`).problem(415)
}

// Every number is counted.
func TestEventStats(t *testing.T) {
	t.Parallel()
	c, now := eventful(t)
	stats := c.row("/api/v1/events/stats?end=" + fmt.Sprint(now.UnixMilli()))
	if stats["total_events"] != 9.0 || stats["entities"] != 5.0 || stats["events_per_minute"] != 0.15 || len(stats["top_entities"].([]any)) != 5 {
		t.Errorf("%v", stats)
	}
	if stats := c.row("/api/v1/events/stats?period=150s"); stats["total_events"] != 1.0 {
		t.Errorf("%v", stats)
	}
	if got := string(c.get("/api/v1/events/types").want(200).body); got != `[{"event_type":"state_changed","count":9}]`+"\n" {
		t.Errorf("%s", got)
	}
	if got := string(c.get("/api/v1/events/types?start=0&end=1").want(200).body); got != "[]\n" {
		t.Errorf("%s", got)
	}
	var entities []eventEntity
	if err := json.Unmarshal(c.get("/api/v1/events/entities?limit=2").want(200).body, &entities); err != nil || len(entities) != 2 || entities[0].EntityID != "light.lamp" || entities[0].EventCount != 3 || !entities[0].LastSeen.Equal(now.Add(-2*time.Minute)) {
		t.Errorf("%+v, %v", entities, err)
	}
	for _, query := range []string{"period=0s", "period=-1h", "period=x", "period=1h&start=-2h", "start=-1h&end=-2h"} {
		c.get("/api/v1/events/stats?" + query).problem(422)
	}
}

// A time that is given by both of its names may be two times.
func TestEventTimesHaveOneName(t *testing.T) {
	t.Parallel()
	p := inMemory(t).get("/api/v1/events?start=-2h&start_time=-1h&end_time=-1m&end=-1m").problem(422)
	var fields []string
	for _, e := range p["errors"].([]any) {
		fields = append(fields, e.(map[string]any)["field"].(string))
	}
	if want := []string{"start_time", "end_time"}; !slices.Equal(fields, want) {
		t.Errorf("got %q, want %q", fields, want)
	}
}

// Unavailable is never empty.
func TestEventsWithoutHistory(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, path := range []string{"", "?limit=1", "/search?q=a", "/stats", "/entities", "/types", "/automation-trace/x", "/7.light.lamp"} {
		if p := c.get("/api/v1/events" + path).problem(503); p["reason"] != string(db.Opening) {
			t.Errorf("%s: %v", path, p)
		}
	}
}
