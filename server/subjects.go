package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/stats"
)

// subject is an entity that a question about the past is about: its row, or what its last state tells of it where the
// registry does not know it.
type subject struct {
	db.Entity
	meter bool // that only grows
}

// subjects are the entities that match a filter, by entity_id. Ids that the filter names and the registry knows by
// another name, or not at all, are among them if there is no other filter.
func (s *Server) subjects(ctx context.Context, filter db.ListEntitiesParams) ([]subject, error) {
	filter.Lim = mostEntities + 1
	rows, err := s.DB.ListEntities(ctx, filter)
	if err != nil {
		return nil, err
	}
	if len(rows) > mostEntities {
		return nil, invalid{parameter("", "more than 10000 entities match: ask for fewer")}
	}
	subjects := make([]subject, len(rows))
	for i, row := range rows {
		subjects[i] = registered(row)
	}
	ids := filter.EntityIds
	filter.EntityIds, filter.Lim = nil, 0
	if ids == nil || filter != (db.ListEntitiesParams{}) {
		return subjects, nil
	}
	var named []string
	if err := json.Unmarshal([]byte(*ids), &named); err != nil {
		return nil, err
	}
	return s.others(ctx, named, subjects)
}

func registered(e db.Entity) subject {
	var capabilities struct {
		StateClass string `json:"state_class"`
	}
	json.Unmarshal([]byte(e.Capabilities), &capabilities) // what is no object has none
	return subject{e, isMeter(capabilities.StateClass, e.DeviceClass)}
}

// isMeter says whether a sensor only grows. Where it does not say what it is, its device class does.
func isMeter(stateClass string, deviceClass *string) bool {
	if stateClass == "" && deviceClass != nil {
		return slices.Contains([]string{"energy", "gas", "water"}, *deviceClass)
	}
	return stateClass == "total_increasing"
}

// others adds the entities whose ids are named and which are not among the subjects.
func (s *Server) others(ctx context.Context, named []string, subjects []subject) ([]subject, error) {
	there := map[string]bool{}
	for _, e := range subjects {
		there[e.EntityID] = true
	}
	var unknown []string
	for _, id := range named {
		if there[id] || !history.IsEntityID(id) {
			continue
		}
		there[id] = true
		row, err := s.DB.GetEntity(ctx, id)
		switch {
		case errors.Is(db.Classify(err), db.ErrNotFound):
			unknown = append(unknown, id)
		case err != nil:
			return nil, err
		case !there[row.Entity.EntityID]:
			there[row.Entity.EntityID] = true
			subjects = append(subjects, registered(row.Entity))
		}
	}
	strangers, err := s.strangers(ctx, unknown)
	subjects = append(subjects, strangers...)
	slices.SortFunc(subjects, func(a, b subject) int { return strings.Compare(a.EntityID, b.EntityID) })
	return subjects, err
}

// strangers are entities that the registry does not know, as their last states describe them.
func (s *Server) strangers(ctx context.Context, ids []string) ([]subject, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	last, _, err := s.last(ctx, ids, history.Forever)
	if err != nil {
		return nil, err
	}
	strangers := make([]subject, len(ids))
	for i, id := range ids {
		strangers[i] = stranger(id, last[id].Attributes)
	}
	return strangers, nil
}

// subjectOf is the entity that has the id, or had it before it was renamed, or that has it and is unknown to the registry.
func (s *Server) subjectOf(ctx context.Context, id string) (subject, error) {
	row, err := s.DB.GetEntity(ctx, id)
	if err == nil {
		return registered(row.Entity), nil
	}
	if !errors.Is(db.Classify(err), db.ErrNotFound) {
		return subject{}, err
	}
	unknown := missing{noun: "entity", id: id}
	if !history.IsEntityID(id) {
		return subject{}, unknown
	}
	last, gap, err := s.last(ctx, []string{id}, history.Forever)
	switch {
	case err != nil:
		return subject{}, err
	case len(last) == 0 && gap != nil:
		return subject{}, gap.Err // who is not known may be in what is missing
	case len(last) == 0:
		return subject{}, unknown
	}
	return stranger(id, last[id].Attributes), nil
}

// last finds the newest points of entities at a time, by their ids of now. Where gap is not nil, it tells what could not be looked
// through.
func (s *Server) last(ctx context.Context, ids []string, at history.Micros) (last map[string]history.Point, gap *history.Partial, err error) {
	series, err := history.Resolve(ctx, s.DB.Queries, ids)
	if err != nil || len(ids) == 0 {
		return nil, nil, err
	}
	rows, err := s.History.Last(ctx, series, at)
	if err != nil && !errors.As(err, &gap) {
		return nil, nil, err
	}
	last = map[string]history.Point{}
	for _, row := range rows {
		last[ids[row.Series]] = row.Point
	}
	return last, gap, nil
}

