package server

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// shape is the members that an existing client reads, with their types; "?" allows null.
type shape map[string]string

// check holds an object to the shape. Members beyond it are fine.
func (s shape) check(t *testing.T, where string, value any) {
	t.Helper()
	object, _ := value.(map[string]any)
	for name, want := range s {
		v, there := object[name]
		kind := fmt.Sprintf("%T", v)
		if want == "time" {
			if _, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v)); err != nil || !strings.HasSuffix(v.(string), "Z") {
				t.Errorf("%s: %s is %v, want RFC 3339 in UTC", where, name, v)
			}
		} else if !there || kind != strings.TrimSuffix(want, "?") && !(v == nil && strings.HasSuffix(want, "?")) {
			t.Errorf("%s: %s is %v (%s), want %s", where, name, v, kind, want)
		}
	}
}

var (
	deviceShape = shape{"device_id": "string", "name": "string", "manufacturer": "string", "model": "string", "sw_version": "string?",
		"area_id": "string?", "integration": "string?", "entity_count": "float64", "timestamp": "time"}
	entityShape = shape{"entity_id": "string", "device_id": "string?", "domain": "string", "platform": "string", "unique_id": "string?",
		"area_id": "string?", "disabled": "bool", "timestamp": "time"}
	integrationShape = shape{"entry_id": "string", "domain": "string", "title": "string", "state": "string?", "version": "float64?", "timestamp": "time"}
	analyticsShape   = shape{"platform": "string", "device_count": "float64", "entity_count": "float64", "entity_breakdown": "[]interface {}", "timestamp": "time"}
	bulkShape        = shape{"success": "bool", "upserted": "float64", "timestamp": "time", "created": "float64", "updated": "float64",
		"unchanged": "float64", "deleted": "float64", "rejected": "[]interface {}"}
	healthShape = shape{"status": "string", "service": "string", "version": "string", "timestamp": "time", "uptime_seconds": "float64",
		"dependencies": "map[string]interface {}", "authentication": "map[string]interface {}"}
	influxShape = shape{"status": "string", "url": "string?", "query_count": "float64", "avg_query_time_ms": "float64?", "success_rate": "float64?"}
	sqliteShape = shape{"status": "string", "journal_mode": "string?", "database_size_mb": "float64", "wal_enabled": "bool", "connection": "string"}
)

func TestShapesThatClientsRead(t *testing.T) {
	t.Parallel()
	c := furnish(inFile(t))
	for noun, s := range map[string]shape{"devices": deviceShape, "entities": entityShape, "integrations": integrationShape} {
		list := c.row("/api/" + noun + "?limit=1000")
		shape{"count": "float64"}.check(t, noun, list)
		for _, item := range list[noun].([]any) {
			s.check(t, noun, item)
		}
	}
	deviceShape.check(t, "device", c.row("/api/devices/bare"))
	entityShape.check(t, "entity", c.row("/api/entities/script.lost"))
	analyticsShape.check(t, "analytics", c.row("/api/integrations/hue/analytics"))
	bulkShape.check(t, "bulk", c.post("devices", `[{"id":"lamp"},7]`).want(200).json())
	h := c.row("/health")
	healthShape.check(t, "health", h)
	influxShape.check(t, "influxdb", h["dependencies"].(map[string]any)["influxdb"])
	sqliteShape.check(t, "sqlite", h["dependencies"].(map[string]any)["sqlite"])
	shape{"enabled": "bool"}.check(t, "authentication", h["authentication"])
}

func TestValuesThatClientsRead(t *testing.T) {
	t.Parallel()
	c := furnish(inFile(t))
	for _, test := range []struct{ path, want string }{
		{"/api/devices/bare", `{"name":"bare","manufacturer":"Unknown","model":"Unknown","area_id":"bath","integration":null,"entity_count":0,"sw_version":null}`},
		{"/api/devices/lamp", `{"name":"Lamp","manufacturer":"Signify","model":"LCT015","area_id":"kitchen","integration":"hue","entity_count":2,"sw_version":"1.2"}`},
		{"/api/devices/child", `{"name":"Child","manufacturer":"Signify","model":"Unknown","area_id":"kitchen","own_area_id":null}`},
		{"/api/devices/hub", `{"name":"BSB002","area_id":null,"integration":"hue"}`},
		{"/api/entities/script.lost", `{"platform":"unknown","domain":"script","device_id":"nowhere","area_id":null,"disabled":false,"unique_id":null,"name":"lost"}`},
		{"/api/entities/sensor.plug_temp", `{"platform":"zha","domain":"sensor","device_id":"plug","area_id":"hall","disabled":true,"unique_id":"u1"}`},
		{"/api/entities/light.lamp", `{"name":"Lampe 100%","labels":["warm"],"floor_id":"ground","area_name":"Küche"}`},
		{"/api/v1/config_entries/e2", `{"entry_id":"e2","domain":"zha","title":"Stick","state":"setup_retry","version":null,"device_count":1}`},
		{"/api/integrations/hue/analytics", `{"platform":"hue","device_count":2,"entity_count":2,"entity_breakdown":[{"domain":"light","count":1},{"domain":"sensor","count":1}]}`},
		{"/api/integrations/automation/analytics", `{"platform":"automation","device_count":0,"entity_count":1,"entity_breakdown":[{"domain":"automation","count":1}]}`},
		{"/api/v1/labels/warm", `{"name":"Warm","area_count":2,"device_count":1,"entity_count":2}`},
		{"/api/v1/areas/kitchen", `{"name":"Küche","floor_name":"Ground","device_count":2,"entity_count":2,"aliases":["galley"]}`},
		{"/api/v1/floors/ground", `{"name":"Ground","level":0,"area_count":2,"aliases":["Erdgeschoss"]}`},
		{"/health", `{"status":"healthy","service":"data-api","version":"test","authentication":{"enabled":false,"wrong_keys":0}}`},
		{"/", `{"service":"data-api","version":"test"}`},
		{"/api/info", `{"service":"data-api","version":"test"}`},
	} {
		c.wantMembers(test.path, test.want)
	}
}

