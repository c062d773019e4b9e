package hass

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// oddValues are JSON values that have broken something somewhere.
var oddValues = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `1.5`, `1e400`, `-9223372036854775808`, `9223372036854775808`, `1767323045.123456`,
	`""`, `" "`, `"x"`, `"0"`, `"null"`, `"\u0000"`, `"\u0000x"`, `"\ud800"`, "\"\xff\"", `"Küche"`, `"K\u00fcche"`, `"%"`, `"'; --"`,
	`"2026-01-02T03:04:05Z"`, `"a.b"`, `[]`, `[null]`, `["x"]`, `["y","x","x"]`, `[""]`, `["\u0000"]`, `[1,"1"]`, `[["a","b"],["a","b"]]`,
	`[{}]`, `{}`, `{"a":1}`, `{"a":{"b":[1,{"c":null}]}}`, `{"":""}`, `{"a":1,"a":2}`, `{"x":[]}`,
	strings.Repeat("[", 1500) + strings.Repeat("]", 1500),
	strings.Repeat(`{"a":`, 1500) + "1" + strings.Repeat("}", 1500),
}

// Whatever the entries hold, a batch goes through: what is bad is rejected, and what was taken is not a
// change when it comes again.
func TestOddBatches(t *testing.T) {
	for _, s := range subjects() {
		t.Run(string(s.kind), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			d := openMemory(t)
			for range 150 {
				list := s.oddBatch(r)
				first := take(t, d, s.kind, list)
				second := take(t, d, s.kind, list)
				if second.Created+second.Updated > 0 || rejections(second) != rejections(first) {
					t.Fatalf("%s:\nfirst %s %s\nthen %s %s", list, counts(first), rejections(first), counts(second), rejections(second))
				}
				take(t, d, s.kind, "["+s.entry(r.IntN(9), "")+"]")
			}
		})
	}
}

// SQLite's JSON functions give up where a value is nested too deeply: such an entry must not take the
// batch with it.
func TestDeepValues(t *testing.T) {
	for _, s := range subjects() {
		if !s.extra {
			continue
		}
		d := openMemory(t)
		for i, member := range append(s.members, "unknown") {
			for _, depth := range []int{deepest + 1, 999, 1001, 9000} {
				list := fmt.Sprintf(`[%s,%s]`, s.entry(2*i, fmt.Sprintf(`,%q:%s`, member, nested(depth))), s.entry(2*i+1, ""))
				result := take(t, d, s.kind, list)
				if result.Stored() != 1 || rejections(result) != fmt.Sprintf("0 %s %s: %s\n", s.nth(2*i), member, errDeep) {
					t.Errorf("%s.%s, %d levels deep: %s %s", s.kind, member, depth, counts(result), rejections(result))
				}
			}
		}
		wantCounts(t, take(t, d, s.kind, "["+s.entry(1000, `,"unknown":`+nested(deepest))+"]"), "1/0/0/0")
	}
	d := openMemory(t)
	wantCounts(t, take(t, d, Devices, `[{"id":"a","identifiers":`+nested(deepest)+`}]`), "1/0/0/0")
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func (s subject) oddBatch(r *rand.Rand) string {
	var entries []string
	for n := range 1 + r.IntN(6) {
		if r.IntN(20) == 0 {
			entries = append(entries, oddValues[r.IntN(len(oddValues))])
			continue
		}
		var members strings.Builder
		for range r.IntN(5) {
			member := s.column(s.members[r.IntN(len(s.members))]) // not two names of one column
			if r.IntN(5) == 0 {
				member = []string{"unknown", "", "a b", "😀", "key", "Extra"}[r.IntN(6)]
			}
			fmt.Fprintf(&members, ",%q:%s", member, oddValues[r.IntN(len(oddValues))])
		}
		entries = append(entries, s.entry(n, members.String()))
	}
	return "[" + strings.Join(entries, ",") + "]"
}
