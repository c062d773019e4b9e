package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// influxRow is a row of an answer, and the series that it is of.
type influxRow struct {
	measurement string
	tags        map[string]string
	columns     []string
	values      []any // json.Number, string, bool or nil, as many as columns
}

// errSaid is an error that the server said inside an answer of status 200.
type errSaid string

func (e errSaid) Error() string { return string(e) }

// influxDecoder reads the answer to a query, which is one JSON document after the other. However long the
// answer is, only a row of it is held.
type influxDecoder struct {
	*json.Decoder
	source  *boundedReader
	row     func(influxRow) bool
	partial bool // whether more was to come after the last document
}

func newInfluxDecoder(r io.Reader) *influxDecoder {
	source := &boundedReader{r: r}
	d := &influxDecoder{Decoder: json.NewDecoder(source), source: source}
	d.UseNumber()
	return d
}

// rows calls row for each row until it returns false. It returns nil at the end of a whole answer only.
func (d *influxDecoder) rows(row func(influxRow) bool) error {
	d.row = row
	for documents := 0; ; documents++ {
		d.source.refill()
		err := d.document()
		switch {
		case err == errEnd && documents > 0 && !d.partial:
			return nil
		case err == errEnd:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
}

// errEnd says that there is no other document.
var errEnd = errors.New("end")

func (d *influxDecoder) document() error {
	first, err := d.Token()
	if err == io.EOF {
		return errEnd
	}
	if err != nil || first != json.Delim('{') {
		return cmpErr(err, errShape)
	}
	d.partial = false
	return d.members(func(name string) error {
		switch name {
		case "results":
			return d.array(d.result)
		case "error":
			return d.said()
		}
		return d.skip()
	})
}

func (d *influxDecoder) result() error {
	return d.object(func(name string) error {
		switch name {
		case "series":
			return d.array(d.series)
		case "error":
			return d.said()
		case "partial":
			return d.more()
		}
		return d.skip()
	})
}

func (d *influxDecoder) series() error {
	var s influxRow
	return d.object(func(name string) error {
		switch name {
		case "name":
			return d.Decode(&s.measurement)
		case "tags":
			return d.Decode(&s.tags)
		case "columns":
			return d.Decode(&s.columns)
		case "values":
			return d.array(func() error { return d.values(s) })
		case "partial":
			return d.more()
		}
		return d.skip()
	})
}

func (d *influxDecoder) values(r influxRow) error {
	d.source.refill()
	r.values = make([]any, 0, len(r.columns))
	if err := d.Decode(&r.values); err != nil {
		return err
	}
	if len(r.values) != len(r.columns) {
		return errShape
	}
	if !d.row(r) {
		return errStopped
	}
	return nil
}

// said reads an error of the server.
func (d *influxDecoder) said() error {
	var text string
	if err := d.Decode(&text); err != nil {
		return err
	}
	return errSaid(text)
}

func (d *influxDecoder) more() error {
	var partial bool
	err := d.Decode(&partial)
	d.partial = d.partial || partial
	return err
}

func (d *influxDecoder) skip() error {
	var ignored json.RawMessage
	return d.Decode(&ignored)
}

var errShape = errors.New("not the shape of an answer")

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (d *influxDecoder) delim(want json.Delim) error {
	got, err := d.Token()
	if err == nil && got != want {
		return errShape
	}
	return err
}

func (d *influxDecoder) object(member func(name string) error) error {
	if err := d.delim('{'); err != nil {
		return err
	}
	return d.members(member)
}

// members reads an object from behind its brace.
func (d *influxDecoder) members(member func(name string) error) error {
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		if err := member(name.(string)); err != nil {
			return err
		}
	}
	return d.delim('}')
}

func (d *influxDecoder) array(element func() error) error {
	if err := d.delim('['); err != nil {
		return err
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return d.delim(']')
}

// boundedReader ends with an error where one row, or what is around the rows, is too long to be true.
type boundedReader struct {
	r    io.Reader
	left int
}

// maxRow is how many bytes of an answer may be held at a time.
const maxRow = 1 << 20

func (b *boundedReader) refill() { b.left = maxRow }

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("a row is longer than %d bytes", maxRow)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
