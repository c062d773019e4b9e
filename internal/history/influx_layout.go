package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// layout is how somebody lays points out in InfluxDB.
type layout struct {
	name        string
	measurement string   // "" where each unit, or each entity, has one of its own
	split       bool     // whether the tag entity_id lacks the domain, which is a tag, too
	states      []string // the fields that hold the state: the first that is there
	number      string   // the one of states that holds numbers; the others hold text
	context     string   // the field that holds the context; "" where there is none
	attributes  string   // the field that holds the attributes as JSON; "" where there is none
	unique      bool     // whether an entity has but one row at a time, so that the server may count
}

// The layouts by their names, in the order in which they are looked for.
var layouts = []layout{
	{name: "data-api", measurement: "state_changes", states: []string{"state"}, context: "context_id", unique: true},
	// The predecessor of this service. Its second writer says state_value for state.
	{name: "homeiq", measurement: "home_assistant_events", states: []string{"state", "state_value"}, context: "context_id", attributes: "attributes"},
	// Home Assistant's own integration. It writes no unknown and no unavailable states, and numbers as such.
	{name: "home-assistant", split: true, states: []string{"state", "value"}, number: "value"},
}

// ours is the layout that is written where nothing is there yet.
var ours = &layouts[0]

// Layouts are the names of the layouts that an InfluxDB can be read in.
func Layouts() []string {
	var names []string
	for _, l := range layouts {
		names = append(names, l.name)
	}
	return names
}

func layoutNamed(name string) (*layout, error) {
	for n := range layouts {
		if layouts[n].name == name {
			return &layouts[n], nil
		}
	}
	return nil, errors.New("must be data-api, home-assistant or homeiq, or empty to find out by looking")
}

// entity is the entity_id of a row.
func (l *layout) entity(tags map[string]string) string {
	if l.split {
		return tags["domain"] + "." + tags["entity_id"]
	}
	return tags["entity_id"]
}

// state is the state in a row of the fields l.states; false where it has none.
func (l *layout) state(fields []any) (string, bool) {
	for _, value := range fields[:len(l.states)] {
		if text := textOf(value); text != "" {
			return text, true
		}
	}
	return "", false
}

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// foundLayout is the layout once it is known.
type foundLayout struct {
	mu     sync.Mutex
	layout *layout
	looked time.Time // when last, in an empty database
}

// lookAgain is how long an empty database is taken for one in our layout before it is looked at again.
const lookAgain = 30 * time.Second

// layout returns the layout that is configured, else the one that was found.
func (i *Influx) layout(ctx context.Context) (*layout, error) {
	if i.config.Layout != "" {
		return layoutNamed(i.config.Layout)
	}
	f := &i.found
	f.mu.Lock()
	l, looked := f.layout, f.looked
	f.mu.Unlock()
	switch {
	case l != nil:
		return l, nil
	case time.Since(looked) < lookAgain:
		return ours, nil
	}
	l, err := i.look(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.layout, f.looked = l, time.Now()
	if l == nil {
		l = ours
	}
	return l, nil
}

// Layout is the name of the layout that is configured or was found; "" before it was looked for.
func (i *Influx) Layout() string {
	if i.config.Layout != "" {
		return i.config.Layout
	}
	i.found.mu.Lock()
	defer i.found.mu.Unlock()
	switch {
	case i.found.layout != nil:
		return i.found.layout.name
	case !i.found.looked.IsZero():
		return ours.name
	}
	return ""
}

// IsOurs says whether points are in our own layout, or will be, as there are none. It looks where it has to.
func (i *Influx) IsOurs(ctx context.Context) (bool, error) {
	l, err := i.layout(ctx)
	return l == ours, storeError(ctx, err)
}

// look returns the first layout whose measurements, tags and fields are there, or nil.
func (i *Influx) look(ctx context.Context) (*layout, error) {
	tags, err := i.keys(ctx, "SHOW TAG KEYS")
	if err != nil {
		return nil, fmt.Errorf("look for the layout: %w", err)
	}
	fields, err := i.keys(ctx, "SHOW FIELD KEYS")
	if err != nil {
		return nil, fmt.Errorf("look for the layout: %w", err)
	}
	for n := range layouts {
		for measurement := range tags {
			if layouts[n].matches(measurement, tags[measurement], fields[measurement]) {
				return &layouts[n], nil
			}
		}
	}
	return nil, nil
}

func (l *layout) matches(measurement string, tags, fields map[string]bool) bool {
	hasState := slices.ContainsFunc(l.states, func(field string) bool { return fields[field] })
	return (l.measurement == "" || l.measurement == measurement) && tags["entity_id"] && (!l.split || tags["domain"]) && hasState
}

// keys returns the first column of a SHOW statement by measurement.
func (i *Influx) keys(ctx context.Context, statement string) (map[string]map[string]bool, error) {
	keys := map[string]map[string]bool{}
	for row, err := range i.query(ctx, statement, nil) {
		if err != nil {
			return nil, err
		}
		if keys[row.measurement] == nil {
			keys[row.measurement] = map[string]bool{}
		}
		if len(row.values) > 0 {
			keys[row.measurement][textOf(row.values[0])] = true
		}
	}
	return keys, nil
}
