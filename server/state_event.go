package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/history"
)

// stateEvent is an event of the history: an entity took a state. What is not known of it is null, and it is then not
// complete.
type stateEvent struct {
	ID         string       `json:"id"` // its time in microseconds, a dot and the entity_id
	Timestamp  time.Time    `json:"timestamp"`
	EntityID   string       `json:"entity_id"`
	EventType  string       `json:"event_type"` // always stateChanged
	OldState   *stateOf     `json:"old_state"`
	NewState   stateOf      `json:"new_state"`
	Attributes *dbtype.JSON `json:"attributes"`
	ContextID  *string      `json:"context_id"`
	Tags       eventTags    `json:"tags"`
	Complete   bool         `json:"complete"`
}

type stateOf struct {
	State string `json:"state"`
}

// eventTags are what the registry says of the entity now.
type eventTags struct {
	Domain         string  `json:"domain"`
	Name           *string `json:"name"`
	DeviceID       *string `json:"device_id"`
	AreaID         *string `json:"area_id"`
	DeviceClass    *string `json:"device_class"`
	EntityCategory *string `json:"entity_category"`
	Integration    *string `json:"integration"`
}

// stateChanged is the only type of events that the history keeps.
const stateChanged = "state_changed"

// described adds what the registry knows of the entities, and of each entity's newest event the attributes.
func (s *Server) described(ctx context.Context, events []history.Event) ([]stateEvent, error) {
	var ids []string
	for i := range events {
		ids = append(ids, events[i].EntityID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	rows, err := s.entitiesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	newest, err := s.newestOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	described := make([]stateEvent, len(events))
	for i := range events {
		described[i] = describe(&events[i], rows[events[i].EntityID], newest[events[i].EntityID])
	}
	return described, nil
}

func (s *Server) newestOf(ctx context.Context, ids []string) (map[string]history.Point, error) {
	series, err := history.Resolve(ctx, s.DB.Queries, ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := s.History.Last(ctx, series, history.Forever)
	if partial := (*history.Partial)(nil); err != nil && !errors.As(err, &partial) {
		return nil, err
	}
	newest := map[string]history.Point{}
	for _, row := range rows {
		newest[ids[row.Series]] = row.Point
	}
	return newest, nil
}

// entitiesOf are the rows of entities by their ids.
func (s *Server) entitiesOf(ctx context.Context, ids []string) (map[string]*db.Entity, error) {
	list, err := encode(ids)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	text := string(list)
	rows, err := s.DB.ListEntities(ctx, db.ListEntitiesParams{EntityIds: &text, Lim: -1})
	known := map[string]*db.Entity{}
	for i := range rows {
		known[rows[i].EntityID] = &rows[i]
	}
	return known, err
}

func describe(e *history.Event, row *db.Entity, newest history.Point) stateEvent {
	domain, _, _ := strings.Cut(e.EntityID, ".")
	d := stateEvent{
		ID: eventID(e.Time, e.EntityID), Timestamp: e.Time.Time(), EntityID: e.EntityID, EventType: stateChanged,
		NewState: stateOf{e.State}, ContextID: known(e.Context), Tags: eventTags{Domain: domain},
	}
	if e.Old != nil {
		d.OldState = &stateOf{*e.Old}
	}
	attributes := dbtype.JSON(e.Attributes)
	if newest.Time == e.Time {
		attributes = cmp.Or(attributes, dbtype.JSON(newest.Attributes))
	}
	if attributes != "" {
		d.Attributes, d.Complete = &attributes, e.Complete
	}
	if row != nil {
		d.Tags = eventTags{domain, &row.Name, row.DeviceID, row.AreaID, row.DeviceClass, row.EntityCategory, known(row.Platform)}
	}
	return d
}
