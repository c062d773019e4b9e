package server

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// columnKind is what a member of an entry may hold: examples of what is right, and all that is wrong.
type columnKind struct {
	right, wrong []string
}

var (
	textColumn   = columnKind{[]string{`"text"`, `""`, `"\u0000"`}, []string{"7", "1.5", "true", "[]", "{}", `["a"]`}}
	anyText      = columnKind{[]string{`"text"`, "7", "1.5", "true", `["a"]`, `{"a":1}`}, nil}
	nameColumn   = columnKind{[]string{`"text"`}, []string{"7", "true", "[]", "{}"}}
	flagColumn   = columnKind{[]string{"true", "false"}, []string{"0", "1", `"true"`, `""`, "[]", "{}"}}
	numberColumn = columnKind{[]string{"0", "-7", "3.0", "1e3", "9223372036854775807"}, []string{"1.5", `"1"`, "true", "[]", "{}", "1e400", "-1e400", "9223372036854775808"}}
	timeColumn   = columnKind{[]string{"1700000000.25", "0", `"2026-11-23T12:00:00+01:00"`}, []string{`"yesterday"`, `""`, "true", "[]", "{}", "1e300", "-1e18", `"2026-13-01T00:00:00Z"`}}
	stringsSet   = columnKind{[]string{"[]", `["b","a","a"]`}, []string{`"a"`, "7", "true", "{}", "[7]", "[null]", `[["a"]]`, `["a",{}]`}}
	anySetColumn = columnKind{[]string{"[]", `[["a","b"],7,null]`}, []string{`"a"`, "7", "false", "{}"}}
	objectColumn = columnKind{[]string{"{}", `{"b":[1e400],"a":{}}`}, []string{`"a"`, "7", "false", "[]"}}
)

var deviceColumns = map[string]columnKind{
	"name": textColumn, "name_by_user": textColumn, "manufacturer": anyText, "model": anyText, "model_id": anyText, "hw_version": anyText,
	"sw_version": anyText, "serial_number": anyText, "entry_type": textColumn, "configuration_url": textColumn, "disabled_by": textColumn,
	"area_id": textColumn, "via_device_id": textColumn, "parent_device_id": textColumn, "config_entry_id": textColumn,
	"config_subentry_id": textColumn, "primary_config_entry": textColumn, "composite_device_id": textColumn,
	"composite_primary_config_entry": textColumn, "has_composite_identifiers": flagColumn, "split_at": timeColumn, "integration": textColumn,
	"labels": stringsSet, "identifiers": anySetColumn, "connections": anySetColumn, "config_entries": stringsSet,
	"config_entries_subentries": objectColumn, "created_at": timeColumn, "modified_at": timeColumn,
}

var entityColumns = map[string]columnKind{
	"id": textColumn, "platform": nameColumn, "unique_id": anyText, "previous_unique_id": anyText, "name": textColumn, "original_name": textColumn,
	"has_entity_name": flagColumn, "object_id_base": textColumn, "suggested_object_id": textColumn, "translation_key": textColumn,
	"icon": textColumn, "original_icon": textColumn, "device_class": textColumn, "original_device_class": textColumn,
	"unit_of_measurement": textColumn, "supported_features": numberColumn, "entity_category": textColumn, "disabled_by": textColumn,
	"hidden_by": textColumn, "device_id": textColumn, "area_id": textColumn, "config_entry_id": textColumn, "config_subentry_id": textColumn,
	"labels": stringsSet, "aliases": stringsSet, "aliases_v2": anySetColumn, "categories": objectColumn, "capabilities": objectColumn,
	"options": objectColumn, "created_at": timeColumn, "modified_at": timeColumn,
}

// TestColumnsAreComplete holds the tables above to the columns that there are.
func TestColumnsAreComplete(t *testing.T) {
	t.Parallel()
	for row, columns := range map[reflect.Type]map[string]columnKind{
		reflect.TypeFor[db.SaveDeviceParams](): deviceColumns, reflect.TypeFor[db.SaveEntityParams](): entityColumns,
	} {
		for i := range row.NumField() {
			name := strings.Replace(row.Field(i).Tag.Get("json"), "registry_id", "id", 1)
			ours := slices.Contains([]string{"-", "key", "device_id", "entity_id", "extra", "updated_at"}, name)
			if _, tested := columns[name]; !tested && !ours {
				t.Errorf("%s.%s is not tested", row.Name(), name)
			}
		}
	}
}

// TestWrongTypes gives every member every value that it cannot hold: the entry is rejected, naming the
// member, nothing of it is stored, and the entries around it are.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	wrongTypes(t, c, "devices", deviceColumns, `{"id":"%s"%s}`)
	wrongTypes(t, c, "entities", entityColumns, `{"entity_id":"sensor.%s"%s}`)
}

