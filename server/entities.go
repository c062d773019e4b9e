package server

import (
	"context"
	"net/http"

	"dataapi/db"
	"dataapi/internal/hass"
)

// entityParts are what include may name.
var entityParts = []string{"state"}

func (s *Server) listEntities(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Entity](q, r, "entities", 100, 10000)
	include := q.words("include", entityParts)
	p := s.entities(r, q)
	p.After, p.Lim = l.after, l.limit+1
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListEntities(r.Context(), p)
	list, err := listed(l, rows, err, func(e *db.Entity) string { return e.EntityID }, func() (int64, error) {
		return s.DB.CountEntities(r.Context(), db.CountEntitiesParams{
			EntityIds: p.EntityIds, DeviceIds: p.DeviceIds, LabelIds: p.LabelIds, AreaIds: p.AreaIds, FloorID: p.FloorID,
			Manufacturer: p.Manufacturer, Model: p.Model, Integration: p.Integration, Platform: p.Platform,
			Domain: p.Domain, DeviceClass: p.DeviceClass, EntityCategory: p.EntityCategory, Disabled: p.Disabled, Q: p.Q,
		})
	})
	if err != nil || include == nil {
		return list, err
	}
	return s.withStates(r.Context(), list.(page[db.Entity]))
}

// entities are the filters of entities.
func (s *Server) entities(r *http.Request, q *query) db.ListEntitiesParams {
	return db.ListEntitiesParams{
		EntityIds: q.list("entity_id"), DeviceIds: q.list("device_id"), LabelIds: q.list("label_id"),
		AreaIds: q.listOrNone("area_id"), FloorID: q.text("floor_id"),
		Manufacturer: q.text("manufacturer"), Model: q.text("model"), Integration: q.text("integration"),
		Platform: q.text("platform"), Domain: q.text("domain"), DeviceClass: q.text("device_class"),
		EntityCategory: q.text("entity_category"), Disabled: q.flag("disabled"), Q: s.matching(r, q),
	}
}

// getEntity answers with the entity that has the id, or had it before it was renamed.
func (s *Server) getEntity(r *http.Request) (any, error) {
	var from *string
	entity, err := single(r, "entity", "entity_id", func(ctx context.Context, id string) (db.Entity, error) {
		row, err := s.DB.GetEntity(ctx, id)
		from = row.RenamedFrom
		return row.Entity, err
	})
	if err != nil || from == nil {
		return entity, err
	}
	return extended{entity, []addition{{"renamed_from", *from}}}, nil
}

func (s *Server) bulkUpsertEntities(r *http.Request) (any, error) {
	return s.bulkUpsert(r, hass.Entities)
}
