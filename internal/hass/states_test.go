package hass

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"dataapi/internal/history"
)

// told is a reading in a line.
func told(r Reading) string {
	switch {
	case r.Ignored:
		return "ignored"
	case r.Problem != nil:
		id := "-"
		if r.Problem.ID != nil {
			id = *r.Problem.ID
		}
		return fmt.Sprintf("%s: %s %s", id, r.Problem.Field, r.Problem.Reason)
	}
	return fmt.Sprintf("%s=%s at %s by %q with %s", r.Point.EntityID, r.Point.State, r.Point.Time, r.Point.Context, r.Point.Attributes)
}

// Every form of a state that Home Assistant gives away, and what is wrong with others.
func TestReadStates(t *testing.T) {
	const at, read = `"2026-11-25T10:16:37.1234567+01:00"`, "2026-11-25T09:16:37.123457Z"
	for item, want := range map[string]string{
		`{"entity_id":"a.b","state":"on","time":` + at + `}`:                                                       `a.b=on at ` + read + ` by "" with `,
		`{"entity_id":"a.b","state":21.50,"time":1764065797.25,"attributes":null,"context":null}`:                  `a.b=21.50 at 2025-11-25T10:16:37.25Z by "" with `,
		`{"entity_id":"a.b","state":"","time":1764065797250,"attributes":{"z":1, "a":"\u00e9"},"context":"c1"}`:    `a.b= at 2025-11-25T10:16:37.25Z by "c1" with {"a":"é","z":1}`,
		`{"entity_id":"a.b","state":"x","time":0,"context":{"id":"c2","user_id":null}}`:                            `a.b=x at 1970-01-01T00:00:00Z by "c2" with `,
		`{"entity_id":"a.b","state":"x","last_updated":` + at + `,"last_changed":"2020-01-01T00:00:00Z","more":7}`: `a.b=x at ` + read + ` by "" with `,
		`{"entity_id":"a.b","state":"x","last_updated":null,"last_changed":` + at + `}`:                            `a.b=x at ` + read + ` by "" with `,

		`{"event_type":"state_changed","time_fired":"2020-01-01T00:00:00Z","context":{"id":"c3"},"data":{"entity_id":"a.b","old_state":null,"new_state":{"entity_id":"a.b","state":"on","last_updated":` + at + `}}}`: `a.b=on at ` + read + ` by "c3" with `,
		`{"id":7,"type":"event","event":{"event_type":"state_changed","time_fired":` + at + `,"data":{"entity_id":"a.b","new_state":{"state":"on","attributes":{},"context":{"id":"c4"}}}}}`:                          `a.b=on at ` + read + ` by "c4" with {}`,
		`{"event_type":"call_service","data":{"domain":"light"}}`: "ignored",
		`{"event_type":7}`: "ignored",
		`{"event_type":"state_changed","data":{"entity_id":"a.b","new_state":null}}`: "ignored",
		`{"event_type":"state_changed","data":7}`:                                    "-: data must be an object",
		`{"event_type":"state_changed","data":{"entity_id":"a.b"}}`:                  "a.b: new_state must be an object",
		`{"event":[]}`: "-: event must be an object",
		`{"event":{"event":{"event":{"event_type":"state_changed"}}}}`:                         "-: entity_id is missing",
		`{"event_type":"state_changed","data":{"entity_id":"a.b","new_state":{"state":"on"}}}`: "a.b: time is missing",

		`7`: "-:  must be an object", `[]`: "-:  must be an object", `null`: "-:  must be an object",
		`{}`: "-: entity_id is missing", `{"entity_id":7}`: "-: entity_id must be a string",
		`{"entity_id":"a.b"}`:                                          "a.b: state is missing",
		`{"entity_id":"a.b","state":true}`:                             "a.b: state must be a string or a number",
		`{"entity_id":"a.b","state":null,"time":0}`:                    "a.b: state must be a string or a number",
		`{"entity_id":"a.b","state":"x"}`:                              "a.b: time is missing",
		`{"entity_id":"a.b","state":"x","time":"2026-11-25T10:16:37"}`: "a.b: time " + errMoment.Error(),
		`{"entity_id":"a.b","state":"x","time":-1}`:                    "a.b: time " + errMoment.Error(),
		`{"entity_id":"a.b","state":"x","time":1e300}`:                 "a.b: time " + errMoment.Error(),
		`{"entity_id":"a.b","state":"x","time":true}`:                  "a.b: time " + errMoment.Error(),
		`{"entity_id":"a.b","state":"x","time":0,"attributes":[]}`:     "a.b: attributes must be an object or null",
		`{"entity_id":"a.b","state":"x","time":0,"context":7}`:         "a.b: context " + errContext.Error(),
		`{"entity_id":"a.b","state":"x","time":0,"context":{"id":7}}`:  "a.b: context " + errContext.Error(),
	} {
		readings, err := ReadStates([]byte("[" + item + "]"))
		if err != nil || len(readings) != 1 || told(readings[0]) != want {
			t.Errorf("%s:\n got %v %v\nwant %s", item, told(readings[0]), err, want)
		}
		if item[0] == '{' {
			if alone, err := ReadStates([]byte(" " + item + "\n")); err != nil || len(alone) != 1 || told(alone[0]) != want {
				t.Errorf("%s alone: %v, %v", item, alone, err)
			}
		}
		if lines := ReadStateLines([]byte("\r\n" + item + "\r\n\n{\"entity_id\n" + item)); len(lines) != 3 || told(lines[0]) != want || told(lines[1]) != "-:  is not JSON" || told(lines[2]) != want {
			t.Errorf("%s in lines: %v", item, lines)
		}
	}
	for _, text := range []string{"", "{", "7", "[{}", "[{}] []", "{} {}", "{},{}"} {
		if r, err := ReadStates([]byte(text)); err == nil {
			t.Errorf("%q is taken: %v", text, r)
		}
	}
}

// The states of real homes are read whole.
func TestReadStatesOfRealHomes(t *testing.T) {
	folder := os.Getenv("HOMES_DIR")
	if folder == "" {
		folder = "../../../shared/homes"
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*", "states.json"))
	for _, file := range append(files, "../../testdata/demo-home/states.json") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var want []struct {
			ID    string `json:"entity_id"`
			State string
		}
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		readings, err := ReadStates(text)
		if err != nil || len(readings) != len(want) || len(want) == 0 {
			t.Fatalf("%s: %d of %d, %v", file, len(readings), len(want), err)
		}
		for i, r := range readings {
			if r.Problem != nil || r.Ignored || r.Point.EntityID != want[i].ID || r.Point.State != want[i].State || r.Point.Time < history.Micros(1_500_000_000_000_000) || r.Point.Attributes == nil {
				t.Errorf("%s: %s", file, told(r))
			}
		}
	}
}
