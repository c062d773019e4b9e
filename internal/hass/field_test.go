package hass

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"dataapi/db"
)

// Every column that a registry fills has a member: a column that is forgotten would stay empty for ever.
func TestEveryColumnHasAMember(t *testing.T) {
	ours := []string{"key", "extra", "updated_at", "listed"}
	for _, s := range subjects() {
		filled := append([]string{s.stores}, ours...)
		for _, m := range s.members {
			filled = append(filled, s.column(m))
			if s.columns[s.column(m)] == nil {
				t.Errorf("%s: member %s has no column", s.kind, m)
			}
		}
		for name := range s.columns {
			if !slices.Contains(filled, name) {
				t.Errorf("%s: nothing fills the column %s", s.kind, name)
			}
		}
	}
}

// A value of the wrong type costs its own entry, which is told the member and what it should be.
func TestWrongTypes(t *testing.T) {
	for _, s := range subjects() {
		t.Run(string(s.kind), func(t *testing.T) {
			d, n := openMemory(t), 0
			for _, member := range s.members {
				c := s.classOf(t, member)
				for _, value := range c.refused {
					n += 3
					list := fmt.Sprintf("[%s,%s,%s]", s.entry(n, ""), s.entry(n+1, fmt.Sprintf(`,%q:%s`, member, value)), s.entry(n+2, ""))
					result := take(t, d, s.kind, list)
					want := fmt.Sprintf("1 %s %s: %s\n", s.nth(n+1), member, reasonFor(c, value))
					if got := rejections(result); got != want {
						t.Errorf("%s = %s: got %q, want %q", member, value, got, want)
					}
					wantCounts(t, result, "2/0/0/1")
				}
			}
		})
	}
}

// reasonFor is why a class refuses a value: a list of strings is refused as a list or for what it holds.
func reasonFor(c class, value string) string {
	if c.reason == errStrings.Error() && !strings.HasPrefix(value, "[") {
		return errList.Error()
	}
	return c.reason
}

func TestSetsRefuseWhatIsNoList(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		for _, member := range s.members {
			if !slices.Contains(stringSets, member) {
				continue
			}
			for i, value := range []string{`"x"`, `1`, `true`, `{}`} {
				result := take(t, d, s.kind, "["+s.entry(i, fmt.Sprintf(`,%q:%s`, member, value))+"]")
				if want := fmt.Sprintf("0 %s %s: %s\n", s.nth(i), member, errList); rejections(result) != want {
					t.Errorf("%s.%s = %s: got %q, want %q", s.kind, member, value, rejections(result), want)
				}
			}
		}
	}
}

// All that is wrong with an entry is said at once, and none of it is stored.
func TestAllBadMembersAreNamed(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		take(t, d, s.kind, "["+s.entry(1, "")+"]")
		before := s.row(t, d, s.nth(1))
		var members strings.Builder
		var want []string
		for _, m := range s.members {
			value := s.classOf(t, m).first.wire
			if refused := s.classOf(t, m).refused; len(refused) > 0 {
				value = refused[0]
				want = append(want, m)
			}
			fmt.Fprintf(&members, ",%q:%s", m, value)
		}
		result := take(t, d, s.kind, "["+s.update(1, members.String())+"]")
		var got []string
		for _, j := range result.Rejected {
			got = append(got, j.Field)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: rejected for %v, want %v", s.kind, got, want)
		}
		if after := s.row(t, d, s.nth(1)); !maps.Equal(before, after) {
			t.Errorf("%s: a rejected entry left something behind: %v, was %v", s.kind, after, before)
		}
	}
}

// step is a batch of one entry, what became of it, and what the column then holds.
type step struct{ members, counts, stored string }

