package hass

import (
	"strconv"

	"dataapi/db"
	"dataapi/db/dbtype"
)

type label = db.SaveLabelParams

var labels = &registry[label]{
	ids:    []string{"label_id"},
	beside: isComputed,
	extra:  func(l *label) *dbtype.JSON { return &l.Extra },
	fields: map[string]field[label]{
		"label_id":    identified[label],
		"name":        name(func(l *label) *string { return &l.Name }),
		"color":       text(func(l *label) **string { return &l.Color }),
		"icon":        text(func(l *label) **string { return &l.Icon }),
		"description": text(func(l *label) **string { return &l.Description }),
		"created_at":  created(func(l *label) *string { return &l.CreatedAt }),
		"modified_at": quiet(moment(func(l *label) **string { return &l.ModifiedAt })),
	},
	valid:  notEmpty,
	stages: 1,
	match: each(func(r *run, id string) (label, int64, error) {
		row, err := r.q.MatchLabel(r.ctx, id)
		return label(row), row.Key, err
	}),
	fresh: func(id identity, now string) label {
		return label{LabelID: id.id, Extra: "{}", CreatedAt: now}
	},
	finish: func(l *label, id identity) (string, string) {
		l.Name, l.Listed = orElse(l.Name, id.id), true
		return "", ""
	},
	filled: func(l *label) [2]string { return [2]string{l.Name, strconv.FormatBool(l.Listed)} },
	save: func(r *run, _, l *label) error {
		l.UpdatedAt = r.now
		return r.q.SaveLabel(r.ctx, *l)
	},
	clear: func(r *run, rows removal) ([]string, error) {
		deleted, err := r.q.DeleteLabels(r.ctx, db.DeleteLabelsParams{Keys: rows.keys, AreasTold: rows.told[Areas], DevicesTold: rows.told[Devices], EntitiesTold: rows.told[Entities]})
		if err != nil {
			return nil, err
		}
		unlisted, err := r.q.UnlistLabels(r.ctx, db.UnlistLabelsParams{Keys: rows.keys, UpdatedAt: r.now})
		return append(deleted, unlisted...), err
	},
}
