package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dataapi/server"
)

// The plan of a real house fits into the context of a small language model.
func TestPlanIsShort(t *testing.T) {
	house := filepath.Join(server.HomesFolder(), "house-2025")
	if _, err := os.Stat(house); err != nil {
		t.Skip(err)
	}
	c := serve(t, furnished(t, house))
	all := c.find("/api/v1/home?format=text", http.StatusOK).body
	if len(all) > 20_000 {
		t.Errorf("the plan has %d bytes", len(all))
	}
	want := "The home: 4 floors, 11 areas, 53 devices, 227 entities\nLeft out: 1 device, 243 entities (243 disabled)\n"
	if !strings.HasPrefix(string(all), want) {
		t.Errorf("got %.120s, want %s", all, want)
	}
	if h := c.home("exposed=conversation"); h.EntityCount != 73 {
		t.Errorf("%d entities are exposed, want 73", h.EntityCount)
	}
}

// Each entity that is shown has one line in the plan, which is its own.
func TestPlanHasTheEntities(t *testing.T) {
	c := serve(t, furnished(t, "../testdata/demo-home"))
	for _, include := range []string{"all", "visible"} {
		var want, got []string
		for _, f := range c.home("include=" + include).Floors {
			for _, a := range f.Areas {
				for _, d := range a.Devices {
					for _, e := range d.Entities {
						want = append(want, e.ID)
					}
				}
			}
		}
		for line := range strings.Lines(string(c.find("/api/v1/home?format=text&include="+include, http.StatusOK).body)) {
			if id, is := strings.CutPrefix(line, "      "); is {
				got = append(got, strings.Fields(id)[0])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("include=%s: the plan has %v, the home %v", include, got, want)
		}
	}
}

// A small house that has all there is to get wrong.
const (
	crookedDevices = `[
		{"id":"lamp","name":"Lamp","area_id":"kitchen","manufacturer":"Signify","model":"LCA001"},
		{"id":"forged","name":"Plug\n  Kitchen [kitchen]\u2028\u0085\tx\u0000","area_id":"kitchen"},
		{"id":"off","name":"Off","area_id":"hall","disabled_by":"user"},
		{"id":"loose"}]`
	crookedEntities = `[
		{"entity_id":"light.lamp","device_id":"lamp","name":"Lamp","options":{"conversation":{"should_expose":true}}},
		{"entity_id":"sensor.lamp_power","device_id":"lamp","name":"Lamp Power","unit_of_measurement":"W","entity_category":"diagnostic","options":{"conversation":{"should_expose":false},"cloud.alexa":{"should_expose":true}}},
		{"entity_id":"sensor.lamp_abroad","device_id":"lamp","name":"Lampion","area_id":"hall","options":{"conversation":{"should_expose":true}}},
		{"entity_id":"switch.of_off","device_id":"off","options":{"conversation":{"should_expose":"true"}}},
		{"entity_id":"switch.hidden","device_id":"lamp","hidden_by":"user","options":{"conversation":{"should_expose":true}}},
		{"entity_id":"switch.disabled","device_id":"lamp","disabled_by":"user","hidden_by":"user","options":{"conversation":7}},
		{"entity_id":"sun.sun","device_id":"nobody"}]`
)

const crookedPlan = `The home: 0 floors, 2 areas, 3 devices, 5 entities
Left out: 1 device, 2 entities (1 disabled, 1 hidden)

(no floor)
  hall [hall]
    (no device here)
      sensor.lamp_abroad  Lampion
      switch.of_off
  kitchen [kitchen]
    Lamp (Signify, LCA001)
      light.lamp
      sensor.lamp_power  Power (W, diagnostic)
    Plug Kitchen [kitchen] x
  (no area)
    loose
    (no device here)
      sun.sun
`

func TestPlanOfACrookedHome(t *testing.T) {
	c := serve(t, opened(t))
	for noun, batch := range map[string]string{"devices": crookedDevices, "entities": crookedEntities} {
		if got := c.upsert(noun, json.RawMessage(batch)); len(got.Rejected) > 0 {
			t.Fatalf("%s: %+v", noun, got.Rejected)
		}
	}
	if got := string(c.find("/api/v1/home?format=text", http.StatusOK).body); got != crookedPlan {
		t.Errorf("got %s\nwant %s", got, crookedPlan)
	}
	for _, test := range []struct{ query, want string }{
		{"", "4 devices, 7 entities, left out {Devices:0 Entities:0 Disabled:0 Hidden:0 Unexposed:0}"},
		{"include=visible", "3 devices, 5 entities, left out {Devices:1 Entities:2 Disabled:1 Hidden:1 Unexposed:0}"},
		{"exposed=conversation", "1 devices, 3 entities, left out {Devices:3 Entities:4 Disabled:0 Hidden:0 Unexposed:4}"},
		{"exposed=conversation&include=visible", "1 devices, 2 entities, left out {Devices:3 Entities:5 Disabled:1 Hidden:1 Unexposed:3}"},
		{"exposed=cloud.alexa&include=visible", "1 devices, 1 entities, left out {Devices:3 Entities:6 Disabled:1 Hidden:1 Unexposed:4}"},
		{"exposed=cloud.google_assistant", "0 devices, 0 entities, left out {Devices:4 Entities:7 Disabled:0 Hidden:0 Unexposed:7}"},
	} {
		h := c.home(test.query)
		if got := fmt.Sprintf("%d devices, %d entities, left out %+v", h.DeviceCount, h.EntityCount, h.LeftOut); got != test.want {
			t.Errorf("%s: got %s, want %s", test.query, got, test.want)
		}
	}
	c.holdWhole()
}
