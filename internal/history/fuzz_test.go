package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
)

// FuzzInfluxLines writes points as lines, in each layout: each is one line, whatever its texts are, and is read as what
// was written.
func FuzzInfluxLines(f *testing.F) {
	for _, seed := range []string{"on", "21.50", "", "a b,c=d", `a"b\`, "a\nb", "a\n# b", "x\x00", "\xff", `\"`, `\\"`, "1e300", "-0", "0x1p4", "ü\u2028", `" 1` + "\nm,t=1 f=2 3"} {
		f.Add("light.hall", seed, "01ABC", int64(1764065797123456))
	}
	f.Add("light.hall cpu=1", "on", "c", int64(0))
	f.Fuzz(func(t *testing.T, id, state, context string, at int64) {
		p := Point{EntityID: id, State: state, Context: context, Time: Micros(at)}
		for n := range layouts {
			l := &layouts[n]
			text, refusals := l.lines([]Point{p})
			if !IsEntityID(id) {
				if text != "" || len(refusals) != 1 {
					t.Errorf("%q is no entity and was written: %q", id, text)
				}
				continue
			}
			fields := fieldsIn(t, text)
			number, numeric := Number(state)
			wantState := !l.split || !numeric
			if fields["state"] != wantOf(wantState, strings.ToValidUTF8(state, "?")) || l.context != "" && fields[l.context] != strings.ToValidUTF8(context, "?") {
				t.Errorf("%s: %q by %q is read as %v in %q", l.name, state, context, fields, text)
			}
			if numeric && l.name != "homeiq" && fields["value"] != number {
				t.Errorf("%s: %q is the number %v, and is read as %v", l.name, state, number, fields["value"])
			}
		}
	})
}

func wantOf(there bool, text string) any {
	if there {
		return text
	}
	return nil
}

// fieldsIn reads the one line that there is in a text.
func fieldsIn(t *testing.T, text string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	d := lineprotocol.NewDecoderWithBytes([]byte(text))
	for n := 0; d.Next(); n++ {
		if _, err := d.Measurement(); err != nil || n > 0 {
			t.Fatalf("line %d of %q: %v", n, text, err)
		}
		for {
			key, _, err := d.NextTag()
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if key == nil {
				break
			}
		}
		for {
			key, value, err := d.NextField()
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if key == nil {
				break
			}
			fields[string(key)] = value.Interface()
		}
		if _, err := d.TimeBytes(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	return fields
}

// FuzzInfluxAnswers throws answers at their reader: it never takes one that was cut for a whole one, and each row has as
// many values as columns.
func FuzzInfluxAnswers(f *testing.F) {
	for _, seed := range []string{`{"results":[{"series":[{"name":"m","tags":{"entity_id":"a"},"columns":["time","state"],"values":[[1,"on"],[2,null]]}]}]}`,
		`{"results":[{"series":[{"columns":["time"],"values":[[1]],"partial":true}],"partial":true}]}{"results":[{}]}`, `{"error":"no"}`, `{"results":[{"error":"no"}]}`,
		``, `[]`, `{}`, `{"results":null}`, `{"results":[{"series":[{"columns":["a"],"values":[[1,2]]}]}]}`, `{"results":[{"series":[{"values":[[]]}]}]}`, `{"results":[{"series":[{"values":null}]}]}`} {
		f.Add([]byte(seed), uint16(10))
	}
	f.Fuzz(func(t *testing.T, text []byte, cut uint16) {
		read := func(text []byte) (rows []string, err error) {
			err = newInfluxDecoder(strings.NewReader(string(text))).rows(func(r influxRow) bool {
				if len(r.values) != len(r.columns) {
					t.Errorf("%q: %v has %v", text, r.columns, r.values)
				}
				rows = append(rows, fmt.Sprint(r.measurement, r.tags, r.values))
				return true
			})
			return rows, err
		}
		all, err := read(text)
		if err != nil {
			if errors.Is(err, errEnd) || errors.Is(err, errStopped) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if d := json.NewDecoder(strings.NewReader(string(text))); utf8.Valid(text) {
			for {
				var document map[string]any
				if err := d.Decode(&document); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%q was taken, and is no JSON: %v", text, err)
				}
			}
		}
		part, err := read(text[:min(int(cut), len(text))])
		if len(part) > len(all) || err == nil && len(part) < len(all) && strings.Count(string(text), "{\"results\"") < 2 {
			t.Errorf("%q cut at %d: %d of %d rows, %v", text, cut, len(part), len(all), err)
		}
	})
}
