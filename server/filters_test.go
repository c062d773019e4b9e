package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dataapi/internal/hass"
)

// furnish fills a home in which every filter finds something and leaves something out. In the kitchen
// stand lamp, and child through its parent lamp; hub has no area; switch.plug has another than its device.
func furnish(c *caller) *caller {
	c.Helper()
	c.apply(hass.Floors, `[{"floor_id":"ground","name":"Ground","level":0,"aliases":["Erdgeschoss"]},{"floor_id":"upper","name":"Upper"}]`)
	c.apply(hass.Labels, `[{"label_id":"warm","name":"Warm","description":"gives heat"},{"label_id":"cold","name":"Kalt 100%"}]`)
	c.apply(hass.Areas, `[{"area_id":"kitchen","name":"Küche","floor_id":"ground","labels":["warm"],"aliases":["galley"]},
		{"area_id":"hall","name":"Hall","floor_id":"ground"},{"area_id":"bath","name":"Bath","floor_id":"upper","labels":["warm","cold"]},
		{"area_id":"attic","name":"Attic"}]`)
	c.apply(hass.ConfigEntries, `[{"entry_id":"e1","domain":"hue","title":"Bridge","state":"loaded","version":1},
		{"entry_id":"e2","domain":"zha","title":"Stick","state":"setup_retry"}]`)
	c.pushOnly("devices", `[
		{"id":"lamp","name":"Lamp","manufacturer":"Signify","model":"LCT015","area_id":"kitchen","labels":["warm"],"config_entries":["e1"],"sw_version":"1.2"},
		{"id":"child","parent_device_id":"lamp","name":"Child"},
		{"id":"plug","name":"Plug","manufacturer":"IKEA","model":"Tradfri","area_id":"hall","labels":["cold"],"config_entries":["e2"],"disabled_by":"user"},
		{"id":"hub","manufacturer":"Signify","model":"BSB002","primary_config_entry":"e1"},
		{"id":"bare","area_id":"bath"}]`)
	c.pushOnly("entities", `[
		{"entity_id":"light.lamp","platform":"hue","device_id":"lamp","name":"Lampe 100%","labels":["warm"],"config_entry_id":"e1"},
		{"entity_id":"sensor.lamp_power","platform":"hue","device_id":"lamp","original_device_class":"power","entity_category":"diagnostic"},
		{"entity_id":"switch.plug","platform":"zha","device_id":"plug","area_id":"attic","labels":["cold"]},
		{"entity_id":"sensor.plug_temp","platform":"zha","device_id":"plug","device_class":"temperature","disabled_by":"integration","unique_id":"u1"},
		{"entity_id":"sensor.hub_power","platform":"mqtt","device_id":"hub","device_class":"power","entity_category":"config"},
		{"entity_id":"automation.wake","platform":"automation","area_id":"bath","labels":["warm","cold"]},
		{"entity_id":"script.lost","device_id":"nowhere"}]`)
	return c
}

// filtered is a list, a query, and the ids that it must give.
type filtered struct{ query, want string }

var deviceFilters = []filtered{
	{"", "bare child hub lamp plug"},
	{"device_id=lamp", "lamp"},
	{"device_id=lamp,hub,nobody", "hub lamp"},
	{"device_id=lamp&device_id=hub", "hub lamp"},
	{"device_id=lamp,lamp", "lamp"},
	{"device_id=LAMP", ""},
	{"entity_id=light.lamp,switch.plug", "lamp plug"},
	{"entity_id=light.lamp,sensor.lamp_power", "lamp"},
	{"label_id=warm", "lamp"},
	{"label_id=warm,cold", "lamp plug"},
	{"area_id=kitchen", "child lamp"},
	{"area_id=kitchen,hall", "child lamp plug"},
	{"area_id=none", "hub"},
	{"area_id=none,bath", "bare hub"},
	{"area_id=attic", ""},
	{"area_id=null", ""},
	{"floor_id=ground", "child lamp plug"},
	{"floor_id=upper", "bare"},
	{"floor_id=none", ""},
	{"manufacturer=Signify", "child hub lamp"},
	{"manufacturer=Unknown", "bare"},
	{"manufacturer=signify", ""},
	{"model=LCT015", "lamp"},
	{"model=Unknown", "bare child"},
	{"integration=hue", "hub lamp"},
	{"integration=zha", "plug"},
	{"platform=zha", "plug"},
	{"platform=mqtt", "hub"},
	{"domain=sensor", "hub lamp plug"},
	{"domain=light", "lamp"},
	{"disabled=true", "plug"},
	{"disabled=false", "bare child hub lamp"},
	{"q=lam", "lamp"},
	{"q=signify", "child hub lamp"},
	{"q=amp", ""},
}

