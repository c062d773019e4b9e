package history_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dataapi/internal/history"
	"dataapi/internal/history/historytest"
	"dataapi/internal/history/influxdtest"
)

// others are points as others write them: all that they write beside a state, and what is none of ours.
// The times are hours before historytest.Now.
var others = map[string]struct {
	lines  string
	points string // entity_id, hours before, state
}{
	"home-assistant": {`
°C,domain=sensor,entity_id=hall battery=90,friendly_name_str="Hall",value=20.5 @9
°C,domain=sensor,entity_id=hall battery=90,friendly_name_str="Hall",state=7,state_str="v7",value=21 @8
°C,domain=sensor,entity_id=hall,source=renamed value=22 @7
binary_sensor.hall,domain=binary_sensor,entity_id=hall device_class_str="door",state="on",value=1 @9
binary_sensor.hall,domain=binary_sensor,entity_id=hall device_class_str="door",state="off",value=0 @6
light.hall,domain=light,entity_id=hall brightness=12,brightness_str="12",state="on" @5
W,domain=sensor,entity_id=power value=1500 @9
kW,domain=sensor,entity_id=power value=1.6 @8
W,domain=sensor,entity_id=power value=1700 @7
kW,domain=sensor,entity_id=power value=1.8 @6
kW,domain=sensor,entity_id=power state="unknown" @5
kW,domain=sensor,entity_id=power value=2 @4
sensor.mode,domain=sensor,entity_id=mode state="eco" @9
sensor.mode,domain=sensor,entity_id=mode value=12.5 @8
sensor.mode,domain=sensor,entity_id=mode state="eco" @7
odd\ "unit"\,\ \\of=ours,domain=sensor,entity_id=odd value=3i @6
misc,domain=sensor,entity_id=other state=true @9
misc2,domain=Sensor,entity_id=No\ Id state="x" @9
cpu,host=nas state="busy",value=3 @9
`, `
sensor.hall 9 20.5, sensor.hall 8 21, sensor.hall 7 22, binary_sensor.hall 9 on, binary_sensor.hall 6 off, light.hall 5 on,
sensor.power 9 1500, sensor.power 8 1.6, sensor.power 7 1700, sensor.power 6 1.8, sensor.power 5 unknown, sensor.power 4 2,
sensor.mode 9 eco, sensor.mode 8 12.5, sensor.mode 7 eco, sensor.odd 6 3`},
	"homeiq": {`
home_assistant_events,event_type=state_changed,domain=sensor,device_class=power,area_id=hall,time_of_day=night,entity_id=sensor.power state="1",old_state="0",context_id="c",attr_unit="W",duration_in_state_seconds=5 @9
home_assistant_events,event_type=state_changed,domain=sensor,device_class=power,area_id=hall,time_of_day=morning,entity_id=sensor.power state="unavailable",old_state="1" @8
home_assistant_events,event_type=state_changed,domain=sensor,entity_id=sensor.power state_value="2",previous_state="unavailable",attributes="{}" @7
home_assistant_events,event_type=state_changed,domain=sensor,device_class=power,area_id=attic,time_of_day=morning,entity_id=sensor.power state="2",old_state="unavailable" @7
home_assistant_events,event_type=state_changed,domain=sensor,entity_id=sensor.power state_value="unknown" @6
home_assistant_events,event_type=state_changed,domain=sensor,device_class=power,area_id=attic,time_of_day=night,entity_id=sensor.power state="1e3" @5
home_assistant_events,event_type=state_changed,domain=light,time_of_day=night,entity_id=light.hall state="off",attr_brightness=1i @6
home_assistant_events,event_type=call_service,domain=light,entity_id=light.hall service="turn_on" @5
home_assistant_events,event_type=state_changed,domain=x,entity_id=nonsense state="on" @5
ha_events,entity_id=light.hall state="other" @5
`, `sensor.power 9 1, sensor.power 8 unavailable, sensor.power 7 2, sensor.power 6 unknown, sensor.power 5 1e3, light.hall 6 off`},
	"data-api": {`
state_changes,domain=sensor,entity_id=sensor.power context_id="c",state="1",value=1 @9
state_changes,domain=sensor,entity_id=sensor.power state="on" @8
°C,domain=sensor,entity_id=hall value=20.5 @9
`, `sensor.power 9 1, sensor.power 8 on`},
}

// stamped puts times in.
func stamped(lines string) string {
	for h := range 10 {
		lines = strings.ReplaceAll(lines, fmt.Sprintf("@%d\n", h), fmt.Sprintf("%d\n", historytest.Now.Time().UnixNano()-int64(h)*3600e9))
	}
	return strings.TrimSpace(lines)
}

