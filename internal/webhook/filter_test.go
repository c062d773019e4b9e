package webhook

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dataapi/db"
	"dataapi/db/dbtype"
)

func TestFilter(t *testing.T) {
	const (
		lamp  = `{"entity_id":"light.lamp","domain":"light","area_id":"kitchen","device_id":null,"labels":["cosy","led"]}`
		moved = `{"entity_id":"light.lamp","domain":"light","area_id":"hall","device_id":null,"labels":["led"]}`
		loose = `{"entity_id":"light.lamp","domain":"light","area_id":null,"device_id":null,"labels":[]}`
		area  = `{"area_id":"kitchen","name":"Kitchen","labels":["ground"]}`
		label = `{"label_id":"cosy","name":"Cosy"}`
		floor = `{"floor_id":"ground","level":0}`
	)
	update := func(before, after string) db.Change { return change("entity", "light.lamp", before, after) }
	for _, c := range []struct {
		filter string
		change db.Change
		want   bool
	}{
		{`{}`, update(lamp, moved), true},
		{`{}`, change("entity", "light.lamp", "", ""), true},
		{`{"area_id":"kitchen"}`, update(lamp, moved), true}, // it leaves
		{`{"area_id":["cellar","hall"]}`, update(lamp, moved), true},
		{`{"area_id":["cellar"]}`, update(lamp, moved), false},
		{`{"area_id":"none"}`, update(lamp, moved), false},
		{`{"area_id":"none"}`, update(lamp, loose), true},
		{`{"area_id":"none"}`, update("", loose), true},
		{`{"area_id":"none"}`, update(lamp, ""), false},
		{`{"area_id":"none"}`, change("floor", "ground", "", floor), false}, // it cannot have one
		{`{"area_id":"kitchen","domain":"light"}`, update("", lamp), true},
		{`{"area_id":"kitchen","domain":"switch"}`, update("", lamp), false},
		{`{"area_id":"hall","label_id":"cosy"}`, update(lamp, moved), false}, // it never had both
		{`{"area_id":"kitchen","label_id":"cosy"}`, update(lamp, moved), true},
		{`{"label_id":["cosy","x"]}`, update(lamp, ""), true},
		{`{"label_id":"cosy"}`, update(moved, loose), false},
		{`{"label_id":"cosy"}`, change("label", "cosy", "", label), true},
		{`{"label_id":"ground"}`, change("area", "kitchen", area, area), true},
		{`{"area_id":"kitchen"}`, change("area", "kitchen", area, ""), true},
		{`{"id":"light.lamp"}`, update("", lamp), true},
		{`{"id":"light.other"}`, update("", lamp), false},
		{`{"id":"light.lamp"}`, change("entity", "light.new", lamp, `{"entity_id":"light.new"}`), true}, // it was renamed
		{`{"id":"ground"}`, change("floor", "ground", floor, floor), true},
		{`{"id":"e1"}`, change("config_entry", "e2", `{"entry_id":"e1"}`, `{"entry_id":"e2"}`), true},
		{`{"id":"anna"}`, change("preference", "anna", "", `{"theme":"dark"}`), true},
		{`{"id":"anna"}`, change("preference", "ben", "", `{"id":"anna"}`), false},
		{`{"entity_id":"light.lamp"}`, update("", lamp), true},
		{`{"entity_id":"kitchen"}`, change("area", "kitchen", "", area), false},
		{`{"device_id":"none"}`, update("", lamp), false},
		{`{"integration":"hue"}`, change("entity", "light.lamp", "", `{"platform":"hue"}`), true},
		{`{"integration":"hue"}`, change("entity", "light.lamp", "", `{"platform":"zha"}`), false},
		{`{"integration":"hue"}`, change("device", "d", "", `{"integration":"hue"}`), true},
		{`{"model":"0"}`, change("device", "d", "", `{"model":0}`), false},
		{`{"domain":"light"}`, change("preference", "u", "", `["light"]`), false},
		{`{"domain":"light"}`, change("preference", "u", "null", `{"domain":{"light":1},"labels":"light"}`), false},
	} {
		f, problems := ParseFilter([]byte(c.filter))
		if got := f.Want(c.change); got != c.want || problems != nil {
			t.Errorf("%s wants %+v: %v %v, want %v", c.filter, c.change, got, problems, c.want)
		}
	}
}

func change(kind, id, before, after string) db.Change {
	return db.Change{Kind: kind, ID: id, Before: dbtype.JSON(before), After: dbtype.JSON(after)}
}

func TestParseFilterErrors(t *testing.T) {
	many := `"a"` + strings.Repeat(`,"a"`, maxValues)
	for text, want := range map[string][]string{
		``:                                    {"must be an object"},
		`null`:                                {"must be an object"},
		`[]`:                                  {"must be an object"},
		`"kitchen"`:                           {"must be an object"},
		`{"area_id":"a"`:                      {"must be an object"},
		`{"area_id":null}`:                    {"area_id must be a list"},
		`{"area_id":""}`:                      {"area_id must be a list"},
		`{"area_id":[]}`:                      {"area_id must be a list"},
		`{"area_id":["a",1]}`:                 {"area_id must be a list"},
		`{"id":["a",null]}`:                   {"id must be a list"},
		`{"id":{"a":"b"}}`:                    {"id must be a list"},
		`{"id":7}`:                            {"id must be a list"},
		`{"id":[` + many + `]}`:               {"id must be a list"},
		`{"id":"` + longText(256) + `"}`:      {"id must be a list"},
		`{"room":"a"}`:                        {`"room" is no filter`},
		`{"rooms":"on","id":[],"domain":"a"}`: {"id must be a list", `"rooms" is no filter`},
		`{"to":[],"from":7}`:                  {"to must be a list", "from must be a list"},
		`{"above":"20","below":null}`:         {"above must be a number", "below must be a number"},
		`{"above":30,"below":30}`:             {"above must be less than below"},
	} {
		f, problems := ParseFilter([]byte(text))
		got := fmt.Sprint(errors.Join(problems...))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%.40q: %s, want %q", text, got, w)
			}
		}
		if f.Rows != nil || !f.None() || len(problems) != len(want) {
			t.Errorf("%.40q: filter %v and %d problems, want none and %d", text, f, len(problems), len(want))
		}
	}
}