// A member that is absent keeps what is stored, null clears it, a value replaces it, and what is the
// same is not a change.
func TestAbsentNullAndPresent(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		for n, member := range s.members {
			t.Run(string(s.kind)+"."+member, func(t *testing.T) {
				take(t, d, s.kind, "["+s.entry(n, "")+"]")
				for _, st := range s.steps(member, s.classOf(t, member)) {
					wantCounts(t, take(t, d, s.kind, "["+s.update(n, st.members)+"]"), st.counts)
					want := strings.ReplaceAll(st.stored, "<id>", s.nth(n))
					if got := s.row(t, d, s.nth(n))[s.column(member)]; got != want {
						t.Errorf("after %s: %s, want %s", st.members, got, want)
					}
				}
				if s.column(member) == "registry_id" { // of which each can have one
					take(t, d, s.kind, "["+s.update(n, fmt.Sprintf(`,%q:null`, member))+"]")
				}
			})
		}
	}
}

func (s subject) steps(member string, c class) []step {
	say := func(value string) string { return fmt.Sprintf(",%q:%s", member, value) }
	const changed, same = "0/1/0/0", "0/0/1/0"
	switch member {
	case "modified_at": // is taken along with another change, and is none by itself
		return []step{
			{say(c.first.wire), same, "null"},
			{say(c.first.wire) + s.change(1), changed, c.first.stored},
			{say(c.second.wire), same, c.first.stored},
			{s.change(2), changed, c.first.stored},
			{say(c.second.wire) + s.change(3), changed, c.second.stored},
			{say("null") + s.change(4), changed, "null"},
		}
	case "created_at": // is never cleared
		return []step{
			{say(c.first.wire), changed, c.first.stored},
			{"", same, c.first.stored},
			{say("null"), same, c.first.stored},
			{say(c.second.wire), changed, c.second.stored},
		}
	case "domain": // is never cleared
		return []step{
			{say(c.first.wire), changed, c.first.stored},
			{say("null"), "0/0/0/1", c.first.stored},
			{say(`""`), "0/0/0/1", c.first.stored},
			{say(c.second.wire), changed, c.second.stored},
		}
	}
	return []step{
		{say(c.first.wire), changed, c.first.stored},
		{say(c.first.wire), same, c.first.stored},
		{"", same, c.first.stored},
		{say("null"), changed, c.none},
		{say("null"), same, c.none},
		{say(c.first.wire), changed, c.first.stored},
		{say(c.second.wire), changed, c.second.stored},
		{`,"created_at":"2026-05-05T05:05:05Z"`, changed, c.second.stored},
	}
}

// change is a member that no test of another member looks at.
func (s subject) change(n int) string {
	if s.kind == ConfigEntries {
		return fmt.Sprintf(`,"title":"%d"`, n)
	}
	return fmt.Sprintf(`,"another":%d`, n)
}

// Numbers and lists that old files hold where text should be are kept as they are written.
func TestVersionsAsWritten(t *testing.T) {
	for _, s := range subjects() {
		d, n := openMemory(t), 0
		for _, member := range s.members {
			if !slices.Contains(versionMembers, member) {
				continue
			}
			for wire, want := range map[string]string{`1.10`: `"1.10"`, `20230102`: `"20230102"`, `true`: `"true"`, `["1",2]`: `"[\"1\",2]"`, `""`: `""`, `"1.0"`: `"1.0"`} {
				n++
				take(t, d, s.kind, "["+s.entry(n, fmt.Sprintf(",%q:%s", member, wire))+"]")
				if got := s.row(t, d, s.nth(n))[member]; got != want {
					t.Errorf("%s.%s = %s: %s, want %s", s.kind, member, wire, got, want)
				}
			}
		}
	}
}