var entityFilters = []filtered{
	{"", "automation.wake light.lamp script.lost sensor.hub_power sensor.lamp_power sensor.plug_temp switch.plug"},
	{"entity_id=light.lamp,script.lost", "light.lamp script.lost"},
	{"device_id=lamp", "light.lamp sensor.lamp_power"},
	{"device_id=nowhere", "script.lost"},
	{"device_id=nowhere,hub", "script.lost sensor.hub_power"},
	{"label_id=warm", "automation.wake light.lamp"},
	{"label_id=warm,cold", "automation.wake light.lamp switch.plug"},
	{"area_id=kitchen", "light.lamp sensor.lamp_power"},
	{"area_id=attic,hall", "sensor.plug_temp switch.plug"},
	{"area_id=none", "script.lost sensor.hub_power"},
	{"area_id=none,attic", "script.lost sensor.hub_power switch.plug"},
	{"floor_id=ground", "light.lamp sensor.lamp_power sensor.plug_temp"},
	{"manufacturer=Signify", "light.lamp sensor.hub_power sensor.lamp_power"},
	{"manufacturer=Unknown", ""},
	{"model=Tradfri", "sensor.plug_temp switch.plug"},
	{"integration=hue", "light.lamp sensor.lamp_power"},
	{"platform=zha", "sensor.plug_temp switch.plug"},
	{"platform=unknown", "script.lost"},
	{"domain=sensor", "sensor.hub_power sensor.lamp_power sensor.plug_temp"},
	{"device_class=power", "sensor.hub_power sensor.lamp_power"},
	{"device_class=temperature", "sensor.plug_temp"},
	{"entity_category=diagnostic", "sensor.lamp_power"},
	{"entity_category=config", "sensor.hub_power"},
	{"disabled=true", "sensor.plug_temp"},
	{"disabled=false", "automation.wake light.lamp script.lost sensor.hub_power sensor.lamp_power switch.plug"},
	{"q=PLUG", "sensor.plug_temp switch.plug"},
	{"q=100%25", "automation.wake light.lamp switch.plug"}, // two by the name of their label
	{"q=ower", ""},
	{"q=pow+lamp", "sensor.lamp_power"},
}

var otherFilters = map[string][]filtered{
	"floors floor_id": {{"", "ground upper"}, {"q=erdg", "ground"}, {"q=nothing", ""}},
	"labels label_id": {{"", "cold warm"}, {"label_id=warm", "warm"}, {"label_id=warm,cold", "cold warm"}, {"q=heat", "warm"}, {"q=100%25", "cold"}},
	"areas area_id": {{"", "attic bath hall kitchen"}, {"area_id=bath,hall", "bath hall"}, {"floor_id=ground", "hall kitchen"},
		{"label_id=warm", "bath kitchen"}, {"label_id=cold,warm", "bath kitchen"}, {"q=K%C3%BCche", "kitchen"}, {"q=galley", "kitchen"},
		{"label_id=warm&floor_id=upper", "bath"}},
	"config_entries entry_id": {{"", "e1 e2"}, {"domain=hue", "e1"}, {"state=setup_retry", "e2"}, {"domain=hue&state=setup_retry", ""}, {"q=stick", "e2"}},
}

// check holds a list to one query: the ids in order, count and total.
func (f filtered) check(c *caller, noun, member string) {
	c.Helper()
	path := "/api/v1/" + noun + "?total=true&" + f.query
	list := c.row(strings.TrimSuffix(path, "&"))
	if got := strings.Join(idsIn(list, noun, member), " "); got != f.want {
		c.Errorf("%s?%s: got %q, want %q", noun, f.query, got, f.want)
	}
	n := float64(len(strings.Fields(f.want)))
	if list["count"] != n || list["total"] != n {
		c.Errorf("%s?%s: count %v, total %v, want %v", noun, f.query, list["count"], list["total"], n)
	}
}