// stranger is an entity as its attributes describe it.
func stranger(id string, attributes []byte) subject {
	domain, _, _ := strings.Cut(id, ".")
	e := subject{Entity: db.Entity{EntityID: id, Name: id, Domain: domain}}
	var a struct {
		Name        string  `json:"friendly_name"`
		Unit        *string `json:"unit_of_measurement"`
		DeviceClass *string `json:"device_class"`
		StateClass  string  `json:"state_class"`
	}
	if json.Unmarshal(attributes, &a) == nil {
		e.Name, e.UnitOfMeasurement, e.DeviceClass = cmp.Or(a.Name, id), a.Unit, a.DeviceClass
		e.meter = isMeter(a.StateClass, a.DeviceClass)
	}
	return e
}

// pastGroup is who a series of an answer about the past is of. All its entities have one unit.
type pastGroup struct {
	Name     *string `json:"name"`
	EntityID *string `json:"entity_id"`
	Domain   *string `json:"domain"`
	DeviceID *string `json:"device_id"`
	AreaID   *string `json:"area_id"`
	AreaName *string `json:"area_name"`
	FloorID  *string `json:"floor_id"`
	Unit     *string `json:"unit_of_measurement"`
}

// groupOf is the group that an entity is in, but for the names of devices and floors.
func (e *subject) groupOf(by string, unit bool) pastGroup {
	var g pastGroup
	switch by {
	case "entity":
		g = pastGroup{&e.Name, &e.EntityID, &e.Domain, e.DeviceID, e.AreaID, e.AreaName, e.FloorID, nil}
	case "device":
		g = pastGroup{DeviceID: e.DeviceID}
	case "area":
		g = pastGroup{Name: e.AreaName, AreaID: e.AreaID, AreaName: e.AreaName, FloorID: e.FloorID}
	case "floor":
		g = pastGroup{FloorID: e.FloorID}
	case "domain":
		g = pastGroup{Name: &e.Domain, Domain: &e.Domain}
	}
	if unit {
		g.Unit = e.UnitOfMeasurement
	}
	return g
}

// key tells groups apart, and is their order.
func (g pastGroup) key() string {
	var b strings.Builder
	for _, part := range []*string{g.EntityID, g.DeviceID, g.AreaID, g.FloorID, g.Domain, g.Unit} {
		text := "\xff" // null is last
		if part != nil {
			text = *part
		}
		b.WriteString(text + "\x00")
	}
	return b.String()
}

// grouped puts the subjects into groups, by key, and makes a question for the store of it.
func (s *Server) grouped(ctx context.Context, ask *pastQuestion, subjects []subject) (stats.Question, []pastGroup, error) {
	about := stats.Question{Edges: ask.edges, Fn: ask.fn, Fill: ask.fill, Now: history.At(ask.now), Most: mostValues}
	ids := make([]string, len(subjects))
	keys := make([]string, len(subjects))
	known := map[string]pastGroup{}
	for i := range subjects {
		g := subjects[i].groupOf(ask.groupBy, ask.fn.HasUnit())
		ids[i], keys[i] = subjects[i].EntityID, g.key()
		known[keys[i]] = g
	}
	order := slices.Compact(slices.Sorted(slices.Values(keys)))
	groups := make([]pastGroup, len(order))
	for i, key := range order {
		groups[i] = known[key]
	}
	for i, key := range keys {
		n, _ := slices.BinarySearch(order, key)
		about.Of = append(about.Of, stats.Member{Group: n, Meter: subjects[i].meter})
	}
	about.Groups = len(groups)
	if err := s.nameGroups(ctx, ask.groupBy, groups); err != nil {
		return about, nil, err
	}
	var err error
	about.Series, err = history.Resolve(ctx, s.DB.Queries, ids)
	return about, groups, err
}

// nameGroups gives devices and floors their names, and devices their areas.
func (s *Server) nameGroups(ctx context.Context, by string, groups []pastGroup) error {
	switch by {
	case "device":
		return s.nameDevices(ctx, groups)
	case "floor":
		return s.nameFloors(ctx, groups)
	}
	return nil
}

func (s *Server) nameDevices(ctx context.Context, groups []pastGroup) error {
	ids := []string{}
	for _, g := range groups {
		if g.DeviceID != nil {
			ids = append(ids, *g.DeviceID)
		}
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	devices, err := s.DB.ListDeviceNames(ctx, string(list))
	if err != nil {
		return err
	}
	byID := map[string]db.ListDeviceNamesRow{}
	for _, d := range devices {
		byID[d.DeviceID] = d
	}
	for i, g := range groups {
		if d, ok := byID[plain(g.DeviceID)]; ok {
			groups[i].Name, groups[i].AreaID, groups[i].AreaName, groups[i].FloorID = &d.Name, d.AreaID, d.AreaName, d.FloorID
		}
	}
	return nil
}

func (s *Server) nameFloors(ctx context.Context, groups []pastGroup) error {
	floors, err := s.DB.ListFloors(ctx, db.ListFloorsParams{Lim: mostEntities})
	if err != nil {
		return err
	}
	for i, g := range groups {
		for j := range floors {
			if plain(g.FloorID) == floors[j].FloorID {
				groups[i].Name = &floors[j].Name
			}
		}
	}
	return nil
}
