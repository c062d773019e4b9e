package history

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// selection is a SELECT of points, or of what the server makes of them. What it says comes from the layout,
// from integers, and from ids that were checked; a single id is bound.
type selection struct {
	*layout
	columns      string   // after SELECT
	measurements []string // none for all of the layout
	ids          []string // entity ids, all of which IsEntityID; none for all. Other domains may pass where ids are split
	start, end   Micros   // start <= time < end
	after        string   // instead of start: nanoseconds < time
	condition    string   // beside these: AND ...
	tail         string   // GROUP BY, ORDER BY, LIMIT
}

func (s selection) text() string {
	begin := ">= " + nanoseconds(s.start)
	if s.after != "" {
		begin = "> " + s.after
	}
	return "SELECT " + s.columns + " FROM " + s.from() + " WHERE time " + begin + " AND time < " + nanoseconds(s.end) + s.only() + s.condition + s.tail
}

// from is where to look: in the layout's measurement, or in those that the server named.
func (s selection) from() string {
	switch {
	case s.measurement != "":
		return `"` + s.measurement + `"`
	case len(s.measurements) == 0:
		return "/.+/"
	}
	names := make([]string, len(s.measurements))
	for n, m := range s.measurements {
		names[n], _ = influxIdentifier(m) // homes passes over what cannot be quoted
	}
	return strings.Join(names, ", ")
}

// only is the condition for the ids.
func (s selection) only() string {
	switch {
	case len(s.ids) == 0:
		return ""
	case len(s.ids) == 1 && s.split:
		return ` AND "domain" = $domain AND "entity_id" = $entity_id`
	case len(s.ids) == 1:
		return ` AND "entity_id" = $entity_id`
	case !s.split:
		return ` AND "entity_id" =~ ` + influxPattern(s.ids)
	}
	names := make([]string, len(s.ids))
	for n, id := range s.ids {
		_, names[n], _ = strings.Cut(id, ".")
	}
	slices.Sort(names)
	return ` AND "entity_id" =~ ` + influxPattern(slices.Compact(names))
}

// args are bound to the names in only.
func (s selection) args() map[string]string {
	switch {
	case len(s.ids) != 1:
		return nil
	case s.split:
		domain, name, _ := strings.Cut(s.ids[0], ".")
		return map[string]string{"domain": domain, "entity_id": name}
	}
	return map[string]string{"entity_id": s.ids[0]}
}

// rows asks for what is selected.
func (i *Influx) rows(ctx context.Context, s selection) iter.Seq2[influxRow, error] {
	return i.query(ctx, s.text(), s.args())
}

// points asks for points. Rows that are none, such as those of a field that is not of a state, are left out.
func (i *Influx) points(ctx context.Context, s selection) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for row, err := range i.rows(ctx, s) {
			if err != nil {
				yield(found{}, err)
				return
			}
			if p, ok := s.point(row); ok && !yield(p, nil) {
				return
			}
		}
	}
}

// found is a point in an answer.
type found struct {
	Point
	nanoseconds int64 // as the server has it
}

// point reads a row whose columns are the time, the states, and what fields adds.
func (l *layout) point(row influxRow) (found, bool) {
	if len(row.values) < 1+len(l.states) {
		return found{}, false
	}
	ns, err := strconv.ParseInt(textOf(row.values[0]), 10, 64)
	state, known := l.state(row.values[1:])
	if err != nil || !known {
		return found{}, false
	}
	p := found{Point{EntityID: l.entity(row.tags), Time: floor(ns), State: state}, ns}
	for n := 1 + len(l.states); n < len(row.values); n++ {
		l.add(&p.Point, row.columns[n], textOf(row.values[n]))
	}
	return p, IsEntityID(p.EntityID)
}

// add takes what stands in a column beside the state.
func (l *layout) add(p *Point, column, text string) {
	switch column {
	case l.context:
		p.Context = text
	case l.attributes:
		if strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
			p.Attributes = []byte(text)
		}
	}
}

// floor is the moment that ns nanoseconds are in, also before 1970.
func floor(ns int64) Micros {
	m := ns / 1000
	if ns%1000 < 0 {
		m--
	}
	return Micros(m)
}

// The ends of InfluxDB's time.
const (
	influxOldest = Micros(-9_223_372_036_854_775)
	influxNewest = Micros(9_223_372_036_854_775)
)

func nanoseconds(m Micros) string {
	return strconv.FormatInt(int64(min(max(m, influxOldest), influxNewest))*1000, 10)
}

// fields are the columns of points: the states, and if all is set the context and the attributes.
func (l *layout) fields(all bool) string {
	names := l.states
	if all {
		names = slices.Concat(names, []string{l.context, l.attributes})
	}
	var columns []string
	for _, name := range names {
		if name != "" {
			columns = append(columns, l.column(name))
		}
	}
	return strings.Join(columns, ", ")
}

// column is a field as the type that it has in this layout. Without being told, the server takes the type from
// any of the measurements and is silent about the values of the others; and in a condition it takes a field
// that it does not know for an empty tag, which everything is unlike.
func (l *layout) column(field string) string {
	if field == l.number {
		return `"` + field + `"::float`
	}
	return `"` + field + `"::string`
}

// group keeps entities apart.
func (l *layout) group() string {
	if l.split {
		return ` GROUP BY "domain", "entity_id"`
	}
	return ` GROUP BY "entity_id"`
}

// tags are the columns that tell the entity of a row where entities are not kept apart.
func (l *layout) tags() string {
	if l.split {
		return `, "domain", "entity_id"`
	}
	return `, "entity_id"`
}

// untagged takes the tags of a row out of its last columns.
func (l *layout) untagged(row influxRow) influxRow {
	n := max(len(row.columns)-strings.Count(l.tags(), ","), 0)
	row.tags = map[string]string{}
	for k, column := range row.columns[n:] {
		row.tags[column] = textOf(row.values[n+k])
	}
	row.columns, row.values = row.columns[:n], row.values[:n]
	return row
}

const newestFirst = " ORDER BY time DESC"

func influxLimit(n int) string {
	if n == 0 {
		return ""
	}
	return " LIMIT " + strconv.Itoa(n)
}
