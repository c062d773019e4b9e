package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"dataapi/db"
)

// Filter says which of the events of the wanted types are sent. An empty filter is that of all.
//
// Rows have, under each name, one of its values, be it as they were or as they are, so that what leaves a room is
// told as well; of a state, it is the row of its entity as it is now. In area_id "none" stands for no area.
// Conditions are for states alone.
type Filter struct {
	Rows map[string][]string
	Conditions
}

// filters are the names that a filter may have for rows.
var filters = []string{"id", "entity_id", "device_id", "area_id", "label_id", "domain", "platform", "integration",
	"manufacturer", "model", "device_class", "entity_category"}

// Bounds of a filter.
const (
	maxValues = 1000 // under one name
	maxText   = 255  // bytes of a value
)

// ParseFilter reads a filter: an object whose values are lists, or one value alone, but for above and below, which
// are numbers. The errors name all that is wrong.
func ParseFilter(text []byte) (Filter, []error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return Filter{}, []error{errors.New(`must be an object such as {"area_id": ["kitchen"]}`)}
	}
	f := Filter{Rows: map[string][]string{}}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := f.take(name, members[name]); err != nil {
			problems = append(problems, err)
		}
	}
	if err := f.Conditions.check(); err != nil {
		problems = append(problems, err)
	}
	if problems != nil {
		return Filter{}, problems
	}
	return f, nil
}

// take takes a member.
func (f *Filter) take(name string, text []byte) (err error) {
	switch {
	case name == "from":
		f.From, err = filterValues(name, text)
	case name == "to":
		f.To, err = filterValues(name, text)
	case name == "above":
		f.Above, err = bound(name, text)
	case name == "below":
		f.Below, err = bound(name, text)
	case slices.Contains(filters, name):
		f.Rows[name], err = filterValues(name, text)
	default:
		err = fmt.Errorf("%q is no filter; there are %s, and for states from, to, above, below", name, strings.Join(filters, ", "))
	}
	return err
}

func filterValues(name string, text []byte) (values []string, err error) {
	var one string
	if json.Unmarshal(text, &one) == nil {
		values = []string{one}
	} else if json.Unmarshal(text, &values) != nil {
		values = nil
	}
	wrong := func(v string) bool { return v == "" || len(v) > maxText }
	if len(values) == 0 || len(values) > maxValues || slices.ContainsFunc(values, wrong) {
		return nil, fmt.Errorf("%s must be a list of 1 to %d texts of 1 to %d bytes", name, maxValues, maxText)
	}
	return values, nil
}

// MarshalJSON writes what ParseFilter reads.
func (f Filter) MarshalJSON() ([]byte, error) {
	members := map[string]any{}
	for name, values := range f.Rows {
		members[name] = values
	}
	f.Conditions.addTo(members)
	return json.Marshal(members)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Filter) UnmarshalJSON(text []byte) error {
	parsed, problems := ParseFilter(text)
	*f = parsed
	return errors.Join(problems...)
}

// Want says whether the row of a change is one that the filter is for.
func (f Filter) Want(c db.Change) bool {
	return len(f.Rows) == 0 || f.holds(c, string(c.Before)) || f.holds(c, string(c.After))
}

// holds says whether the row of a change, as text has it, has one of the values of each name.
func (f Filter) holds(c db.Change, text string) bool {
	var row map[string]any
	if json.Unmarshal([]byte(text), &row) != nil {
		return false // it was not there yet, or is no more
	}
	return f.has(c, row)
}

func (f Filter) has(c db.Change, row map[string]any) bool {
	for name, values := range f.Rows {
		if !slices.ContainsFunc(valuesOf(c, row, name), func(v any) bool { return isIn(values, v) }) {
			return false
		}
	}
	return true
}

// valuesOf are those that a row has under the name of a filter.
func valuesOf(c db.Change, row map[string]any, name string) []any {
	switch labels, labelled := row["labels"].([]any); {
	case name == "id":
		return []any{c.ID, row[idOf(c.Kind)]}
	case name == "label_id" && labelled:
		return labels
	}
	value, there := row[name]
	if platform, has := row["platform"]; has && name == "integration" {
		value, there = platform, true // as in the lists of entities
	}
	switch {
	case !there:
		return nil
	case value == nil && name == "area_id":
		return []any{"none"}
	}
	return []any{value}
}

// idOf is the name under which the rows of a kind have their id: it may have been another one than it is.
func idOf(kind string) string {
	if kind == "config_entry" {
		return "entry_id"
	}
	return kind + "_id"
}

func isIn(values []string, value any) bool {
	text, ok := value.(string)
	return ok && slices.Contains(values, text)
}
