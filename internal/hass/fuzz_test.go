package hass

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
)

// errUndo undoes what was tried.
var errUndo = errors.New("undo")

// FuzzStorage throws files at the reader of registries. What is taken for one goes into a database as a whole home,
// bad entries left out; and when the same file comes again, it is no change.
func FuzzStorage(f *testing.F) {
	for _, file := range storageFiles {
		for _, entry := range []string{``, `{}`, `null,7`, `{"id":"a","area_id":"a","entry_id":"a","floor_id":"a","label_id":"a","entity_id":"light.a","name":"A","labels":["x"],"aliases":["y"]}`,
			`{"id":"a","entity_id":"light.a","entry_id":"a","domain":"hue","device_id":"a","config_entry_id":"b","modified_at":1e400,"created_at":"2026-01-02T03:04:05Z","options":{"a":[1]}},{"id":"a"},{"id":"b","via_device_id":"a","parent_device_id":"b"}`} {
			f.Add(fmt.Sprintf(`{"version":%d,"minor_version":3,"key":%q,"data":{%q:[%s]}}`, file.majors[0], file.key, file.lists[0], entry))
		}
	}
	for _, seed := range []string{``, `{}`, `{"version":1,"key":"core.area_registry","data":[]}`, `{"version":1,"key":"core.area_registry","data":{"areas":{}}}`,
		`{"version":3,"key":"core.device_registry","data":{"devices":[{"id":"a"}],"child_devices":[{"id":"b","parent_device_id":"a"}],"deleted_devices":[7]}}`} {
		f.Add(seed)
	}
	d := openMemory(f)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseStorage([]byte(text))
		if err != nil {
			if !errors.Is(err, ErrStorage) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		s.Whole = true
		err = d.Write(t.Context(), func(q *db.Queries) error {
			var results []string
			for range 2 {
				i := &intake{How: How{Force: true}, ctx: t.Context(), q: q, kinds: map[Kind]*intakeKind{}}
				o, err := i.run([]Storage{s})
				if err != nil {
					return err
				}
				r := o.Files[0].Result
				results = append(results, fmt.Sprintf("%d of %d\n%s", r.Stored(), len(s.Batch), rejections(r)))
				if len(results) == 2 && (r.Created+r.Updated+r.Deleted > 0 || results[0] != results[1]) {
					t.Errorf("%q: again it is %s %d deleted\n%s\nfirst it was %s", text, counts(r), r.Deleted, results[1], results[0])
				}
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzStates throws items at the reader of states. Each is a point, or is ignored, or has a problem; on a line of its
// own it is the same; and a point that is written in the plain form is read as the same point.
func FuzzStates(f *testing.F) {
	for _, seed := range []string{``, `{}`, `[]`, `[null,7,"x",[]]`, `{"entity_id":"light.a","state":"on","time":"2026-01-02T03:04:05.123456789+01:00","attributes":{"b":1,"a":[{}]},"context":"c"}`,
		`{"event_type":"state_changed","time_fired":"2026-01-02T03:04:05Z","data":{"entity_id":"light.a","new_state":{"state":"on","context":{"id":"c"}}}}`,
		`{"id":1,"type":"event","event":{"event_type":"state_changed","data":{"entity_id":"a.b","new_state":null}}}`, `{"event_type":"x"}`, `{"event":7}`, `{"event_type":"state_changed"}`,
		`{"entity_id":"a.b","state":1.50,"last_updated":1767323045.1234567,"last_changed":null}`, `{"entity_id":"a.b","state":-0,"time":1767323045123}`, `{"entity_id":"a.b","state":"x","time":-1}`,
		`{"entity_id":"a.b","state":"\u0000","time":1e11,"attributes":{"\ud800":"\uffff"}}`, `{"entity_id":"a.b","state":"x","time":1e-7}`, "{\"entity_id\":\"a.b\",\"state\":\"\xff\",\"time\":1,\"context\":\"\xff\"}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		readings, err := ReadStates([]byte(text))
		if err != nil {
			if !errors.Is(err, ErrSyntax) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, r := range readings {
			isOne(t, text, r)
			if r.Problem == nil && !r.Ignored {
				sameAgain(t, r.Point)
			}
		}
		if len(readings) == 1 && strings.HasPrefix(text, "{") && !strings.ContainsAny(text, "\r\n") {
			if lines := ReadStateLines([]byte(text)); len(lines) != 1 || told(lines[0]) != told(readings[0]) {
				t.Errorf("%q: on a line %v, else %s", text, lines, told(readings[0]))
			}
		}
	})
}

// isOne holds a reading to be one thing, with what belongs to it.
func isOne(t *testing.T, text string, r Reading) {
	t.Helper()
	p := r.Point
	switch {
	case r.Problem != nil:
		if r.Ignored || r.Problem.Reason == "" {
			t.Errorf("%q: %+v", text, r)
		}
	case !r.Ignored && len(p.Attributes) > 0 && !json.Valid(p.Attributes):
		t.Errorf("%q: attributes %q", text, p.Attributes)
	}
}

// sameAgain writes a point in the plain form, and reads it.
func sameAgain(t *testing.T, p history.Point) {
	t.Helper()
	item := map[string]any{"entity_id": p.EntityID, "state": p.State, "time": p.Time.Time().Format(time.RFC3339Nano), "context": p.Context}
	if p.Attributes != nil {
		item["attributes"] = json.RawMessage(p.Attributes)
	}
	text, err := json.Marshal(item)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	again := ReadStateLines(text)
	if len(again) != 1 || again[0].Problem != nil || told(again[0]) != told(Reading{Point: p}) {
		t.Errorf("%s is read as %s, and was %s", text, told(again[0]), told(Reading{Point: p}))
	}
}