// Sets: any order, doubles and escapes are the same set, so that reading a home again changes nothing.
func TestSets(t *testing.T) {
	for _, member := range []string{"labels", "identifiers", "connections", "config_entries"} {
		d := openMemory(t)
		for i, st := range []step{
			{`["b","a","b"]`, "1/0/0/0", `["a","b"]`},
			{`[ "a" , "b" ]`, "0/0/1/0", `["a","b"]`},
			{`["\u0062","a"]`, "0/0/1/0", `["a","b"]`},
			{`["a","b","K\u00fcche"]`, "0/1/0/0", `["Küche","a","b"]`},
			{`["a","b","Küche"]`, "0/0/1/0", `["Küche","a","b"]`},
			{`["\ud83d\ude00"]`, "0/1/0/0", `["😀"]`},
			{`["😀"]`, "0/0/1/0", `["😀"]`},
			{`["a/b"]`, "0/1/0/0", `["a/b"]`},
			{`["a\/b"]`, "0/0/1/0", `["a/b"]`},
			{`["\"<\\\n"]`, "0/1/0/0", `["\"<\\\n"]`},
			{`[]`, "0/1/0/0", `[]`},
		} {
			wantCounts(t, take(t, d, Devices, fmt.Sprintf(`[{"id":"x",%q:%s}]`, member, st.members)), st.counts)
			var row = subjectOf(Devices, devices, "", "").row(t, d, "x")
			if got := strings.ReplaceAll(row[member], `\u003c`, `<`); got != st.stored {
				t.Errorf("step %d: %s %s is stored as %s, want %s", i, member, st.members, got, st.stored)
			}
		}
	}
}

// Pairs stay pairs, their order is meant, and the same object is the same in any order.
func TestSetsOfWhatever(t *testing.T) {
	d := openMemory(t)
	for _, st := range []step{
		{`[["b","1"],["a","2"],["b","1"]]`, "1/0/0/0", `[["a","2"],["b","1"]]`},
		{`[["a","2"],["b","1"]]`, "0/0/1/0", `[["a","2"],["b","1"]]`},
		{`[["2","a"],["b","1"]]`, "0/1/0/0", `[["2","a"],["b","1"]]`},
		{`[{"y":1,"x":2},{"x":2,"y":1}]`, "0/1/0/0", `[{"x":2,"y":1}]`},
		{`[1,1.0,1e0]`, "0/1/0/0", `[1,1.0,1e0]`},
	} {
		wantCounts(t, take(t, d, Devices, `[{"id":"x","identifiers":`+st.members+`}]`), st.counts)
		if got := string(devicesOf(t, d)[0].Identifiers); got != st.stored {
			t.Errorf("%s is stored as %s, want %s", st.members, got, st.stored)
		}
	}
}

// Empty text is no id: it refers to nothing, makes no row, and tells no entity from another.
func TestEmptyTextIsNoID(t *testing.T) {
	d := openMemory(t)
	take(t, d, Areas, `[{"id":"kitchen","floor_id":"","labels":["","b"],"temperature_entity_id":""}]`)
	take(t, d, Devices, `[{"id":"d","area_id":"","via_device_id":"","config_entry_id":"","primary_config_entry":"","config_entries":["","e"],"labels":[""]}]`)
	wantCounts(t, take(t, d, Entities, `[{"entity_id":"light.a","id":"","area_id":"","device_id":"","labels":["",""]},
		{"entity_id":"light.b","id":"","platform":"","unique_id":""},{"entity_id":"light.c","id":"","platform":"","unique_id":""}]`), "3/0/0/0")
	areas, err := d.ListAreas(t.Context(), db.ListAreasParams{Lim: 10})
	if err != nil || len(areas) != 1 || areas[0].FloorID != nil || areas[0].TemperatureEntityID != nil || areas[0].Labels != `["b"]` {
		t.Errorf("areas %+v, %v", areas, err)
	}
	floors, err := d.ListFloors(t.Context(), db.ListFloorsParams{Lim: 10})
	if err != nil || len(floors) != 0 {
		t.Errorf("floors %+v, %v", floors, err)
	}
	labels, err := d.ListLabels(t.Context(), db.ListLabelsParams{Lim: 10})
	if err != nil || len(labels) != 1 || labels[0].LabelID != "b" {
		t.Errorf("labels %+v, %v", labels, err)
	}
	if v := devicesOf(t, d)[0]; v.OwnAreaID != nil || v.ViaDeviceID != nil || v.ConfigEntryID != nil || v.PrimaryConfigEntry != nil || v.ConfigEntries != `["e"]` || v.Labels != "[]" {
		t.Errorf("device %+v", v)
	}
	if e := entitiesOf(t, d)[0]; e.OwnAreaID != nil || e.DeviceID != nil || e.RegistryID != nil || e.Labels != "[]" {
		t.Errorf("entity %+v", e)
	}
}
