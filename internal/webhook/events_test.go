package webhook

import (
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

func TestEvents(t *testing.T) {
	for _, c := range []struct{ events, wanted, others string }{
		{"*", "entity.updated floor.created config_entry.deleted", "preference.updated"},
		{"*.*", "entity.updated floor.created", "preference.updated"},
		{"entity.*", "entity.created entity.updated entity.deleted", "device.updated preference.updated"},
		{"*.deleted", "entity.deleted area.deleted", "entity.updated preference.deleted"},
		{"entity.updated area.created", "entity.updated area.created", "entity.created area.updated label.created"},
		{"preference.updated", "preference.updated", "preference.created entity.updated"},
		{"* preference.*", "preference.updated entity.updated", ""},
		{"state.changed state.*", "", "entity.updated preference.updated"},
		{"", "", "entity.updated preference.updated"},
		{"entity state_changed", "", "entity.updated preference.updated"}, // not refused where they are imported
	} {
		events := Events(strings.Fields(c.events))
		for _, event := range strings.Fields(c.wanted) {
			if !wants(events, event) {
				t.Errorf("%q does not want %s", events, event)
			}
		}
		for _, event := range strings.Fields(c.others) {
			if wants(events, event) {
				t.Errorf("%q wants %s", events, event)
			}
		}
	}
}

func wants(events Events, event string) bool {
	kind, action, _ := strings.Cut(event, ".")
	return events.Want(db.Change{Kind: kind, Action: action})
}

// What is not looked at cannot be wanted, and nobody's preferences are looked at for nothing.
func TestKindsOfEvents(t *testing.T) {
	for events, want := range map[string][]string{
		"*":                            nil,
		"*.created entity.updated":     nil,
		"":                             {},
		"state_changed":                {},
		"entity.updated entity.*":      {"entity"},
		"entity.* area.created":        {"entity", "area"},
		"preference.*":                 {"preference"},
		"*.deleted preference.updated": db.ChangeKinds,
	} {
		got := Events(strings.Fields(events)).Kinds()
		if !slices.Equal(got, want) || (got == nil) != (want == nil) {
			t.Errorf("the kinds of %q are %#v, want %#v", events, got, want)
		}
	}
}

// States are many: a * that is meant for changes does not stand for them.
func TestStatesAreNamed(t *testing.T) {
	for events, want := range map[string]bool{
		"state.changed": true, "entity.updated state.*": true, "*": false, "*.*": false, "*.updated entity.*": false, "": false,
	} {
		e := Events(strings.Fields(events))
		if got := e.WantStates(); got != want {
			t.Errorf("%q wants states: %v", events, got)
		}
	}
	if kinds := (Events{"state.changed"}).Kinds(); kinds == nil || len(kinds) != 0 {
		t.Errorf("changes of %v are looked at for states", kinds)
	}
}

func TestCheckEvent(t *testing.T) {
	for event, good := range map[string]bool{
		"*": true, "*.*": true, "*.created": true, "entity.*": true, "config_entry.deleted": true, "preference.updated": true,
		"": false, ".": false, "entity": false, "entity.": false, ".created": false, "entity.renamed": false, "Entity.created": false,
		"entities.created": false, "entity.created.x": false, "* ": false, "**": false, "state.changed": true, "state.*": true,
		"state.updated": false, "entity.changed": false, "*.changed": false, "state_changed": false, "ent*.created": false,
	} {
		err := CheckEvent(event)
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "config_entry") {
			t.Errorf("event %q: %v, want it to be good: %v, and an error that says what there is", event, err, good)
		}
	}
}
