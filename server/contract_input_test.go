package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// input is what the contract says of a bulk upsert.
type input struct {
	noun, id, schema string
	columns          reflect.Type // the row's own columns
}

var inputs = []input{
	{"devices", "id", "HomeAssistantDevice", reflect.TypeFor[db.SaveDeviceParams]()},
	{"entities", "entity_id", "HomeAssistantEntity", reflect.TypeFor[db.SaveEntityParams]()},
}

// Home Assistant's objects have a member for each column that is not ours alone.
func TestContractHasTheInput(t *testing.T) {
	api := read(t)
	for _, in := range inputs {
		members := sortedKeys(api.Components.Schemas[in.schema].Properties)
		for i := range in.columns.NumField() {
			name := in.columns.Field(i).Tag.Get("json")
			if !slices.Contains([]string{"-", "key", "extra", "updated_at"}, name) && !slices.Contains(members, name) {
				t.Errorf("%s lacks %s", in.schema, name)
			}
		}
	}
}

// samples are values of the types that a schema allows.
func (c *contract) samples(s *schema) []any {
	s = c.flat(s)
	values := map[string]any{"null": nil, "boolean": true, "integer": 7, "number": 7.5, "object": map[string]any{"a": 1}, "string": "text"}
	if s.Format == "date-time" {
		values["string"] = "2026-09-01T06:30:12.25+02:00"
	}
	values["array"] = []any{[]string{"a", "b"}}
	if s.Items != nil && slices.Equal(s.Items.Type, words{"string"}) {
		values["array"] = []string{"a"}
	}
	var allowed []any
	for _, name := range s.Type {
		allowed = append(allowed, values[name])
	}
	return allowed
}

// entries are objects that have one member each beside their id: all members, with all their types.
func (in input) entries(api *contract) []map[string]any {
	var all []map[string]any
	properties := api.Components.Schemas[in.schema].Properties
	for _, name := range sortedKeys(properties) {
		if name == in.id || name == "device_id" && in.noun == "devices" {
			continue
		}
		for _, value := range api.samples(properties[name]) {
			id := fmt.Sprintf("test.%s_%d", strings.ToLower(name), len(all))
			if name == "id" || name == "registry_id" {
				id = "test.same" // one registry id, one entity
			}
			all = append(all, map[string]any{in.id: id, name: value})
		}
	}
	return all
}

// What the contract allows is taken, into a column; only what it does not name goes to extra.
func TestContractInputIsTaken(t *testing.T) {
	c, api := serve(t, opened(t)), read(t)
	for _, in := range inputs {
		entries := in.entries(api)
		result := c.upsert(in.noun, entries)
		for _, r := range result.Rejected {
			t.Errorf("%s: %v was rejected: %s", in.noun, entries[r.Index], r.Reason)
		}
		target := "/api/v1/" + in.noun + "?limit=1000&fields=name,extra"
		for _, row := range decode[map[string]any](t, c.find(target, http.StatusOK).body)[in.noun].([]any) {
			if extra := row.(map[string]any)["extra"]; !reflect.DeepEqual(extra, map[string]any{}) {
				t.Errorf("%s: a member of the contract went to extra: %v", in.noun, extra)
			}
		}
	}
}

// upserted is what these tests read of the answer to a bulk upsert.
type upserted struct {
	Upserted int
	Rejected []struct {
		Index  int
		Reason string
	}
}

func (c client) upsert(noun string, entries any) upserted {
	c.Helper()
	body, err := json.Marshal(entries)
	if err != nil {
		c.Fatal(err)
	}
	target := "/internal/" + noun + "/bulk_upsert"
	a := c.proper(request{http.MethodPost, target, string(body), plainJSON}, http.StatusOK)
	return decode[upserted](c.T, a.body)
}
