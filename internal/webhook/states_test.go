package webhook

import (
	"encoding/json"
	"testing"
)

func TestFilterStates(t *testing.T) {
	lamp := map[string]any{"entity_id": "light.lamp", "domain": "light", "area_id": "kitchen", "labels": []any{"cosy"}}
	stranger := map[string]any{"entity_id": "light.lamp", "domain": "light", "area_id": nil}
	for _, c := range []struct {
		filter     string
		row        map[string]any
		known, old string // "" for none
		new        string
		want       bool
	}{
		{`{}`, lamp, "on", "on", "off", true},
		{`{}`, stranger, "", "", "off", true},
		{`{"id":"light.lamp","domain":"light","area_id":["kitchen"],"label_id":"cosy"}`, lamp, "", "", "off", true},
		{`{"entity_id":"light.other"}`, lamp, "", "", "off", false},
		{`{"area_id":"hall"}`, lamp, "", "", "off", false},
		{`{"area_id":"none"}`, lamp, "", "", "off", false},
		{`{"area_id":"none"}`, stranger, "", "", "off", true},
		{`{"label_id":"cosy"}`, stranger, "", "", "off", false},
		{`{"to":"on"}`, lamp, "off", "off", "on", true},
		{`{"to":["on","off"]}`, lamp, "off", "unavailable", "off", true},
		{`{"to":"on"}`, lamp, "on", "on", "off", false},
		{`{"from":"on"}`, lamp, "on", "on", "off", true},
		{`{"from":"on"}`, lamp, "on", "unavailable", "off", false}, // what was just before
		{`{"from":"on"}`, lamp, "", "", "off", false},
		{`{"from":"on","to":"off"}`, lamp, "on", "on", "off", true},
		{`{"from":"on","to":"off"}`, lamp, "on", "on", "unavailable", false},
		{`{"above":25}`, lamp, "24", "24", "26", true},
		{`{"above":25}`, lamp, "25", "25", "25.1", true},
		{`{"above":25}`, lamp, "24", "24", "25", false}, // the bound does not belong to the range
		{`{"above":25}`, lamp, "26", "26", "27", false}, // it was there already
		{`{"above":25}`, lamp, "26", "26", "24", false},
		{`{"above":25}`, lamp, "26", "unavailable", "27", false},
		{`{"above":25}`, lamp, "24", "unavailable", "27", true},
		{`{"above":25}`, lamp, "", "unavailable", "27", false}, // nothing is known to have been outside
		{`{"above":25}`, lamp, "", "", "27", false},
		{`{"above":25}`, lamp, "24", "24", "hot", false},
		{`{"above":25}`, lamp, "cold", "cold", "27", true},
		{`{"below":-1.5}`, lamp, "0", "0", "-2", true},
		{`{"below":0}`, lamp, "-1", "-1", "-2", false},
		{`{"above":20,"below":25}`, lamp, "26", "26", "24", true},
		{`{"above":20,"below":25}`, lamp, "19", "19", "26", false}, // through it
		{`{"above":25,"area_id":"hall"}`, lamp, "24", "24", "26", false},
		{`{"above":25,"to":"27"}`, lamp, "24", "24", "26", false},
	} {
		f, problems := ParseFilter([]byte(c.filter))
		s := State{EntityID: "light.lamp", Row: c.row, New: c.new, Old: given(c.old), Known: given(c.known)}
		if got := f.WantState(s); got != c.want || problems != nil {
			t.Errorf("%s wants %s, then %s, in %v: %v %v, want %v", c.filter, c.old, c.new, c.row, got, problems, c.want)
		}
	}
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func TestStateChanged(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     bool
	}{{"", "on", true}, {"on", "on", false}, {"on", "off", true}, {"on", "unavailable", true}} {
		if got := (State{Old: given(c.old), New: c.new}).Changed(); got != c.want {
			t.Errorf("from %q to %q has changed: %v", c.old, c.new, got)
		}
	}
}

// What is stored of a filter is read as it was given.
func TestFilterIsKept(t *testing.T) {
	const text = `{"above":20.5,"area_id":["kitchen"],"below":30,"from":["a"],"to":["b","c"]}`
	var f Filter
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(f); err != nil || string(got) != text {
		t.Errorf("got %s %v, want %s", got, err, text)
	}
	if got, err := json.Marshal(Filter{}); err != nil || string(got) != "{}" {
		t.Errorf("an empty filter is %s %v", got, err)
	}
}