func pointsIn(text string) (points []history.Point) {
	for part := range strings.SplitSeq(text, ",") {
		var p history.Point
		var hours int
		if _, err := fmt.Sscan(part, &p.EntityID, &hours, &p.State); err != nil {
			panic(err)
		}
		p.Time = historytest.Now - history.Micros(hours)*history.Hour
		points = append(points, p)
	}
	return points
}

// seriesOf are the series of points.
func seriesOf(points []history.Point) (series []history.Series) {
	var names []string
	for _, p := range points {
		if !slices.Contains(names, p.EntityID) {
			names = append(names, p.EntityID)
			series = append(series, history.Named(p.EntityID))
		}
	}
	return series
}

// TestInfluxReadsOthers finds out by looking whose points there are, and reads them.
func TestInfluxReadsOthers(t *testing.T) {
	server := influxdtest.Open(t)
	for layout, c := range others {
		t.Run(layout, func(t *testing.T) {
			database := server.Database(t)
			server.Write(t, database, stamped(c.lines))
			store, points := influx(t, server, database, ""), pointsIn(c.points)
			if got := store.Layout(); got != "" {
				t.Errorf("the layout is %q before anybody looked", got)
			}
			readsOthers(t, store, points)
			if got := store.Layout(); got != layout {
				t.Errorf("the layout is %q", got)
			}
		})
	}
}

func readsOthers(t *testing.T, store history.Store, points []history.Point) {
	const start, end = history.Always, history.Forever
	series := seriesOf(points)
	var got, want []string
	for row, err := range store.Range(t.Context(), history.Query{Series: series, Start: start, End: end}) {
		got = append(got, fmt.Sprint(row.Series, row.EntityID, row.Time, row.State, err))
	}
	newest := map[string]history.Point{}
	for _, p := range points {
		n := slices.IndexFunc(series, func(s history.Series) bool { return s.Names[0].EntityID == p.EntityID })
		want = append(want, fmt.Sprint(n, p.EntityID, p.Time, p.State, nil))
		newest[p.EntityID] = p
	}
	if !slices.Equal(got, want) {
		t.Errorf("range:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	last, err := store.Last(t.Context(), series, end)
	if err != nil || len(last) != len(series) || slices.ContainsFunc(last, func(r history.Row) bool { return newest[r.EntityID].State != r.State }) {
		t.Errorf("last: %v, %v", last, err)
	}
	readsOthersTogether(t, store, points)
	for h := range history.Micros(9) {
		edges := []history.Micros{historytest.Now - (9-h)*history.Hour + 1, historytest.Now}
		historytest.Subject{}.Agrees(t, store, points, history.BucketQuery{Series: series, Edges: edges, Parts: history.All, Now: historytest.Now})
	}
}

// readsOthersTogether asks for all entities there are.
func readsOthersTogether(t *testing.T, store history.Store, points []history.Point) {
	t.Helper()
	const start, end = history.Always, history.Forever
	events, err := store.Events(t.Context(), history.Page{Start: start, End: end, Limit: 100})
	if err != nil || len(events) != len(points) {
		t.Errorf("events: %v, %v", events, err)
	}
	for _, e := range events {
		var old *string
		for _, p := range points {
			if p.EntityID == e.EntityID && p.Time < e.Time {
				old = &p.State
			}
		}
		if (old == nil) != (e.Old == nil) || old != nil && *old != *e.Old {
			t.Errorf("%+v: the state before was %v", e, old)
		}
	}
	counts, err := store.Count(t.Context(), nil, []history.Micros{historytest.Now - 10*history.Hour, historytest.Now})
	if err != nil || counts[0] != int64(len(points)) {
		t.Errorf("count: %v, %v", counts, err)
	}
	seen, err := store.Seen(t.Context(), start, end)
	var names []string
	for _, s := range seen {
		names = append(names, s.EntityID)
	}
	var want []string
	for _, s := range seriesOf(points) {
		want = append(want, s.Names[0].EntityID)
	}
	slices.Sort(want)
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("seen: %v, %v", seen, err)
	}
}

// A database without points of entities is written in our layout.
func TestInfluxNothingToFind(t *testing.T) {
	server := influxdtest.Open(t)
	for name, lines := range map[string]string{"empty": "", "others": `cpu,host=nas state="busy",value=3 1`} {
		database := server.Database(t)
		if lines != "" {
			server.Write(t, database, lines)
		}
		store := influx(t, server, database, "")
		p := history.Point{EntityID: "light.a", Time: historytest.Now, State: "on"}
		if outcomes, err := store.Append(t.Context(), []history.Point{p}); err != nil || outcomes[0].Result != history.Stored || store.Layout() != "data-api" {
			t.Errorf("%s: %v, %v in %q", name, outcomes, err, store.Layout())
		}
		again := influx(t, server, database, "")
		if rows, err := again.Last(t.Context(), []history.Series{history.Named("light.a")}, history.Forever); len(rows) != 1 || err != nil {
			t.Errorf("%s: %v, %v", name, rows, err)
		}
	}
}