func wrongTypes(t *testing.T, c *caller, noun string, columns map[string]columnKind, format string) {
	var items, want []string
	for name, kind := range columns {
		for i, value := range kind.wrong {
			want = append(want, name)
			items = append(items, fmt.Sprintf(format, fmt.Sprintf("bad_%s_%d", name, i), fmt.Sprintf(`,"icon":"kept_out","%s":%s`, name, value)))
		}
		for i, value := range kind.right {
			want = append(want, "")
			items = append(items, fmt.Sprintf(format, fmt.Sprintf("good_%s_%d", name, i), fmt.Sprintf(`,"%s":%s`, name, value)))
		}
	}
	p := c.push(noun, "["+strings.Join(items, ",")+"]")
	got := make([]string, len(items))
	for _, r := range p.Rejected {
		got[r.Index] = r.Field
		if r.ID == nil || !strings.Contains(*r.ID, "bad_") || r.Reason == "" {
			t.Errorf("%s: rejection %+v of %s", noun, r, items[r.Index])
		}
	}
	for i := range items {
		if got[i] != want[i] {
			t.Errorf("%s: got a rejection of %q, want %q: %s", noun, got[i], want[i], items[i])
		}
	}
	list := c.row("/api/v1/" + noun + "?total=true&limit=1000&q=bad_")
	if good := len(items) - len(p.Rejected); p.Upserted != good || p.Created != good || list["total"] != 0.0 {
		t.Errorf("%s: upserted %d, created %d of %d good ones; %v bad ones are there", noun, p.Upserted, p.Created, good, list["total"])
	}
}

// TestWrongTypesChangeNothing sends each wrong value for a row that is there, with a good member beside it.
func TestWrongTypesChangeNothing(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	before := c.get("/api/v1/entities/light.lamp").body
	for name, kind := range entityColumns {
		for _, value := range kind.wrong {
			p := c.push("entities", fmt.Sprintf(`[{"entity_id":"light.lamp","hidden_by":"user","icon":"x","zz":1,"%s":%s}]`, name, value))
			if len(p.Rejected) != 1 || p.Rejected[0].Field != name || p.Upserted != 0 {
				t.Errorf("%s %s: %+v", name, value, p)
			}
		}
	}
	if after := c.get("/api/v1/entities/light.lamp").body; string(after) != string(before) {
		t.Errorf("got %s, want %s", after, before)
	}
}

func TestBadEntries(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct{ noun, item, field string }{
		{"devices", "null", ""}, {"devices", "7", ""}, {"devices", `"d"`, ""}, {"devices", "[]", ""}, {"devices", `[{"id":"d"}]`, ""}, {"devices", "true", ""},
		{"devices", "{}", "id"}, {"devices", `{"name":"x"}`, "id"}, {"devices", `{"id":""}`, "id"}, {"devices", `{"id":7}`, "id"}, {"devices", `{"id":["d"]}`, "id"},
		{"devices", `{"device_id":""}`, "device_id"}, {"devices", `{"device_id":{}}`, "device_id"}, {"devices", `{"ID":"d"}`, "id"},
		{"entities", "{}", "entity_id"}, {"entities", `{"id":"r"}`, "entity_id"}, {"entities", `{"entity_id":null}`, "entity_id"}, {"entities", `{"entity_id":1}`, "entity_id"},
		{"entities", `{"entity_id":""}`, "entity_id"}, {"entities", `{"entity_id":"light"}`, "entity_id"}, {"entities", `{"entity_id":".a"}`, "entity_id"},
		{"entities", `{"entity_id":"light."}`, "entity_id"}, {"entities", `{"entity_id":"a.b.c"}`, "entity_id"}, {"entities", `{"entity_id":"Light.a"}`, "entity_id"},
		{"entities", `{"entity_id":"light.ä"}`, "entity_id"}, {"entities", `{"entity_id":"light.a\n"}`, "entity_id"}, {"entities", `{"entity_id":"~.1"}`, "entity_id"},
		{"entities", `{"entity_id":"light.a\u0000"}`, "entity_id"}, {"entities", `{"entity_id":" light.a"}`, "entity_id"},
	} {
		good := map[string]string{"devices": `{"id":"good"}`, "entities": `{"entity_id":"light.good"}`}[test.noun]
		p := c.push(test.noun, "["+good+","+test.item+"]")
		if len(p.Rejected) != 1 || p.Rejected[0].Index != 1 || p.Rejected[0].Field != test.field || p.Rejected[0].Reason == "" || p.Upserted != 1 {
			t.Errorf("%s: %+v", test.item, p)
		}
	}
	if got := c.row("/api/v1/devices?total=true")["total"].(float64) + c.row("/api/v1/entities?total=true")["total"].(float64); got != 2 {
		t.Errorf("%v rows, want 2", got)
	}
}

// TestSeveralBadMembers wants all that is wrong with an entry in one answer, in the order of the batch.
func TestSeveralBadMembers(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	p := c.push("devices", `[5,{"id":"a","name":1,"labels":2,"model":3,"area_id":[]},{"id":"b"},{"id":"c","disabled_by":false},{}]`)
	var got []string
	for _, r := range p.Rejected {
		got = append(got, fmt.Sprint(r.Index, " ", r.Field))
	}
	if want := []string{"0 ", "1 name", "1 labels", "1 area_id", "3 disabled_by", "4 id"}; !slices.Equal(got, want) || p.Upserted != 1 || p.Created != 1 {
		t.Errorf("got %q, want %q; %+v", got, want, p)
	}
}
