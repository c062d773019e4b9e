package hass

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/influxdata/line-protocol/v2/lineprotocol"

	"dataapi/internal/history"
)

// ReadLines reads lines of InfluxDB's line protocol that are laid out as Home Assistant's own InfluxDB integration
// does it, whatever its measurement is: tags domain and entity_id, which lacks the domain; the state in the field
// state, or in value where it is a number; and attributes in fields, those that are text with _str after their names.
// A whole entity_id in the tag is as good, as in what data-api itself writes to InfluxDB; then there are no attributes.
//
// Times are in the unit, and now where a line has none. A bad line has its Problem, and is in nobody's way.
func ReadLines(text []byte, unit time.Duration, now time.Time) []Reading {
	var readings []Reading
	d := lineprotocol.NewDecoderWithBytes(text)
	for d.Next() {
		l := line{unit: unit, now: now}
		readings = append(readings, l.read(d))
	}
	return readings
}

// line is what is read of a line.
type line struct {
	unit time.Duration
	now  time.Time

	domain, id    string
	state, number string
	context       string
	attributes    map[string]any
}

var (
	errDomain = errors.New("lacks the domain, and there is no tag domain")
	errNoTag  = errors.New("is missing among the tags")
	errFields = errors.New("is missing: there is neither text in a field state nor a number in a field value")
	errUnits  = errors.New("must be a whole number of the units that precision says")
)

func (l *line) read(d *lineprotocol.Decoder) Reading {
	if _, err := d.Measurement(); err != nil {
		return broken(err)
	}
	if err := l.tags(d); err != nil {
		return broken(err)
	}
	if err := l.fields(d); err != nil {
		return broken(err)
	}
	stamp, err := d.TimeBytes()
	if err != nil {
		return broken(err)
	}
	return l.point(string(stamp))
}

// broken is a line that is none. The text of the error has where it is broken.
func broken(err error) Reading { return bad(nil, "", err) }

func (l *line) tags(d *lineprotocol.Decoder) error {
	for {
		key, value, err := d.NextTag()
		if key == nil || err != nil {
			return err
		}
		switch string(key) {
		case "domain":
			l.domain = string(value)
		case "entity_id":
			l.id = string(value)
		}
	}
}

func (l *line) fields(d *lineprotocol.Decoder) error {
	l.attributes = map[string]any{}
	for {
		key, value, err := d.NextField()
		if key == nil || err != nil {
			return err
		}
		l.field(string(key), value)
	}
}

// field takes note of a field. An attribute that is text may have its digits beside it as a number: the text wins.
func (l *line) field(key string, v lineprotocol.Value) {
	text, isText := "", v.Kind() == lineprotocol.String
	if isText {
		text = strings.ToValidUTF8(v.StringV(), "\ufffd")
	}
	switch name, cut := strings.CutSuffix(key, "_str"); {
	case key == "state" && isText:
		l.state = text
	case key == "value" && !isText && v.Kind() != lineprotocol.Bool:
		l.number = numberOf(v)
	case key == "context_id" && isText:
		l.context = text
	case isText && cut:
		l.attributes[name] = text
	case isText:
		l.attributes[key] = text
	case l.attributes[key] == nil:
		l.attributes[key] = v.Interface()
	}
}

// numberOf is a number as short as it can be written without losing any of it.
func numberOf(v lineprotocol.Value) string {
	if v.Kind() == lineprotocol.Float {
		return strconv.FormatFloat(v.FloatV(), 'f', -1, 64)
	}
	return strings.TrimRight(v.String(), "iu")
}

func (l *line) point(stamp string) Reading {
	p := history.Point{EntityID: l.id, State: l.state, Context: l.context}
	if p.State == "" {
		p.State = l.number
	}
	switch {
	case l.id == "":
		return bad(nil, "entity_id", errNoTag)
	case strings.Contains(l.id, "."):
		l.attributes = nil
	case l.domain == "":
		return badNamed(l.id, "entity_id", errDomain)
	default:
		p.EntityID = l.domain + "." + l.id
	}
	at, ok := l.moment(stamp)
	switch {
	case p.State == "":
		return badNamed(p.EntityID, "state", errFields)
	case !ok:
		return badNamed(p.EntityID, "time", errUnits)
	}
	p.Time = at
	if len(l.attributes) > 0 {
		p.Attributes, _ = json.Marshal(l.attributes, json.Deterministic(true)) // valid text and finite numbers only
	}
	return Reading{Point: p}
}

// badNamed is bad with an id that is no JSON.
func badNamed(id, field string, err error) Reading {
	r := bad(nil, field, err)
	r.Problem.ID = &id
	return r
}

func (l *line) moment(stamp string) (history.Micros, bool) {
	if stamp == "" {
		return history.At(l.now), true
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if l.unit < time.Microsecond {
		return history.Micros(n / int64(time.Microsecond/l.unit)), err == nil
	}
	unit := int64(l.unit / time.Microsecond)
	return history.Micros(n * unit), err == nil && n <= math.MaxInt64/unit && n >= math.MinInt64/unit
}
