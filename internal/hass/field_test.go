package hass

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Every column that a registry fills has a member: a column that is forgotten would stay empty for ever.
func TestEveryColumnHasAMember(t *testing.T) {
	ours := []string{"key", "extra", "updated_at"}
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

func TestTimes(t *testing.T) {
	for wire, want := range map[string]string{
		`null`:                                  "<null>",
		`"2026-01-02T03:04:05Z"`:                "2026-01-02T03:04:05.000000Z",
		`"2026-01-02T03:04:05+00:00"`:           "2026-01-02T03:04:05.000000Z",
		`"2026-01-02T03:04:05.1+05:30"`:         "2026-01-01T21:34:05.100000Z",
		`"2026-01-02T03:04:05.123456-08:00"`:    "2026-01-02T11:04:05.123456Z",
		`"2026-01-02T03:04:05.1234564Z"`:        "2026-01-02T03:04:05.123456Z",
		`"2026-01-02T03:04:05.1234567Z"`:        "2026-01-02T03:04:05.123457Z",
		`"2026-12-31T23:59:59.9999999Z"`:        "2027-01-01T00:00:00.000000Z",
		`"2026-01-02T03:04:05\u002b00:00"`:      "2026-01-02T03:04:05.000000Z",
		`"1970-01-01T00:00:00+00:00"`:           "1970-01-01T00:00:00.000000Z",
		`0`:                                     "1970-01-01T00:00:00.000000Z",
		`-1.5`:                                  "1969-12-31T23:59:58.500000Z",
		`1767323045`:                            "2026-01-02T03:04:05.000000Z",
		`1767323045.1234567`:                    "2026-01-02T03:04:05.123457Z",
		`1767323045.123456`:                     "2026-01-02T03:04:05.123456Z",
		`1.767323045e9`:                         "2026-01-02T03:04:05.000000Z",
		`1767323045.9999999`:                    "2026-01-02T03:04:06.000000Z",
		`"9999-12-31T23:59:59.999999+00:00"`:    "9999-12-31T23:59:59.999999Z",
		`99999999999`:                           "5138-11-16T09:46:39.000000Z",
		`"0001-01-01T00:00:00Z"`:                "0001-01-01T00:00:00.000000Z",
		`"2026-01-02T03:04:05.123456789+14:00"`: "2026-01-01T13:04:05.123457Z",
	} {
		got, err := parseTime(jsontext.Value(wire))
		if err != nil || deref(got) != want {
			t.Errorf("%s: %s, %v; want %s", wire, deref(got), err, want)
		}
	}
}

// The files say a time in ISO 8601 and the WebSocket API in seconds: both must be the same microsecond,
// or every sync would change every row.
func TestTimesOfFileAndWireAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	first, last := time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	for range 20_000 {
		at := time.UnixMicro(first + r.Int64N(last-first))
		zone := time.FixedZone("", r.IntN(27*60)*60-12*3600)
		iso := strconv.Quote(at.In(zone).Format("2006-01-02T15:04:05.000000-07:00"))
		seconds := strconv.FormatFloat(float64(at.UnixMicro())/1e6, 'f', -1, 64)
		a, errA := parseTime(jsontext.Value(iso))
		b, errB := parseTime(jsontext.Value(seconds))
		if errA != nil || errB != nil || *a != *b || *a != at.UTC().Format(timeLayout) {
			t.Fatalf("%s is %s, %v; %s is %s, %v", iso, deref(a), errA, seconds, deref(b), errB)
		}
	}
}

// A registry that was migrated from before there were such times says 1970: we know better.
func TestCreatedAtOf1970IsNoTime(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		before := time.Now().UTC().Add(-time.Second).Format(timeLayout)
		for i, epoch := range []string{`"1970-01-01T00:00:00+00:00"`, `0`, `0.0`, `null`, `-5`} {
			take(t, d, s.kind, "["+s.entry(i, `,"created_at":`+epoch)+"]")
			created := strings.Trim(s.row(t, d, s.nth(i))["created_at"], `"`)
			if created < before || created > time.Now().UTC().Format(timeLayout) {
				t.Errorf("%s: created_at %s became %s, want now", s.kind, epoch, created)
			}
			wantCounts(t, take(t, d, s.kind, "["+s.update(i, `,"created_at":"2024-05-06T07:08:09+00:00"`)+"]"), "0/1/0/0")
			wantCounts(t, take(t, d, s.kind, "["+s.update(i, `,"created_at":`+epoch)+"]"), "0/0/1/0")
			if got := s.row(t, d, s.nth(i))["created_at"]; got != `"2024-05-06T07:08:09.000000Z"` {
				t.Errorf("%s: created_at %s replaced a known time: %s", s.kind, epoch, got)
			}
		}
	}
}

// A new row is dated now, a changed row too, and a row that did not change keeps its date.
func TestUpdatedAt(t *testing.T) {
	for _, s := range subjects() {
		d := openMemory(t)
		take(t, d, s.kind, "["+s.entry(1, s.change(1))+"]")
		first := s.row(t, d, s.nth(1))
		time.Sleep(time.Millisecond)
		take(t, d, s.kind, "["+s.update(1, s.change(1))+"]")
		if again := s.row(t, d, s.nth(1)); !maps.Equal(first, again) {
			t.Errorf("%s: the same entry changed the row: %v, was %v", s.kind, again, first)
		}
		take(t, d, s.kind, "["+s.update(1, s.change(2))+"]")
		last := s.row(t, d, s.nth(1))
		if last["updated_at"] <= first["updated_at"] || last["created_at"] != first["created_at"] {
			t.Errorf("%s: after a change updated_at is %s, was %s; created_at is %s, was %s", s.kind,
				last["updated_at"], first["updated_at"], last["created_at"], first["created_at"])
		}
	}
}

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
