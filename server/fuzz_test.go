package server

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// parametersOf are the parameters of the routes that are fuzzed.
var parametersOf = map[string][]string{
	"/api/v1/devices": {"area_id", "cursor", "device_id", "disabled", "domain", "entity_id", "fields", "floor_id", "integration", "label_id", "limit",
		"manufacturer", "model", "platform", "q", "total"},
	"/api/v1/entities": {"area_id", "cursor", "device_class", "device_id", "disabled", "domain", "entity_category", "entity_id", "fields", "floor_id",
		"integration", "label_id", "limit", "manufacturer", "model", "platform", "q", "total"},
	"/api/v1/config_entries": {"cursor", "domain", "fields", "limit", "q", "state", "total"},
	"/api/v1/areas/kitchen":  {"fields"},
}

// FuzzQuery throws query strings at the lists: the answer is a 200 with a list, or a 422 that names each
// parameter that the route does not have.
func FuzzQuery(f *testing.F) {
	for _, filter := range slices.Concat(deviceFilters, entityFilters) {
		f.Add(filter.query)
	}
	for _, seed := range []string{"limit=1&cursor=" + sealCursor("devices", "bare"), "fields=name,device_id&total=true", "%", "a=%zz", ";", "&&&", "=", "=x", "x", "LIMIT=1",
		"limit=1&limit=2", "q=\x00", "q=%ff", "area_id=,", "fields=,", "cursor==", "limit=\u0661", "total=true&unknown=\xff", "manufacturer=" + strings.Repeat("x", 300)} {
		f.Add(seed)
	}
	c := furnish(inMemory(f))
	f.Fuzz(func(t *testing.T, text string) {
		for path, names := range parametersOf {
			r := httptest.NewRequest("GET", path, nil)
			r.URL.RawQuery = text
			w := httptest.NewRecorder()
			c.server.ServeHTTP(w, r)
			a := response{t, w.Code, w.Header(), w.Body.Bytes()}
			values, err := url.ParseQuery(text)
			bad := err != nil
			for name := range values {
				if !slices.Contains(names, name) {
					bad = true
					a.names(name)
				}
			}
			if !bad && a.status != 422 {
				a.want(200)
			} else {
				a.problem(422)
			}
			if !json.Valid(a.body) {
				t.Errorf("%s?%s: %q", path, text, a.body)
			}
		}
	})
}

// names holds a 422 to a parameter that it must name, as JSON can say it.
func (a response) names(parameter string) {
	a.Helper()
	text, _ := json.Marshal(parameter)
	var name string
	if err := json.Unmarshal(text, &name); err != nil {
		a.Fatal(err)
	}
	if !slices.Contains(a.badFields(), name) {
		a.Errorf("%q is not named in %s", name, a.body)
	}
}

// FuzzBatch throws bodies at the bulk upserts: whatever is in them, they are taken or refused, and
// everything can be read after.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"id":"a"}]`, `[{"entity_id":"light.a","id":"r"},{"entity_id":"light.b","id":"r"}]`, `[null,7,"x",[],{}]`, `[{"id":"\ud800"}]`,
		`[{"id":"a","labels":["x","\u0000"],"area_id":"\u0000"}]`, `[{"entity_id":"a.b","options":{"a":1e999},"labels":[[]]}]`, "[{\"id\":\"\xff\"}]",
		`[{"id":"a","parent_device_id":"a","via_device_id":"a"}]`, `[{"id":"a","identifiers":[["x",{"a":[1]}]],"config_entries":["e"]}]`} {
		f.Add(seed)
	}
	c := inMemory(f)
	f.Fuzz(func(t *testing.T, body string) {
		own := &caller{TB: t, db: c.db, server: c.server, url: c.url, log: c.log}
		for _, noun := range []string{"devices", "entities"} {
			if a := own.post(noun, body); a.status != 200 {
				a.problem(400)
			}
		}
		for _, path := range []string{"devices", "entities", "labels", "areas"} {
			if a := own.get("/api/v1/" + path + "?limit=1000").want(200); !json.Valid(a.body) || !validText(a.body) {
				t.Errorf("%s: %q", path, a.body)
			}
		}
		own.do("DELETE", "/internal/devices/clear", "").want(200)
	})
}
