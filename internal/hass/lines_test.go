package hass

import (
	"strings"
	"testing"
	"time"

	"dataapi/internal/history"
)

// Lines as Home Assistant's integration writes them, with each of its settings; lines of others; and bad ones.
func TestReadLines(t *testing.T) {
	const at, read = "1764065797123457000", "2025-11-25T10:16:37.123457Z"
	now := time.UnixMicro(1764065800000000)
	for text, want := range map[string]string{
		`°C,domain=sensor,entity_id=kitchen value=21.50,friendly_name_str="Kitchen, \"left\"",state_class_str="measurement" ` + at:                 `sensor.kitchen=21.5 at ` + read + ` by "" with {"friendly_name":"Kitchen, \"left\"","state_class":"measurement"}`,
		`sensor__temperature,domain=sensor,entity_id=kitchen,source=ha value=21,unit_of_measurement_str="°C" ` + at:                                `sensor.kitchen=21 at ` + read + ` by "" with {"unit_of_measurement":"°C"}`,
		`light.kitchen,domain=light,entity_id=kitchen state="on",value=1,brightness=180,effect_list_str="['a', 'b']" ` + at:                        `light.kitchen=on at ` + read + ` by "" with {"brightness":180,"effect_list":"['a', 'b']"}`,
		`media_player.tv,domain=media_player,entity_id=tv state="Tagesschau, heute=um 8\\",sw_version=12.3,sw_version_str="v1.2.3",value_=4 ` + at: `media_player.tv=Tagesschau, heute=um 8\ at ` + read + ` by "" with {"sw_version":"v1.2.3","value_":4}`,
		`Mbit/s\ max,domain=sensor,entity_id=net value=1000000 ` + at:                                                                              `sensor.net=1000000 at ` + read + ` by "" with `,
		`kWh,domain=sensor,entity_id=meter value=123456.789,state=5,state_str="x" ` + at:                                                           `sensor.meter=123456.789 at ` + read + ` by "" with {"state":"x"}`,
		`state_changes,domain=light,entity_id=light.kitchen context_id="c1",state="off",more=1 ` + at:                                              `light.kitchen=off at ` + read + ` by "c1" with `,
		`state_changes,entity_id=sensor.a value=7i ` + at:                                                                                          `sensor.a=7 at ` + read + ` by "" with `,
		`lx,domain=sensor,entity_id=a value=0.0000001 ` + at:                                                                                       `sensor.a=0.0000001 at ` + read + ` by "" with `,
		`lx,domain=sensor,entity_id=a value=-3`:                                                                                                    `sensor.a=-3 at 2025-11-25T10:16:40Z by "" with `,
		`lx,domain=sensor,entity_id=a value=true ` + at:                                                                                            `sensor.a: state ` + errFields.Error(),
		`lx,domain=sensor,entity_id=a brightness=3 ` + at:                                                                                          `sensor.a: state ` + errFields.Error(),
		`cpu,host=nuc usage=3 ` + at:                                `-: entity_id ` + errNoTag.Error(),
		`lx,entity_id=a value=3 ` + at:                              `a: entity_id ` + errDomain.Error(),
		`lx,domain=sensor,entity_id=a value=3 99999999999999999999`: `sensor.a: time ` + errUnits.Error(),
	} {
		readings := ReadLines([]byte("# a comment\n\n"+text+"\nbroken\n"+text), time.Nanosecond, now)
		if len(readings) != 3 || told(readings[0]) != want || told(readings[2]) != want {
			t.Errorf("%s:\n got %s\nwant %s", text, told(readings[0]), want)
		}
		if p := readings[1].Problem; p == nil || p.Field != "" || !strings.Contains(p.Reason, "line 4") {
			t.Errorf("%s: the broken line: %+v", text, p)
		}
	}
	if got := ReadLines(nil, time.Nanosecond, now); got != nil {
		t.Errorf("nothing: %v", got)
	}
}

func TestReadLinesInUnits(t *testing.T) {
	for stamp, test := range map[string]struct {
		unit time.Duration
		want history.Micros
		ok   bool
	}{
		"1764065797123456789":  {time.Nanosecond, 1764065797123456, true},
		"1764065797123456":     {time.Microsecond, 1764065797123456, true},
		"1764065797123":        {time.Millisecond, 1764065797123000, true},
		"1764065797":           {time.Second, 1764065797000000, true},
		"29401096":             {time.Minute, 1764065760000000, true},
		"490018":               {time.Hour, 1764064800000000, true},
		"9223372036854775807":  {time.Hour, 0, false},
		"-9223372036854775807": {time.Millisecond, 0, false},
	} {
		r := ReadLines([]byte("lx,domain=sensor,entity_id=a value=1 "+stamp), test.unit, time.Now())[0]
		if ok := r.Problem == nil; ok != test.ok || ok && r.Point.Time != test.want {
			t.Errorf("%s %s: %s", stamp, test.unit, told(r))
		}
	}
}

// FuzzReadLines throws text at the reader: each line is a point that has what a point needs, or has a problem.
func FuzzReadLines(f *testing.F) {
	for _, seed := range []string{"", "\n", "°C,domain=sensor,entity_id=a value=1,x_str=\"y\" 1764065797123457000\n", "a b=1\nc,d=e f=\"g\\", "x,entity_id=a.b state=\"\xff\",y=1u 5",
		`m,entity_id=a.b state="x` + "\n" + `y",z=t -1`, "m,domain=d,entity_id=e value=1e300,value=2i"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range ReadLines([]byte(text), time.Millisecond, time.Now()) {
			if r.Problem == nil && (r.Ignored || r.Point.EntityID == "" || r.Point.State == "") || r.Problem != nil && r.Problem.Reason == "" {
				t.Errorf("%q: %s", text, told(r))
			}
		}
	})
}
