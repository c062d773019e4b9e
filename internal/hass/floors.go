package hass

import (
	"strconv"

	"dataapi/db"
	"dataapi/db/dbtype"
)

type floor = db.SaveFloorParams

var floors = &registry[floor]{
	ids:    []string{"floor_id"},
	beside: isComputed,
	extra:  func(f *floor) *dbtype.JSON { return &f.Extra },
	fields: map[string]field[floor]{
		"floor_id":    identified[floor],
		"name":        name(func(f *floor) *string { return &f.Name }),
		"level":       integer(func(f *floor) **int64 { return &f.Level }),
		"icon":        text(func(f *floor) **string { return &f.Icon }),
		"aliases":     stringSet(func(f *floor) *dbtype.JSON { return &f.Aliases }),
		"created_at":  created(func(f *floor) *string { return &f.CreatedAt }),
		"modified_at": quiet(moment(func(f *floor) **string { return &f.ModifiedAt })),
	},
	valid:  notEmpty,
	stages: 1,
	match: each(func(r *run, id string) (floor, int64, error) {
		row, err := r.q.MatchFloor(r.ctx, id)
		return floor(row), row.Key, err
	}),
	fresh: func(id identity, now string) floor {
		return floor{FloorID: id.id, Aliases: "[]", Extra: "{}", CreatedAt: now}
	},
	finish: func(f *floor, id identity) (string, string) {
		f.Name, f.Listed = orElse(f.Name, id.id), true
		return "", ""
	},
	filled: func(f *floor) [2]string { return [2]string{f.Name, strconv.FormatBool(f.Listed)} },
	save: func(r *run, _, f *floor) error {
		f.UpdatedAt = r.now
		return r.q.SaveFloor(r.ctx, *f)
	},
	clear: func(r *run, rows removal) ([]string, error) {
		deleted, err := r.q.DeleteFloors(r.ctx, db.DeleteFloorsParams{Keys: rows.keys, AreasTold: rows.told[Areas]})
		if err != nil {
			return nil, err
		}
		unlisted, err := r.q.UnlistFloors(r.ctx, db.UnlistFloorsParams{Keys: rows.keys, UpdatedAt: r.now})
		return append(deleted, unlisted...), err
	},
}
