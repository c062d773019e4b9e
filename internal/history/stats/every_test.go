package stats

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"dataapi/internal/history"
)

func at(t *testing.T, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, location)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

// Buckets begin on the clock, also on the days on which the clocks are changed.
func TestEdges(t *testing.T) {
	for _, test := range []struct{ every, zone, start, end, want string }{
		{"1h", "UTC", "2026-01-01 10:20", "2026-01-01 12:00", "[10:00 11:00 12:00]"},
		{"1h", "UTC", "2026-01-01 10:00", "2026-01-01 12:01", "[10:00 11:00 12:00 13:00]"},
		{"5m", "UTC", "2026-01-01 23:51", "2026-01-02 00:04", "[23:50 23:55 00:00 00:05]"},
		{"all", "UTC", "2026-01-01 10:20", "2026-01-01 12:01", "[10:20 12:01]"},
		{"1d", "Europe/Berlin", "2026-03-28 12:00", "2026-03-30 12:00", "[23:00 23:00 22:00 22:00]"},
		{"1d", "Europe/Berlin", "2026-10-24 12:00", "2026-10-26 00:00", "[22:00 22:00 23:00]"},
		{"6h", "Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:00", "[23:00 04:00 10:00 16:00 22:00]"},
		{"6h", "Europe/Berlin", "2026-10-25 00:00", "2026-10-26 00:00", "[22:00 05:00 11:00 17:00 23:00]"},
		{"1h", "Europe/Berlin", "2026-10-25 01:30", "2026-10-25 03:00", "[23:00 00:00 01:00 02:00]"},
		{"2h", "Europe/Berlin", "2026-03-29 01:00", "2026-03-29 06:00", "[23:00 01:00 02:00 04:00]"},
		{"1h", "Asia/Kolkata", "2026-01-01 10:20", "2026-01-01 11:20", "[04:30 05:30 06:30]"},
		{"1d", "America/Sao_Paulo", "2018-11-03 12:00", "2018-11-05 00:00", "[03:00 03:00 02:00]"}, // no midnight on the 4th
		{"1w", "UTC", "2026-11-25 12:00", "2026-11-26 00:00", "[00:00 00:00]"},
		{"1mo", "Europe/Berlin", "2026-02-10 00:00", "2026-04-01 00:00", "[23:00 23:00 22:00]"},
		{"1y", "UTC", "2024-02-10 00:00", "2026-04-01 00:00", "[00:00 00:00 00:00 00:00]"},
	} {
		edges, err := EveryOf(test.every).Edges(at(t, test.zone, test.start), at(t, test.zone, test.end), 100)
		var got []string
		for i, e := range edges {
			got = append(got, e.Time().Format("15:04"))
			if i > 0 && e <= edges[i-1] {
				t.Errorf("%+v: %s after %s", test, e, edges[i-1])
			}
		}
		if fmt.Sprint(got) != test.want || err != nil {
			t.Errorf("%+v: got %v, %v", test, got, err)
		}
	}
	week, _ := EveryOf("1w").Edges(at(t, "UTC", "2026-11-29 12:00"), at(t, "UTC", "2026-11-29 13:00"), 1)
	if day := week[0].Time().Weekday(); day != time.Monday || week[1].Sub(week[0]) != 7*24*time.Hour {
		t.Errorf("a week from %s until %s", week[0], week[1])
	}
}

// What are too many buckets is said before they are made, and not one bucket too early.
func TestEdgesAreBounded(t *testing.T) {
	start := at(t, "UTC", "0001-01-01 00:00")
	if _, err := EveryOf("1m").Edges(start, at(t, "UTC", "9999-01-01 00:00"), 1000); err == nil {
		t.Error("a minute for ten thousand years")
	}
	for most, want := range map[int]bool{23: false, 24: true} {
		if edges, err := EveryOf("1h").Edges(start, start.Add(24*time.Hour), most); (err == nil) != want {
			t.Errorf("%d buckets, at most %d: %v", len(edges)-1, most, err)
		}
	}
}

// Whatever the zone and the moment, the first bucket holds the start, the last the end, and all are of about their length.
func TestEdgesHoldTheTime(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia"} {
		for _, every := range Everys[:len(Everys)-1] {
			start := at(t, zone, "2023-01-01 00:17")
			for i := range 60 {
				start = start.Add(time.Duration(i) * 7 * time.Hour)
				end := start.Add(3*every.length() + time.Hour)
				edges, err := every.Edges(start, end, 1000)
				if err != nil || edges[0] > history.At(start) || edges[1] <= history.At(start) || edges[len(edges)-2] >= history.At(end) || edges[len(edges)-1] < history.At(end) {
					t.Fatalf("%s in %s: from %s until %s: %v", every.Word, zone, start, end, edges)
				}
				for j, e := range edges[1:] {
					if d := e.Sub(edges[j]); d <= 0 || d > 2*every.length() {
						t.Fatalf("%s in %s: from %s until %s", every.Word, zone, edges[j], e)
					}
				}
			}
		}
	}
}

func TestAuto(t *testing.T) {
	end := at(t, "UTC", "2026-11-27 12:34")
	for ago, want := range map[time.Duration]string{time.Hour: "5m", 24 * time.Hour: "5m", 7 * 24 * time.Hour: "30m", 30 * 24 * time.Hour: "6h",
		365 * 24 * time.Hour: "1d", 3650 * 24 * time.Hour: "1mo", 40000 * 24 * time.Hour: "1y"} {
		if got := Auto(end.Add(-ago), end).Word; got != want {
			t.Errorf("%s: %s, want %s", ago, got, want)
		}
	}
}

// What is suggested instead of too many values is fine enough to be allowed, and is not as fine as what was asked.
func TestSuggest(t *testing.T) {
	for _, test := range []struct {
		every           string
		groups, buckets int
		want            string
	}{{"5m", 1000, 288, "10m"}, {"1m", 1, 500_000, "5m"}, {"1m", 10_000, 1440, "1h"}, {"1d", 10_000, 365, "1mo"}, {"1y", 300_000, 1, ""}} {
		got, _ := (&TooMany{test.groups, test.buckets, 250_000}).Suggest(EveryOf(test.every))
		if got.Word != test.want {
			t.Errorf("%+v: got %q", test, got.Word)
		}
	}
}
