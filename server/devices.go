package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"dataapi/db"
	"dataapi/internal/hass"
	"dataapi/internal/history"
)

func (s *Server) listDevices(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Device](q, r, "devices", 100, 1000)
	include := q.words("include", devicesParts)
	p := db.ListDevicesParams{
		DeviceIds: q.list("device_id"), EntityIds: q.list("entity_id"), LabelIds: q.list("label_id"),
		AreaIds: q.listOrNone("area_id"), FloorID: q.text("floor_id"),
		Manufacturer: q.text("manufacturer"), Model: q.text("model"), Integration: q.text("integration"),
		Platform: q.text("platform"), Domain: q.text("domain"), Disabled: q.flag("disabled"),
		Q: s.matching(r, q), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListDevices(r.Context(), p)
	list, err := listed(l, rows, err, func(d *db.Device) string { return d.DeviceID }, func() (int64, error) {
		return s.DB.CountDevices(r.Context(), db.CountDevicesParams{
			DeviceIds: p.DeviceIds, EntityIds: p.EntityIds, LabelIds: p.LabelIds, AreaIds: p.AreaIds, FloorID: p.FloorID,
			Manufacturer: p.Manufacturer, Model: p.Model, Integration: p.Integration,
			Platform: p.Platform, Domain: p.Domain, Disabled: p.Disabled, Q: p.Q,
		})
	})
	if err != nil || include == nil {
		return list, err
	}
	return s.devicesWithStates(r.Context(), list.(page[db.Device]))
}

// devicesWithStates is a page of devices with the entities of each, which have their newest states.
func (s *Server) devicesWithStates(ctx context.Context, p page[db.Device]) (any, error) {
	of, gap, err := s.statesOfDevices(ctx, p.items)
	if err != nil {
		return nil, err
	}
	rows := page[extended]{listing: p.listing, next: p.next, count: p.count, items: make([]extended, len(p.items))}
	rows.fields = nil // of what is trimmed already
	for i := range p.items {
		entities := append([]extended{}, of[p.items[i].DeviceID]...) // none is [] and not null
		rows.items[i] = extended{shown(p.items[i], p.fields), []addition{{"entities", entities}}}
	}
	return freshOrLess(rows.lacking(gap), gap), nil
}

// statesOfDevices are the entities of devices with their newest states, by device.
func (s *Server) statesOfDevices(ctx context.Context, devices []db.Device) (of map[string][]extended, gap *history.Partial, err error) {
	ids := make([]string, len(devices))
	for i := range devices {
		ids[i] = devices[i].DeviceID
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, nil, err
	}
	filter := string(text)
	entities, err := s.DB.ListEntities(ctx, db.ListEntitiesParams{DeviceIds: &filter, Lim: -1})
	if err != nil {
		return nil, nil, err
	}
	stated, gap, err := s.besideStates(ctx, entities, nil)
	of = map[string][]extended{}
	for i := range stated {
		of[*entities[i].DeviceID] = append(of[*entities[i].DeviceID], stated[i])
	}
	return of, gap, err
}

// devicesParts are what include may name of many devices.
var devicesParts = []string{"state"}

// deviceParts are what include may name; state is that of its entities.
var deviceParts = []string{"entities", "area", "state"}

// getDevice answers with the device that has the id, or the one that counts most of those that it was split into,
// and with what include names, as of the same moment.
func (s *Server) getDevice(r *http.Request) (any, error) {
	q := parse(r)
	include := q.words("include", deviceParts)
	var whole db.WholeDevice
	device, err := parsedSingle(q, r, "device", "device_id", func(ctx context.Context, id string) (_ db.Device, err error) {
		if include == nil {
			whole.Device, err = s.DB.GetDevice(ctx, id)
		} else {
			whole, err = s.DB.GetWholeDevice(ctx, id)
		}
		return whole.Device, err
	})
	var more []addition
	if id := pathID(r, "device_id"); id != whole.Device.DeviceID {
		more = append(more, addition{"split_from", id})
	}
	if err != nil || more == nil && include == nil {
		return device, err
	}
	if slices.Contains(include, "state") {
		return s.deviceWithStates(r.Context(), device, whole, include, more)
	}
	for _, part := range include {
		more = append(more, addition{part, map[string]any{"entities": whole.Entities, "area": whole.Area}[part]})
	}
	return extended{device, more}, nil
}

// deviceWithStates is a device with its entities and the newest state of each, null where none is known.
func (s *Server) deviceWithStates(ctx context.Context, device any, whole db.WholeDevice, include []string, more []addition) (any, error) {
	rows, gap, err := s.besideStates(ctx, whole.Entities, nil)
	if err != nil {
		return nil, err
	}
	if slices.Contains(include, "area") {
		more = append(more, addition{"area", whole.Area})
	}
	more = append(more, addition{"entities", rows})
	return freshOrLess(extended{device, append(more, lackingParts(gap)...)}, gap), nil
}

func (s *Server) bulkUpsertDevices(r *http.Request) (any, error) {
	return s.bulkUpsert(r, hass.Devices)
}
