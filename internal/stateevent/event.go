// Package stateevent is how what happened to entities is told: the states that they took, as the history has them, with
// what the registry says of them now.
package stateevent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/history"
)

// Event is an event of the history: an entity took a state. What is not known of it is null, and it is then not
// complete.
type Event struct {
	ID         string       `json:"id"` // its time in microseconds, a dot and the entity_id
	Timestamp  time.Time    `json:"timestamp"`
	EntityID   string       `json:"entity_id"`
	EventType  string       `json:"event_type"` // always StateChanged
	OldState   *State       `json:"old_state"`
	NewState   State        `json:"new_state"`
	Attributes *dbtype.JSON `json:"attributes"`
	ContextID  *string      `json:"context_id"`
	Tags       Tags         `json:"tags"`
	Complete   bool         `json:"complete"`
}

// State is a state of an entity.
type State struct {
	State string `json:"state"`
}

// Tags are what the registry says of the entity now.
type Tags struct {
	Domain         string  `json:"domain"`
	Name           *string `json:"name"`
	DeviceID       *string `json:"device_id"`
	AreaID         *string `json:"area_id"`
	DeviceClass    *string `json:"device_class"`
	EntityCategory *string `json:"entity_category"`
	Integration    *string `json:"integration"`
}

// StateChanged is the only type of events that the history keeps.
const StateChanged = "state_changed"

// ID is what tells an event from all others.
func ID(at history.Micros, entityID string) string {
	return strconv.FormatInt(int64(at), 10) + "." + entityID
}

// Describe adds to each event what the registry knows of its entity, and to the newest one of an entity the
// attributes. rows are those of the entities that the registry knows, by their ids.
func Describe(ctx context.Context, metadata *db.Queries, past history.Store, events []history.Event) (described []Event, rows map[string]*db.Entity, err error) {
	var ids []string
	for i := range events {
		ids = append(ids, events[i].EntityID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if rows, err = rowsOf(ctx, metadata, ids); err != nil {
		return nil, nil, err
	}
	newest, err := newestOf(ctx, metadata, past, ids)
	if err != nil {
		return nil, nil, err
	}
	described = make([]Event, len(events))
	for i := range events {
		described[i] = describe(&events[i], rows[events[i].EntityID], newest[events[i].EntityID])
	}
	return described, rows, nil
}

func newestOf(ctx context.Context, metadata *db.Queries, past history.Store, ids []string) (map[string]history.Point, error) {
	series, err := history.Resolve(ctx, metadata, ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := past.Last(ctx, series, history.Forever)
	if partial := (*history.Partial)(nil); err != nil && !errors.As(err, &partial) {
		return nil, err
	}
	newest := map[string]history.Point{}
	for _, row := range rows {
		newest[ids[row.Series]] = row.Point
	}
	return newest, nil
}

// rowsOf are the rows of entities by their ids.
func rowsOf(ctx context.Context, metadata *db.Queries, ids []string) (map[string]*db.Entity, error) {
	list, err := json.Marshal(ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	text := string(list)
	rows, err := metadata.ListEntities(ctx, db.ListEntitiesParams{EntityIds: &text, Lim: -1})
	known := map[string]*db.Entity{}
	for i := range rows {
		known[rows[i].EntityID] = &rows[i]
	}
	return known, err
}

func describe(e *history.Event, row *db.Entity, newest history.Point) Event {
	domain, _, _ := strings.Cut(e.EntityID, ".")
	d := Event{
		ID: ID(e.Time, e.EntityID), Timestamp: e.Time.Time(), EntityID: e.EntityID, EventType: StateChanged,
		NewState: State{e.State}, ContextID: known(e.Context), Tags: Tags{Domain: domain},
	}
	if e.Old != nil {
		d.OldState = &State{*e.Old}
	}
	attributes := dbtype.JSON(e.Attributes)
	if newest.Time == e.Time {
		attributes = cmp.Or(attributes, dbtype.JSON(newest.Attributes))
	}
	if attributes != "" {
		d.Attributes, d.Complete = &attributes, e.Complete
	}
	if row != nil {
		d.Tags = Tags{domain, &row.Name, row.DeviceID, row.AreaID, row.DeviceClass, row.EntityCategory, known(row.Platform)}
	}
	return d
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
