package server_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// homeDocument is what these tests read of the home.
type homeDocument struct {
	FloorCount  int                                                          `json:"floor_count"`
	AreaCount   int                                                          `json:"area_count"`
	DeviceCount int                                                          `json:"device_count"`
	EntityCount int                                                          `json:"entity_count"`
	LeftOut     struct{ Devices, Entities, Disabled, Hidden, Unexposed int } `json:"left_out"`
	Cursor      string
	Floors      []homeFloor
}

type homeFloor struct {
	ID          *string `json:"floor_id"`
	AreaCount   int     `json:"area_count"`
	DeviceCount int     `json:"device_count"`
	EntityCount int     `json:"entity_count"`
	Areas       []homeArea
}

type homeArea struct {
	ID          *string `json:"area_id"`
	DeviceCount int     `json:"device_count"`
	EntityCount int     `json:"entity_count"`
	Devices     []homeDevice
}

type homeDevice struct {
	ID          *string `json:"device_id"`
	EntityCount int     `json:"entity_count"`
	Entities    []homeEntity
}

type homeEntity struct {
	ID       string  `json:"entity_id"`
	DeviceID *string `json:"device_id"`
	HiddenBy *string `json:"hidden_by"`
	Disabled bool
}

func (c client) home(query string) homeDocument {
	c.Helper()
	return decode[homeDocument](c.T, c.find("/api/v1/home?"+query, http.StatusOK).body)
}

// holdWhole holds the home, in all forms, to the lists.
func (c client) holdWhole() {
	all := c.home("")
	c.holdPlaces(all)
	if all.LeftOut.Devices+all.LeftOut.Entities > 0 {
		c.Errorf("all is shown, and yet there is left out %+v", all.LeftOut)
	}
	for _, include := range []string{"all", "visible"} {
		for _, exposed := range []string{"", "&exposed=conversation", "&exposed=cloud.alexa"} {
			c.holdCounts("include="+include+exposed, all)
		}
	}
	for _, name := range read(c.T).Components.Parameters["HomeFields"].Schema.Items.Enum {
		c.holdFields(name)
	}
}

// holdPlaces compares where the areas, devices and entities are with what the lists say.
func (c client) holdPlaces(h homeDocument) {
	c.Helper()
	areas, devices, entities := map[string]string{}, map[string]string{}, map[string]string{}
	for _, f := range h.Floors {
		for _, a := range f.Areas {
			c.note(areas, a.ID, f.ID)
			for _, d := range a.Devices {
				c.note(devices, d.ID, a.ID)
				for _, e := range d.Entities {
					c.note(entities, &e.ID, a.ID)
					if d.ID != nil && (e.DeviceID == nil || *e.DeviceID != *d.ID) {
						c.Errorf("%s is under the device %s", e.ID, *d.ID)
					}
				}
			}
		}
	}
	c.same("/api/v1/areas?limit=1000", "areas", "area_id", "floor_id", areas)
	c.same("/api/v1/devices?limit=1000", "devices", "device_id", "area_id", devices)
	c.same("/api/v1/entities?limit=10000", "entities", "entity_id", "area_id", entities)
}

// note notes in what a thing is. A group of what has no id is no thing.
func (c client) note(places map[string]string, id, in *string) {
	c.Helper()
	if id == nil {
		return
	}
	if _, twice := places[*id]; twice {
		c.Errorf("%s is there twice", *id)
	}
	places[*id] = "none"
	if in != nil {
		places[*id] = *in
	}
}

// same compares the places of things with a list.
func (c client) same(target, noun, id, in string, got map[string]string) {
	c.Helper()
	want := map[string]string{}
	for _, item := range decode[map[string]any](c.T, c.find(target, http.StatusOK).body)[noun].([]any) {
		place, ok := item.(row)[in].(string)
		if !ok {
			place = "none"
		}
		want[item.(row)[id].(string)] = place
	}
	if !reflect.DeepEqual(got, want) {
		c.Errorf("%s by %s: got %v, want %v as in the list", noun, in, got, want)
	}
}

// holdCounts compares the counts on all levels with what is there, at every depth.
func (c client) holdCounts(query string, all homeDocument) {
	c.Helper()
	h := c.home(query)
	l := h.LeftOut
	if h.EntityCount+l.Entities != all.EntityCount || h.DeviceCount+l.Devices != all.DeviceCount || l.Disabled+l.Hidden+l.Unexposed != l.Entities {
		c.Errorf("%s: %d devices, %d entities, left out %+v, of %d and %d", query, h.DeviceCount, h.EntityCount, l, all.DeviceCount, all.EntityCount)
	}
	if got := h.counted(); !reflect.DeepEqual(got, h) {
		c.Errorf("%s: what is shown comes to other counts than are given: %+v, %+v", query, got, h)
	}
	for i, depth := range []string{"floors", "areas", "devices", "entities"} {
		if got, want := c.home(query+"&depth="+depth), h.cut(i); !reflect.DeepEqual(got, want) {
			c.Errorf("%s, depth=%s: got %+v, want %+v", query, depth, got, want)
		}
		c.find("/api/v1/home?format=text&"+query+"&depth="+depth, http.StatusOK)
	}
}

// counted is the same home with its counts made anew.
func (h homeDocument) counted() homeDocument {
	h.FloorCount, h.AreaCount, h.DeviceCount, h.EntityCount = 0, 0, 0, 0
	h.Floors = slices.Clone(h.Floors)
	for i := range h.Floors {
		f := h.Floors[i].counted()
		h.Floors[i] = f
		h.AreaCount, h.DeviceCount, h.EntityCount = h.AreaCount+f.AreaCount, h.DeviceCount+f.DeviceCount, h.EntityCount+f.EntityCount
		if f.ID != nil {
			h.FloorCount++
		}
	}
	return h
}

