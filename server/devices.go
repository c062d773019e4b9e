package server

import (
	"net/http"

	"dataapi/db"
	"dataapi/internal/hass"
)

func (s *Server) listDevices(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Device](q, r, "devices", 100, 1000)
	p := db.ListDevicesParams{
		DeviceIds: q.list("device_id"), EntityIds: q.list("entity_id"), LabelIds: q.list("label_id"),
		AreaIds: q.listOrNone("area_id"), FloorID: q.text("floor_id"),
		Manufacturer: q.text("manufacturer"), Model: q.text("model"), Integration: q.text("integration"),
		Platform: q.text("platform"), Domain: q.text("domain"), Disabled: q.flag("disabled"),
		Q: q.search("q"), After: l.after, Lim: l.limit + 1,
	}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListDevices(r.Context(), p)
	return listed(l, rows, err, func(d *db.Device) string { return d.DeviceID }, func() (int64, error) {
		return s.DB.CountDevices(r.Context(), db.CountDevicesParams{
			DeviceIds: p.DeviceIds, EntityIds: p.EntityIds, LabelIds: p.LabelIds, AreaIds: p.AreaIds, FloorID: p.FloorID,
			Manufacturer: p.Manufacturer, Model: p.Model, Integration: p.Integration,
			Platform: p.Platform, Domain: p.Domain, Disabled: p.Disabled, Q: p.Q,
		})
	})
}

func (s *Server) getDevice(r *http.Request) (any, error) {
	return single(r, "device", "device_id", s.DB.GetDevice)
}

func (s *Server) bulkUpsertDevices(r *http.Request) (any, error) {
	return s.bulkUpsert(r, hass.Devices)
}
