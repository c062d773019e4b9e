package hass

import (
	"fmt"
	"strconv"
	"testing"
)

func TestIDs(t *testing.T) {
	const isMissing, isNoString, isEmpty = "is missing", "must be a string", "must not be empty"
	cases := []struct {
		kind            Kind
		entry           string
		id, field, want string
	}{
		{Floors, `{}`, "-", "floor_id", isMissing},
		{Floors, `{"floor_id":null}`, "-", "floor_id", isNoString},
		{Floors, `{"floor_id":1}`, "-", "floor_id", isNoString},
		{Floors, `{"floor_id":""}`, "", "floor_id", isEmpty},
		{Floors, `null`, "-", "", "must be an object"},
		{Floors, `"x"`, "-", "", "must be an object"},
		{Floors, `[{}]`, "-", "", "must be an object"},
		{Labels, `{"label_id":["a"]}`, "-", "label_id", isNoString},
		{Areas, `{}`, "-", "area_id", isMissing},
		{Areas, `{"id":""}`, "", "id", isEmpty},
		{Areas, `{"area_id":null,"id":"kitchen"}`, "-", "area_id", isNoString},
		{ConfigEntries, `{"entry_id":"e"}`, "e", "domain", isMissing},
		{ConfigEntries, `{"domain":"hue"}`, "-", "entry_id", isMissing},
		{Devices, `{"name":"x"}`, "-", "id", isMissing},
		{Devices, `{"device_id":false}`, "-", "device_id", isNoString},
		{Entities, `{"entity_id":"light"}`, "light", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":"Light.A"}`, "Light.A", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":"light.a b"}`, "light.a b", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":"~.1"}`, "~.1", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":"light.a\n"}`, "light.a\n", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":"a.b.c"}`, "a.b.c", "entity_id", errEntityID.Error()},
		{Entities, `{"entity_id":""}`, "", "entity_id", errEntityID.Error()},
		{Entities, `{"id":"r1"}`, "-", "entity_id", isMissing},
	}
	d := openMemory(t)
	for _, c := range cases {
		result := take(t, d, c.kind, "["+c.entry+"]")
		wantCounts(t, result, "0/0/0/1")
		if got, want := rejections(result), fmt.Sprintf("0 %s %s: %s\n", c.id, c.field, c.want); got != want {
			t.Errorf("%s %s: got %q, want %q", c.kind, c.entry, got, want)
		}
	}
}

// The files and the WebSocket API call some ids by different names.
func TestIDsByEitherName(t *testing.T) {
	d := openMemory(t)
	wantCounts(t, take(t, d, Areas, `[{"id":"kitchen","name":"A"}]`), "1/0/0/0")
	wantCounts(t, take(t, d, Areas, `[{"area_id":"kitchen","name":"B"}]`), "0/1/0/0")
	wantCounts(t, take(t, d, Devices, `[{"id":"d","name":"A"}]`), "1/0/0/0")
	wantCounts(t, take(t, d, Devices, `[{"device_id":"d","name":"B"}]`), "0/1/0/0")
	wantCounts(t, take(t, d, Entities, `[{"entity_id":"light.a","id":"r"}]`), "1/0/0/0")
	wantCounts(t, take(t, d, Entities, `[{"entity_id":"light.b","registry_id":"r"}]`), "0/1/0/0")
}

// An id may be any text: what it holds is never taken apart.
func TestOddIDs(t *testing.T) {
	odd := []string{"a/b", "a b", "Küche", "客厅", "😀", "%2F", "it's", `say "x"`, "a\tb", "-1", "null", "a,b"}
	for _, s := range subjects() {
		if s.kind == Entities {
			continue
		}
		d := openMemory(t)
		for _, id := range odd {
			list := fmt.Sprintf(`[{%q:%s%s}]`, s.id, strconv.Quote(id), s.needs)
			wantCounts(t, take(t, d, s.kind, list), "1/0/0/0")
			wantCounts(t, take(t, d, s.kind, list), "0/0/1/0")
			if got := s.row(t, d, id)["key"]; got == "" {
				t.Errorf("%s %q is not found", s.kind, id)
			}
		}
	}
}
