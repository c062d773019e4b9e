package server

import (
	"net/url"
	"slices"
	"testing"
)

// splitHome is what Home Assistant 2026.8 makes of a television of two config entries, and of one whose first
// config entry is not known: a device for each entry. A child device came with 2026.9.
const splitHome = `{"devices":[
	{"id":"tv-cast","name":"TV","area_id":"salon","manufacturer":"Sony","config_entry_id":"cast","composite_device_id":"tv","composite_primary_config_entry":"dlna"},
	{"id":"tv-dlna","name":"TV","area_id":"salon","manufacturer":"Sony","config_entry_id":"dlna","composite_device_id":"tv","composite_primary_config_entry":"dlna"},
	{"id":"hub-b","config_entry_id":"b","composite_device_id":"hub"},
	{"id":"hub-a","config_entry_id":"a","composite_device_id":"hub"},
	{"id":"kept","config_entry_id":"a","composite_device_id":"gone"},
	{"id":"gone","config_entry_id":"b"},
	{"id":"strip","area_id":"office","manufacturer":"Shelly"},
	{"id":"outlet","parent_device_id":"strip","name":"Outlet 1"},
	{"id":"far outlet","parent_device_id":"strip","area_id":"salon"}],
	"entities":[
	{"entity_id":"media_player.cast","id":"1","device_id":"tv-cast"},
	{"entity_id":"media_player.dlna","id":"2","device_id":"tv-dlna"},
	{"entity_id":"switch.outlet","id":"3","device_id":"outlet"}]}`

// A device is found by the id of the one it was split from, and filters by that id mean all of its successors.
func TestSplitDevices(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", registryPath, splitHome).want(200)
	for id, want := range map[string]string{"tv": "tv-dlna", "hub": "hub-a", "tv-cast": "tv-cast", "gone": "gone"} {
		row := c.row("/api/v1/devices/" + id)
		from, split := row["split_from"]
		if row["device_id"] != want || split != (id != want) || split && from != id {
			t.Errorf("%s: got %v, split from %v, want %s", id, row["device_id"], from, want)
		}
	}
	c.get("/api/v1/devices/none").problem(404)
	row := c.row("/api/v1/devices/tv?fields=name&include=entities")
	if entities := row["entities"].([]any); row["split_from"] != "tv" || row["name"] != "TV" || len(entities) != 1 {
		t.Errorf("with its entities: %v", row)
	}
	for path, want := range map[string][]string{
		"devices?device_id=tv":                     {"tv-cast", "tv-dlna"},
		"devices?device_id=tv,tv-dlna":             {"tv-cast", "tv-dlna"},
		"devices?device_id=gone":                   {"gone", "kept"},
		"devices?device_id=hub&limit=1":            {"hub-a"},
		"devices?area_id=salon&device_id=tv,strip": {"tv-cast", "tv-dlna"},
	} {
		if got := idsIn(c.row("/api/v1/"+path), "devices", "device_id"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	list := c.row("/api/v1/entities?device_id=tv&total=true")
	if got := idsIn(list, "entities", "entity_id"); !slices.Equal(got, []string{"media_player.cast", "media_player.dlna"}) || list["total"] != 2.0 {
		t.Errorf("entities of what was split: %v", list)
	}
}

// A child device is where its parent is and by whom that is, unless it says so itself; so are its entities.
func TestChildDevices(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", registryPath, splitHome).want(200)
	for id, area := range map[string]string{"outlet": "office", "far outlet": "salon"} {
		row := c.row("/api/v1/devices/" + url.PathEscape(id))
		if row["area_id"] != area || row["manufacturer"] != "Shelly" || row["parent_device_id"] != "strip" {
			t.Errorf("%s: %v", id, row)
		}
	}
	c.write("PATCH", registryPath, `{"devices":[{"id":"strip","area_id":"attic","manufacturer":"Other"}]}`).want(200)
	if row := c.row("/api/v1/devices/outlet"); row["area_id"] != "attic" || row["manufacturer"] != "Other" {
		t.Errorf("after its parent moved: %v", row)
	}
	if row := c.row("/api/v1/entities/switch.outlet"); row["area_id"] != "attic" {
		t.Errorf("an entity of it: %v", row)
	}
	c.write("PUT", registryPath+"?force=true", `{"devices":[{"id":"outlet"}]}`).want(200)
	if row := c.row("/api/v1/devices/outlet"); row["area_id"] != nil || row["manufacturer"] != "Unknown" || row["parent_device_id"] != "strip" {
		t.Errorf("without its parent: %v", row)
	}
}
