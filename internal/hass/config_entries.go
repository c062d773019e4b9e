package hass

import (
	"dataapi/db"
)

type configEntry = db.SaveConfigEntryParams

// configEntries takes just the columns that there are, and drops everything else: data, options,
// subentries and discovery_keys hold passwords and tokens.
var configEntries = &registry[configEntry]{
	ids:    []string{"entry_id"},
	beside: nil,
	fields: map[string]field[configEntry]{
		"entry_id":                  identified[configEntry],
		"domain":                    name(func(c *configEntry) *string { return &c.Domain }),
		"title":                     name(func(c *configEntry) *string { return &c.Title }),
		"source":                    text(func(c *configEntry) **string { return &c.Source }),
		"state":                     text(func(c *configEntry) **string { return &c.State }),
		"reason":                    text(func(c *configEntry) **string { return &c.Reason }),
		"disabled_by":               text(func(c *configEntry) **string { return &c.DisabledBy }),
		"pref_disable_new_entities": maybe(func(c *configEntry) **bool { return &c.PrefDisableNewEntities }),
		"pref_disable_polling":      maybe(func(c *configEntry) **bool { return &c.PrefDisablePolling }),
		"num_subentries":            integer(func(c *configEntry) **int64 { return &c.NumSubentries }),
		"version":                   integer(func(c *configEntry) **int64 { return &c.Version }),
		"minor_version":             integer(func(c *configEntry) **int64 { return &c.MinorVersion }),
		"created_at":                created(func(c *configEntry) *string { return &c.CreatedAt }),
		"modified_at":               quiet(moment(func(c *configEntry) **string { return &c.ModifiedAt })),
	},
	valid:  notEmpty,
	stages: 1,
	match: each(func(r *run, id string) (configEntry, int64, error) {
		row, err := r.q.MatchConfigEntry(r.ctx, id)
		return configEntry(row), row.Key, err
	}),
	fresh: func(id identity, now string) configEntry {
		return configEntry{EntryID: id.id, CreatedAt: now}
	},
	finish: func(c *configEntry, _ identity) (string, string) {
		if c.Domain == "" {
			return "domain", "is missing"
		}
		c.Title = orElse(c.Title, c.Domain)
		return "", ""
	},
	filled: func(c *configEntry) [2]string { return [2]string{c.Domain, c.Title} },
	save: func(r *run, _, c *configEntry) error {
		c.UpdatedAt = r.now
		return r.q.SaveConfigEntry(r.ctx, *c)
	},
	clear: func(r *run, rows removal) ([]string, error) { return r.q.DeleteConfigEntries(r.ctx, rows.keys) },
}
