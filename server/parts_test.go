package server_test

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"testing"
)

// A device with its parts is the device, the entities that are listed for it, and the area that it is in.
func TestDevicesWithParts(t *testing.T) {
	c := serve(t, furnished(t, "../testdata/demo-home"))
	listed := decode[row](t, c.find("/api/v1/devices?limit=1000", http.StatusOK).body)["devices"].([]any)
	entities := 0
	for _, item := range listed {
		device := item.(row)
		id := url.PathEscape(device["device_id"].(string))
		want := maps.Clone(device)
		want["entities"] = decode[row](t, c.find("/api/v1/entities?limit=10000&device_id="+id, http.StatusOK).body)["entities"]
		want["area"] = nil
		if area, in := device["area_id"].(string); in {
			want["area"] = decode[any](t, c.find("/api/v1/areas/"+area, http.StatusOK).body)
		}
		if got := decode[row](t, c.find("/api/v1/devices/"+id+"?include=area,entities", http.StatusOK).body); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: got %v, want %v", id, got, want)
		}
		entities += len(want["entities"].([]any))
	}
	if entities < 400 {
		t.Errorf("the devices have %d entities", entities)
	}
}

func TestDevicePartsAndFields(t *testing.T) {
	c := serve(t, opened(t))
	c.upsert("devices", []row{{"id": "d", "area_id": "a"}})
	got := decode[row](t, c.find("/api/v1/devices/d?fields=device_id&include=entities", http.StatusOK).body)
	if want := (row{"device_id": "d", "entities": []any{}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	c.find("/api/v1/devices/nobody?include=area", http.StatusNotFound)
	for _, bad := range []string{"include=", "include=labels", "include=area,", "include=area&foo=1", "include=area&fields=x"} {
		c.get("/api/v1/devices/d?"+bad, http.StatusUnprocessableEntity)
	}
}