func TestEveryFilter(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, f := range deviceFilters {
		f.check(c, "devices", "device_id")
	}
	for _, f := range entityFilters {
		f.check(c, "entities", "entity_id")
	}
	for list, filters := range otherFilters {
		noun, member, _ := strings.Cut(list, " ")
		for _, f := range filters {
			f.check(c, noun, member)
		}
	}
}

// TestFiltersTogether holds every pair of filters to what the two give alone: what both have.
func TestFiltersTogether(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for noun, filters := range map[string][]filtered{"devices": deviceFilters, "entities": entityFilters} {
		member := map[string]string{"devices": "device_id", "entities": "entity_id"}[noun]
		for i, a := range filters {
			for _, b := range filters[i+1:] {
				both, ok := a.and(b)
				if ok {
					both.check(c, noun, member)
				}
			}
		}
	}
}

// and is both filters at once, unless they are the same one.
func (f filtered) and(other filtered) (filtered, bool) {
	name := func(f filtered) string { name, _, _ := strings.Cut(f.query, "="); return name }
	if name(f) == name(other) || f.query == "" || other.query == "" {
		return filtered{}, false
	}
	had := strings.Fields(other.want)
	both := slices.DeleteFunc(strings.Fields(f.want), func(id string) bool { return !slices.Contains(had, id) })
	return filtered{f.query + "&" + other.query, strings.Join(both, " ")}, true
}

func TestBadFilters(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	long := strings.Repeat("x", 256)
	for _, test := range []struct{ path, want string }{
		{"devices?colour=red", "colour"},
		{"devices?area=kitchen&limit=0&disabled=yes&fields=nope", "area disabled fields limit"},
		{"devices?Area_id=kitchen", "Area_id"},
		{"devices?area_id=", "area_id"},
		{"devices?area_id=kitchen,", "area_id"},
		{"devices?manufacturer=", "manufacturer"},
		{"devices?manufacturer=A&manufacturer=B", "manufacturer"},
		{"devices?manufacturer=" + long, "manufacturer"},
		{"devices?manufacturer=%FF", "manufacturer"},
		{"devices?device_id=%FF", "device_id"},
		{"devices?device_id=" + long, "device_id"},
		{"devices?device_id=" + strings.Repeat("a,", 1000) + "a", "device_id"},
		{"devices?q=%25", "q"},
		{"devices?q=_", "q"},
		{"devices?q=%00", "q"},
		{"search", "q"},
		{"search?q=", "q"},
		{"search?q=...&kind=zone&limit=0", "kind limit q"},
		{"devices?disabled=1", "disabled"},
		{"devices?disabled=TRUE", "disabled"},
		{"devices?total=maybe", "total"},
		{"devices?entity_category=config", "entity_category"},
		{"entities?state=loaded", "state"},
		{"areas?domain=light", "domain"},
		{"floors?floor_id=ground", "floor_id"},
		{"config_entries?area_id=none", "area_id"},
		{"devices?limit=5;total=true", ""},
		{"devices?limit=%zz", ""},
		{"devices/lamp?limit=5", "limit"},
		{"integrations/hue/analytics?x=", "x"},
	} {
		if got := strings.Join(c.get("/api/v1/"+test.path).badFields(), " "); got != test.want {
			t.Errorf("%.80s: got fields %q, want %q", test.path, got, test.want)
		}
	}
}

// TestHostileFilters sends SQL and other poison as values: all are taken as text.
func TestHostileFilters(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	for _, poison := range []string{`' OR 1=1 --`, `"];DROP TABLE devices;`, `%`, `*`, "\x00", "null", `["lamp"]`, `{`, "😀", "\\", "\u2028"} {
		for _, name := range []string{"device_id", "entity_id", "label_id", "area_id", "floor_id", "manufacturer", "model", "integration", "platform", "domain"} {
			for _, noun := range []string{"devices", "entities"} {
				path := fmt.Sprintf("/api/v1/%s?%s=%s", noun, name, url.QueryEscape(poison))
				if n := c.row(path)["count"]; n != 0.0 {
					t.Errorf("%s: count %v", path, n)
				}
			}
		}
	}
	deviceFilters[0].check(c, "devices", "device_id")
}
