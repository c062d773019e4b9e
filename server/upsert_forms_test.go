package server

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/internal/hass"
)

// onlyInFiles are members that the registry files have and the lists of the WebSocket API lack.
var onlyInFiles = []string{"aliases", "aliases_v2", "capabilities", "device_class", "original_device_class", "original_icon", "previous_unique_id",
	"object_id_base", "suggested_object_id", "supported_features", "unit_of_measurement", "orphaned_timestamp", "composite_device_id", "split_at"}

// overWebSocket turns entries of a file into the form in which the WebSocket API lists them.
func overWebSocket(t *testing.T, files []hass.Storage, kind hass.Kind) (list string, n int) {
	t.Helper()
	entries := []map[string]any{}
	for _, f := range files {
		for _, text := range f.Batch {
			var entry map[string]any
			if f.Kind != kind {
				continue
			}
			if err := json.Unmarshal(text, &entry); err != nil {
				t.Fatal(err)
			}
			for name, value := range entry {
				moment, err := time.Parse(time.RFC3339Nano, fmt.Sprint(value))
				if slices.Contains(onlyInFiles, name) {
					delete(entry, name)
				} else if err == nil {
					entry[name] = float64(moment.UnixMicro()) / 1e6
				}
			}
			entries = append(entries, entry)
		}
	}
	text, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), len(entries)
}

// TestFilesAndWebSocketAgree takes one home in turns as files and as the ingestion service pushes it:
// after the first time nothing changes any more, and what only the files know stays.
func TestFilesAndWebSocketAgree(t *testing.T) {
	t.Parallel()
	files, err := hass.ReadStorage("../testdata/demo-home")
	if err != nil {
		t.Fatal(err)
	}
	devices, nDevices := overWebSocket(t, files, hass.Devices)
	entities, nEntities := overWebSocket(t, files, hass.Entities)
	c := inFile(t)
	if _, err := hass.Import(context.Background(), c.db, files, hass.How{}); err != nil {
		t.Fatal(err)
	}
	rows := func() string {
		return string(c.get("/api/v1/devices?limit=1000").body) + string(c.get("/api/v1/entities?limit=10000").body)
	}
	before, version := rows(), c.dataVersion()
	stored := version()
	for range 2 {
		if p := c.pushOnly("devices", devices); p.Unchanged != nDevices || p.Upserted != nDevices || nDevices < 50 {
			t.Errorf("%d devices: %+v", nDevices, p)
		}
		if p := c.pushOnly("entities", entities); p.Unchanged != nEntities || p.Upserted != nEntities || nEntities < 400 {
			t.Errorf("%d entities: %+v", nEntities, p)
		}
		outcome, err := hass.Import(context.Background(), c.db, files, hass.How{})
		for _, i := range outcome.Files {
			if err != nil || i.Created+i.Updated+i.Deleted+len(i.Rejected) > 0 {
				t.Errorf("%v %s: %+v", err, i.Kind, i.Result)
			}
		}
	}
	if version() != stored || rows() != before {
		t.Error("the rows changed")
	}
}

// TestTargetsThatComeLater links rows to devices, areas, labels and config entries that are not known yet.
func TestTargetsThatComeLater(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.pushOnly("entities", `[{"entity_id":"light.a","device_id":"child","config_entry_id":"e9","labels":["l1"],"has_entity_name":true,"original_name":"Glow"},
		{"entity_id":"light.b","area_id":"room1"}]`)
	c.wantMembers("/api/v1/entities/light.a", `{"device_id":"child","area_id":null,"labels":["l1"],"config_entry_id":"e9","name":"Glow"}`)
	c.wantMembers("/api/v1/areas/room1", `{"name":"room1","entity_count":1,"floor_id":null}`)
	c.wantMembers("/api/v1/labels/l1", `{"name":"l1","entity_count":1}`)
	c.pushOnly("devices", `[{"id":"child","name":"Child","parent_device_id":"parent","via_device_id":"hub","config_entries":["e9"]}]`)
	c.wantMembers("/api/v1/devices/child", `{"entity_count":1,"area_id":null,"manufacturer":"Unknown","integration":null,"via_device_id":"hub"}`)
	c.wantMembers("/api/v1/entities/light.a", `{"name":"Child Glow"}`)
	c.pushOnly("devices", `[{"id":"parent","area_id":"room2","manufacturer":"Acme"}]`)
	c.wantMembers("/api/v1/devices/child", `{"area_id":"room2","manufacturer":"Acme","own_area_id":null}`)
	c.wantMembers("/api/v1/entities/light.a", `{"area_id":"room2","area_name":"room2"}`)
	c.apply(hass.Areas, `[{"id":"room2","name":"Room Two","floor_id":"f1"}]`)
	c.apply(hass.ConfigEntries, `[{"entry_id":"e9","domain":"acme"}]`)
	c.apply(hass.Floors, `[{"floor_id":"f1","name":"First"}]`)
	c.wantMembers("/api/v1/entities/light.a", `{"area_name":"Room Two","floor_id":"f1"}`)
	c.wantMembers("/api/v1/devices/child", `{"integration":"acme","floor_id":"f1"}`)
	c.wantMembers("/api/v1/config_entries/e9", `{"device_count":1,"entity_count":1}`)
	c.wantMembers("/api/v1/areas/room2", `{"floor_name":"First","device_count":2,"entity_count":1}`)
	filtered{"floor_id=f1&integration=acme", "child"}.check(c, "devices", "device_id")
}

// TestClear empties the registries and takes them again: all is as it was, apart from the times.
func TestClear(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	before := c.timeless()
	a := c.do("DELETE", "/internal/devices/clear", "").want(200)
	shape{"success": "bool", "devices_deleted": "float64", "entities_deleted": "float64", "timestamp": "time"}.check(t, "clear", map[string]any(a.json()))
	if got := a.json(); got["devices_deleted"] != 5.0 || got["entities_deleted"] != 7.0 {
		t.Errorf("got %v", got)
	}
	for _, noun := range []string{"devices", "entities"} {
		if n := c.row("/api/v1/" + noun + "?total=true")["total"]; n != 0.0 {
			t.Errorf("%v %s are left", n, noun)
		}
	}
	c.wantMembers("/api/v1/areas/kitchen", `{"name":"Küche","device_count":0,"entity_count":0}`)
	c.wantMembers("/api/v1/labels/warm", `{"name":"Warm","device_count":0,"entity_count":0,"area_count":2}`)
	if got := c.do("DELETE", "/internal/devices/clear", "").want(200).json(); got["devices_deleted"] != 0.0 {
		t.Errorf("got %v", got)
	}
	furnish(c)
	if after := c.timeless(); !reflect.DeepEqual(after, before) {
		t.Errorf("got %v, want %v", after, before)
	}
	if got := c.do("DELETE", "/internal/devices/clear?dry_run=true", "").badFields(); !slices.Equal(got, []string{"dry_run"}) {
		t.Errorf("fields %v", got)
	}
	c.wantMembers("/api/v1/devices/lamp", `{"name":"Lamp"}`)
}

// timeless are all rows of all lists without their times.
func (c *caller) timeless() map[string]any {
	c.Helper()
	all := map[string]any{}
	for _, noun := range []string{"floors", "labels", "areas", "config_entries", "devices", "entities"} {
		list := c.row("/api/v1/" + noun + "?limit=1000")
		for _, item := range list[noun].([]any) {
			for name := range item.(map[string]any) {
				if strings.HasSuffix(name, "ed_at") || name == "timestamp" {
					delete(item.(map[string]any), name)
				}
			}
		}
		all[noun] = list
	}
	return all
}
