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

// Filter says which of the changes of the wanted types are sent: those of rows that have, under each name, one
// of its values, be it as they were or as they are, so that what leaves a room is told as well. An empty filter
// is that of all changes. In area_id "none" stands for no area.
type Filter map[string][]string

// filters are the names that a filter may have.
var filters = []string{"id", "entity_id", "device_id", "area_id", "label_id", "domain", "platform", "integration",
	"manufacturer", "model", "device_class", "entity_category"}

// Bounds of a filter.
const (
	maxValues = 1000 // under one name
	maxText   = 255  // bytes of a value
)

// ParseFilter reads a filter: an object whose values are lists, or one value alone. The errors name all that
// is wrong.
func ParseFilter(text []byte) (Filter, []error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil || members == nil {
		return nil, []error{errors.New(`must be an object such as {"area_id": ["kitchen"]}`)}
	}
	f := Filter{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(members)) {
		values, err := filterValues(name, members[name])
		if err != nil {
			problems = append(problems, err)
		}
		f[name] = values
	}
	if problems != nil {
		return nil, problems
	}
	return f, nil
}

func filterValues(name string, text []byte) (values []string, err error) {
	if !slices.Contains(filters, name) {
		return nil, fmt.Errorf("%q is no filter; there are %s", name, strings.Join(filters, ", "))
	}
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

// Want says whether the row of a change is one that the filter is for.
func (f Filter) Want(c db.Change) bool {
	return len(f) == 0 || f.holds(c, string(c.Before)) || f.holds(c, string(c.After))
}

// holds says whether the row of a change, as text has it, has one of the values of each name.
func (f Filter) holds(c db.Change, text string) bool {
	var row map[string]any
	if json.Unmarshal([]byte(text), &row) != nil {
		return false // it was not there yet, or is no more
	}
	for name, values := range f {
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
