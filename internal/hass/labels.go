package hass

import (
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
	match: func(r *run, id identity, _ int) (label, int64, error) {
		row, err := r.q.MatchLabel(r.ctx, id.id)
		return label(row), row.Key, err
	},
	fresh: func(id identity, now string) label {
		return label{LabelID: id.id, Extra: "{}", CreatedAt: now}
	},
	finish: func(l *label, id identity) (string, string) {
		l.Name = orElse(l.Name, id.id)
		return "", ""
	},
	filled: func(l *label) [2]string { return [2]string{l.Name} },
	save: func(r *run, _, l *label) error {
		l.UpdatedAt = r.now
		return r.q.SaveLabel(r.ctx, *l)
	},
}