func (f homeFloor) counted() homeFloor {
	f.AreaCount, f.DeviceCount, f.EntityCount = 0, 0, 0
	f.Areas = slices.Clone(f.Areas)
	for i := range f.Areas {
		a := f.Areas[i].counted()
		f.Areas[i] = a
		f.DeviceCount, f.EntityCount = f.DeviceCount+a.DeviceCount, f.EntityCount+a.EntityCount
		if a.ID != nil {
			f.AreaCount++
		}
	}
	return f
}

func (a homeArea) counted() homeArea {
	a.DeviceCount, a.EntityCount = 0, 0
	a.Devices = slices.Clone(a.Devices)
	for i := range a.Devices {
		d := &a.Devices[i]
		d.EntityCount = len(d.Entities)
		a.EntityCount += d.EntityCount
		if d.ID != nil {
			a.DeviceCount++
		}
	}
	return a
}

// cut is the home down to a level.
func (h homeDocument) cut(level int) homeDocument {
	h.Floors = slices.Clone(h.Floors)
	for i := range h.Floors {
		f := &h.Floors[i]
		f.Areas = slices.Clone(f.Areas)
		for j := range f.Areas {
			a := &f.Areas[j]
			a.Devices = slices.Clone(a.Devices)
			for k := range a.Devices {
				if level < 3 {
					a.Devices[k].Entities = nil
				}
			}
			if level < 2 {
				a.Devices = nil
			}
		}
		if level < 1 {
			f.Areas = nil
		}
	}
	return h
}

// holdFields asks for one member of each part, and expects no other one, but for those that hold parts.
func (c client) holdFields(name string) {
	c.Helper()
	var walk func(part row)
	seen := 0
	walk = func(part row) {
		for member, value := range part {
			switch inner, holds := value.([]any); {
			case holds && slices.Contains([]string{"areas", "devices", "entities"}, member):
				for _, p := range inner {
					walk(p.(row))
				}
			case member == name:
				seen++
			default:
				c.Errorf("fields=%s: got %s", name, member)
			}
		}
	}
	h := decode[row](c.T, c.find("/api/v1/home?fields="+name, http.StatusOK).body)
	for _, f := range h["floors"].([]any) {
		walk(f.(row))
	}
	if seen == 0 && h["entity_count"] != 0.0 {
		c.Errorf("fields=%s shows nothing", name)
	}
	if len(h) != 7 {
		c.Errorf("fields=%s: the home has %v", name, sortedKeys(h))
	}
}

func TestEmptyHome(t *testing.T) {
	c := serve(t, opened(t))
	c.holdWhole()
	if got, want := string(c.find("/api/v1/home?format=text", http.StatusOK).body), "The home: 0 floors, 0 areas, 0 devices, 0 entities\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if h := c.home(""); h.Floors == nil || len(h.Floors) > 0 {
		t.Errorf("floors are %v, want an empty list", h.Floors)
	}
}

// The feed goes on where the home was read: without a gap, and without what the home has already.
func TestHomeCursor(t *testing.T) {
	c := serve(t, furnished(t, "../testdata/demo-home"))
	cursor := c.home("depth=floors").Cursor
	c.upsert("entities", []row{{"entity_id": "light.new"}})
	var ids []string
	for _, change := range decode[map[string]any](t, c.find("/api/v1/changes?since="+cursor, http.StatusOK).body)["changes"].([]any) {
		ids = append(ids, change.(row)["id"].(string))
	}
	if !slices.Equal(ids, []string{"light.new"}) {
		t.Errorf("since the home was read %v changed, want light.new", ids)
	}
}

// What the home shows is of one moment: all entities are hidden and shown again meanwhile, at once.
func TestHomeIsConsistent(t *testing.T) {
	c := serve(t, opened(t))
	const n = 50
	batches := [2][]row{}
	for i := range n {
		id := fmt.Sprintf("light.l%d", i)
		batches[0] = append(batches[0], row{"entity_id": id, "hidden_by": "user"})
		batches[1] = append(batches[1], row{"entity_id": id, "hidden_by": nil})
	}
	c.upsert("entities", batches[0])
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 40 {
			c.upsert("entities", batches[(i+1)%2])
		}
	}()
	defer func() { <-done }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		h := c.home("include=visible")
		if got := h.counted(); !reflect.DeepEqual(got, h) || h.EntityCount%n != 0 || h.EntityCount+h.LeftOut.Hidden != n {
			t.Fatalf("%d shown, %d by the counts, %+v left out", got.EntityCount, h.EntityCount, h.LeftOut)
		}
	}
}

func TestHomeRefuses(t *testing.T) {
	c := serve(t, opened(t))
	for query, want := range map[string]string{
		"depth=rooms":                      "depth",
		"depth=areas&depth=areas":          "depth",
		"include=none":                     "include",
		"format=xml":                       "format",
		"exposed=everybody":                "exposed",
		"exposed=":                         "exposed",
		"exposed=a\"b":                     "exposed",
		"fields=floors":                    "fields",
		"fields=name&format=text":          "fields",
		"area_id=kitchen":                  "area_id",
		"depth=x&include=x&format=x&foo=1": "depth format include foo",
	} {
		a := c.get("/api/v1/home?"+strings.ReplaceAll(query, `"`, "%22"), http.StatusUnprocessableEntity)
		var fields []string
		for _, bad := range decode[complaint](t, a.body).Errors {
			fields = append(fields, bad.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: complains about %s, want %s", query, got, want)
		}
	}
}