// wantMembers holds the members of the object at path to those of want; others may be there.
func (c *caller) wantMembers(path, want string) {
	c.Helper()
	var wanted map[string]json.RawMessage
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		c.Fatal(err)
	}
	row := c.row(path)
	for name, text := range wanted {
		var v any
		json.Unmarshal(text, &v)
		got, _ := json.Marshal(row[name])
		want, _ := json.Marshal(v)
		if string(got) != string(want) {
			c.Errorf("%s: %s is %s, want %s", path, name, got, want)
		}
	}
}

// TestAliases holds the paths of the service before this one to the canonical ones, byte by byte.
func TestAliases(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, path := range []string{"devices", "devices?limit=2&total=true", "devices?area_id=kitchen,none&fields=name,device_id", "devices/lamp", "devices/lamp?fields=name",
		"entities", "entities?limit=10000&domain=sensor", "entities?limit=3", "entities/light.lamp", "entities/script.lost?fields=platform"} {
		old, canonical := c.get("/api/"+path).want(200), c.get("/api/v1/"+path).want(200)
		if string(old.body) != string(canonical.body) || old.header.Get("Etag") != canonical.header.Get("Etag") {
			t.Errorf("%s: got %s, want %s", path, old.body, canonical.body)
		}
	}
	for _, query := range []string{"", "?domain=hue", "?fields=domain,title&total=true"} {
		old := c.get("/api/integrations" + query).want(200).body
		want := c.get("/api/v1/config_entries" + query).want(200).body
		if got := strings.Replace(string(old), `"integrations":[`, `"config_entries":[`, 1); got != string(want) {
			t.Errorf("integrations%s: got %s, want %s", query, got, want)
		}
	}
	for _, domain := range []string{"hue", "zha", "automation"} {
		old, canonical := c.row("/api/integrations/"+domain+"/analytics"), c.row("/api/v1/integrations/"+domain+"/analytics")
		old["timestamp"], canonical["timestamp"] = nil, nil
		if got, want := fmt.Sprint(old), fmt.Sprint(canonical); got != want {
			t.Errorf("analytics of %s: got %s, want %s", domain, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, test := range []struct{ path, want string }{
		{"/api/v1/devices/lamp?fields=model,device_id", `{"model":"LCT015","device_id":"lamp"}`},
		{"/api/v1/devices/lamp?fields=name&fields=name,labels", `{"name":"Lamp","labels":["warm"]}`},
		{"/api/v1/entities?fields=entity_id&domain=light", `{"entities":[{"entity_id":"light.lamp"}],"count":1,"limit":100,"next_cursor":null}`},
		{"/api/v1/floors/upper?fields=level", `{"level":null}`},
		{"/api/v1/areas/attic?fields=floor_name,name", `{"floor_name":null,"name":"Attic"}`},
	} {
		if got := string(c.get(test.path).want(200).body); got != test.want+"\n" {
			t.Errorf("%s: got %s, want %s", test.path, got, test.want)
		}
	}
	for _, bad := range []string{"fields=", "fields=key", "fields=-", "fields=Name", "fields=name,", "fields=name,nope", "fields=name%20", "fields=*"} {
		for _, path := range []string{"devices?", "devices/lamp?", "devices/nobody?", "entities?", "areas/hall?", "config_entries?"} {
			if got := c.get("/api/v1/" + path + bad).badFields(); !slices.Equal(got, []string{"fields"}) {
				t.Errorf("%s%s: fields %v", path, bad, got)
			}
		}
	}
}

// TestEveryMemberAlone asks for each member of each noun by itself, and compares it with the whole row.
func TestEveryMemberAlone(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, path := range []string{"floors/ground", "labels/warm", "areas/kitchen", "devices/lamp", "entities/sensor.plug_temp", "config_entries/e1"} {
		whole := c.row("/api/v1/" + path)
		if _, has := whole["key"]; has {
			t.Errorf("%s shows its key", path)
		}
		for name, want := range whole {
			alone := c.row("/api/v1/" + path + "?fields=" + name)
			if len(alone) != 1 || fmt.Sprint(alone[name]) != fmt.Sprint(want) {
				t.Errorf("%s?fields=%s: got %v, want %v", path, name, alone, want)
			}
		}
	}
}
