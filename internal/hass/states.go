package hass

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"dataapi/internal/history"
)

// Reading is what an item of a list of states is: a point, something that is none, or neither.
type Reading struct {
	Point history.Point
	// Ignored says that the item is an event that tells of no state.
	Ignored bool
	// Problem is what is wrong with the item, without an index; nil where nothing is.
	Problem *Rejection
}

// ReadStates reads a list of states, or one of them alone, in whatever form Home Assistant gives them away: events
// of its bus (state_changed), as its WebSocket API wraps them or bare, or state objects (entity_id, state,
// attributes, last_updated). For others there is the plain form: entity_id, state, time, attributes, context.
// The error is ErrSyntax. A bad item has its Problem, and is in nobody's way.
func ReadStates(text []byte) ([]Reading, error) {
	if v := jsontext.Value(text); v.Kind() == '{' && v.IsValid(lenient) {
		return []Reading{readState(v)}, nil
	}
	batch, err := ReadBatch(text)
	if err != nil {
		return nil, err
	}
	readings := make([]Reading, len(batch))
	for i, item := range batch {
		readings[i] = readState(item)
	}
	return readings, nil
}

// ReadStateLines is ReadStates for an item on each line. A line that is not JSON is a bad item, and an empty
// one is none.
func ReadStateLines(text []byte) []Reading {
	var readings []Reading
	for line := range bytes.Lines(text) {
		switch v := jsontext.Value(bytes.TrimSpace(line)); {
		case len(v) == 0:
		case !v.IsValid(lenient):
			readings = append(readings, bad(nil, "", errors.New("is not JSON")))
		default:
			readings = append(readings, readState(v))
		}
	}
	return readings
}

// wireItem has the members of all forms of an item.
type wireItem struct {
	Event jsontext.Value `json:"event"` // in what the WebSocket API wraps
	wireEvent
	wireState
}

type wireEvent struct {
	EventType jsontext.Value `json:"event_type"`
	Data      jsontext.Value `json:"data"`
	TimeFired jsontext.Value `json:"time_fired"`
}

type wireData struct {
	EntityID jsontext.Value `json:"entity_id"`
	NewState jsontext.Value `json:"new_state"`
}

type wireState struct {
	EntityID    jsontext.Value `json:"entity_id"`
	State       jsontext.Value `json:"state"`
	Time        jsontext.Value `json:"time"`
	LastUpdated jsontext.Value `json:"last_updated"`
	LastChanged jsontext.Value `json:"last_changed"`
	Attributes  jsontext.Value `json:"attributes"`
	Context     jsontext.Value `json:"context"`
}

// readObject reads the members of an object that are asked for. It says whether v is one.
func readObject(v jsontext.Value, into any) bool {
	return v.Kind() == '{' && json.Unmarshal(v, into, lenient) == nil
}

func readState(v jsontext.Value) Reading {
	var w wireItem
	if !readObject(v, &w) {
		return bad(nil, "", errObjectOnly)
	}
	if w.Event != nil {
		var inner wireItem
		if !readObject(w.Event, &inner) {
			return bad(nil, "event", errObjectOnly)
		}
		w = inner
	}
	if w.EventType == nil {
		return w.point()
	}
	return w.readEvent()
}

// readEvent reads an event of Home Assistant's bus. One that tells of no state, or that an entity is gone, is
// no error of whoever sends them all.
func (w *wireItem) readEvent() Reading {
	if string(w.EventType) != `"state_changed"` {
		return Reading{Ignored: true}
	}
	var data wireData
	if !readObject(w.Data, &data) {
		return bad(nil, "data", errObjectOnly)
	}
	if data.NewState.Kind() == 'n' {
		return Reading{Ignored: true}
	}
	var s wireState
	if !readObject(data.NewState, &s) {
		return bad(data.EntityID, "new_state", errObjectOnly)
	}
	s.EntityID = or(s.EntityID, data.EntityID)
	s.LastUpdated = or(s.LastUpdated, w.TimeFired)
	s.Context = or(s.Context, w.Context)
	return s.point()
}

func or(v, other jsontext.Value) jsontext.Value {
	if v == nil {
		return other
	}
	return v
}

var (
	errObjectOnly = errors.New("must be an object")
	errMissing    = errors.New("is missing")
	errString     = errors.New("must be a string")
	errState      = errors.New("must be a string or a number")
	errMoment     = errors.New("must be RFC 3339 with an offset, or seconds or milliseconds since 1970")
	errContext    = errors.New("must be an id of at most 64 characters, or an object that has one")
)

// point makes a point of a state.
func (w *wireState) point() Reading {
	if w.EntityID == nil {
		return bad(nil, "entity_id", errMissing)
	}
	if w.EntityID.Kind() != '"' {
		return bad(nil, "entity_id", errString)
	}
	p := history.Point{EntityID: unquote(w.EntityID)}
	for _, member := range []struct {
		name string
		take func(*history.Point) error
	}{{"state", w.state}, {"time", w.time}, {"attributes", w.attributes}, {"context", w.context}} {
		if err := member.take(&p); err != nil {
			return bad(w.EntityID, member.name, err)
		}
	}
	return Reading{Point: p}
}

func bad(id jsontext.Value, field string, err error) Reading {
	r := Rejection{Field: field, Reason: err.Error()}
	if id.Kind() == '"' {
		text := unquote(id)
		r.ID = &text
	}
	return Reading{Problem: &r}
}

// state is text; a number is taken as it is written.
func (w *wireState) state(p *history.Point) error {
	switch w.State.Kind() {
	case '"', '0':
		p.State = written(w.State)
		return nil
	case 0:
		return errMissing
	}
	return errState
}

// time is when the state was taken, to the microsecond.
func (w *wireState) time(p *history.Point) error {
	for _, v := range []jsontext.Value{w.Time, w.LastUpdated, w.LastChanged} {
		if v == nil || v.Kind() == 'n' {
			continue
		}
		t, err := momentOf(v)
		p.Time = t
		return err
	}
	return errMissing
}

// milliseconds is from where on a number is not of seconds: these would be in the year 5138.
const milliseconds = 100_000_000_000

func momentOf(v jsontext.Value) (history.Micros, error) {
	switch v.Kind() {
	case '"':
		t, err := time.Parse(time.RFC3339, unquote(v))
		if err != nil {
			return 0, errMoment
		}
		return history.At(t.Round(time.Microsecond)), nil
	case '0':
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil || n < 0 || n >= 1000*milliseconds {
			return 0, errMoment
		}
		if n >= milliseconds {
			n /= 1000
		}
		return history.Micros(math.Round(n * 1e6)), nil
	}
	return 0, errMoment
}

func (w *wireState) attributes(p *history.Point) error {
	switch w.Attributes.Kind() {
	case 0, 'n':
		return nil
	case '{':
		if tooDeep(w.Attributes) {
			return errDeep
		}
		p.Attributes = canonical(w.Attributes)
		return nil
	}
	return errObject
}

// context is an id, which Home Assistant puts into an object with those of who and what caused it.
func (w *wireState) context(p *history.Point) error {
	id := w.Context
	if id.Kind() == '{' {
		var object struct {
			ID jsontext.Value `json:"id"`
		}
		if err := json.Unmarshal(id, &object, lenient); err != nil {
			return errContext
		}
		id = object.ID
	}
	switch id.Kind() {
	case 0, 'n':
		return nil
	case '"':
		p.Context = unquote(id)
		if utf8.ValidString(p.Context) && len(p.Context) <= 64 {
			return nil
		}
	}
	return errContext
}
