package hass

import (
	"strconv"

	"dataapi/db"
	"dataapi/db/dbtype"
)

type area = db.SaveAreaParams

var areas = &registry[area]{
	ids:    []string{"area_id", "id"},
	beside: isComputed,
	extra:  func(a *area) *dbtype.JSON { return &a.Extra },
	fields: map[string]field[area]{
		"area_id":               identified[area],
		"id":                    identified[area],
		"name":                  name(func(a *area) *string { return &a.Name }),
		"floor_id":              reference(func(a *area) **string { return &a.FloorID }),
		"icon":                  text(func(a *area) **string { return &a.Icon }),
		"picture":               text(func(a *area) **string { return &a.Picture }),
		"temperature_entity_id": reference(func(a *area) **string { return &a.TemperatureEntityID }),
		"humidity_entity_id":    reference(func(a *area) **string { return &a.HumidityEntityID }),
		"aliases":               stringSet(func(a *area) *dbtype.JSON { return &a.Aliases }),
		"labels":                references(func(a *area) *dbtype.JSON { return &a.Labels }),
		"created_at":            created(func(a *area) *string { return &a.CreatedAt }),
		"modified_at":           quiet(moment(func(a *area) **string { return &a.ModifiedAt })),
	},
	valid:  notEmpty,
	stages: 1,
	match: each(func(r *run, id string) (area, int64, error) {
		row, err := r.q.MatchArea(r.ctx, id)
		return area(row), row.Key, err
	}),
	fresh: func(id identity, now string) area {
		return area{AreaID: id.id, Aliases: "[]", Labels: "[]", Extra: "{}", CreatedAt: now}
	},
	finish: func(a *area, id identity) (string, string) {
		a.Name, a.Listed = orElse(a.Name, id.id), true
		return "", ""
	},
	filled: func(a *area) [2]string { return [2]string{a.Name, strconv.FormatBool(a.Listed)} },
	save: func(r *run, _, a *area) error {
		a.UpdatedAt = r.now
		return r.q.SaveArea(r.ctx, *a)
	},
	clear: func(r *run, rows removal) ([]string, error) {
		deleted, err := r.q.DeleteAreas(r.ctx, db.DeleteAreasParams{Keys: rows.keys, DevicesTold: rows.told[Devices], EntitiesTold: rows.told[Entities]})
		if err != nil {
			return nil, err
		}
		unlisted, err := r.q.UnlistAreas(r.ctx, db.UnlistAreasParams{Keys: rows.keys, UpdatedAt: r.now})
		return append(deleted, unlisted...), err
	},
}
