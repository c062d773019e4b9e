package hass

import (
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

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
