package hass

import (
	"dataapi/db"
	"dataapi/db/dbtype"
)

type device = db.SaveDeviceParams

var devices = &registry[device]{
	ids:    []string{"id", "device_id"},
	beside: isComputed,
	extra:  func(d *device) *dbtype.JSON { return &d.Extra },
	fields: map[string]field[device]{
		"id":                             identified[device],
		"device_id":                      identified[device],
		"name":                           text(func(d *device) **string { return &d.Name }),
		"name_by_user":                   text(func(d *device) **string { return &d.NameByUser }),
		"manufacturer":                   version(func(d *device) **string { return &d.Manufacturer }),
		"model":                          version(func(d *device) **string { return &d.Model }),
		"model_id":                       version(func(d *device) **string { return &d.ModelID }),
		"hw_version":                     version(func(d *device) **string { return &d.HwVersion }),
		"sw_version":                     version(func(d *device) **string { return &d.SwVersion }),
		"serial_number":                  version(func(d *device) **string { return &d.SerialNumber }),
		"entry_type":                     text(func(d *device) **string { return &d.EntryType }),
		"configuration_url":              text(func(d *device) **string { return &d.ConfigurationUrl }),
		"disabled_by":                    text(func(d *device) **string { return &d.DisabledBy }),
		"area_id":                        reference(func(d *device) **string { return &d.AreaID }),
		"via_device_id":                  reference(func(d *device) **string { return &d.ViaDeviceID }),
		"hub_device_id":                  reference(func(d *device) **string { return &d.ViaDeviceID }),
		"parent_device_id":               reference(func(d *device) **string { return &d.ParentDeviceID }),
		"config_entry_id":                reference(func(d *device) **string { return &d.ConfigEntryID }),
		"config_subentry_id":             reference(func(d *device) **string { return &d.ConfigSubentryID }),
		"primary_config_entry":           reference(func(d *device) **string { return &d.PrimaryConfigEntry }),
		"composite_device_id":            reference(func(d *device) **string { return &d.CompositeDeviceID }),
		"composite_primary_config_entry": reference(func(d *device) **string { return &d.CompositePrimaryConfigEntry }),
		"has_composite_identifiers":      maybe(func(d *device) **bool { return &d.HasCompositeIdentifiers }),
		"split_at":                       moment(func(d *device) **string { return &d.SplitAt }),
		"integration":                    text(func(d *device) **string { return &d.Integration }),
		"labels":                         references(func(d *device) *dbtype.JSON { return &d.Labels }),
		"identifiers":                    anySet(func(d *device) *dbtype.JSON { return &d.Identifiers }),
		"connections":                    anySet(func(d *device) *dbtype.JSON { return &d.Connections }),
		"config_entries":                 references(func(d *device) *dbtype.JSON { return &d.ConfigEntries }),
		"config_entries_subentries":      object(func(d *device) *dbtype.JSON { return &d.ConfigEntriesSubentries }, "{}"),
		"created_at":                     created(func(d *device) *string { return &d.CreatedAt }),
		"modified_at":                    quiet(moment(func(d *device) **string { return &d.ModifiedAt })),
	},
	valid:  notEmpty,
	stages: 1,
	match: each(func(r *run, id string) (device, int64, error) {
		row, err := r.q.MatchDevice(r.ctx, id)
		return device(row), row.Key, err
	}),
	fresh: func(id identity, now string) device {
		return device{DeviceID: id.id, Labels: "[]", Identifiers: "[]", Connections: "[]", ConfigEntries: "[]", ConfigEntriesSubentries: "{}", Extra: "{}", CreatedAt: now}
	},
	finish: func(*device, identity) (string, string) { return "", "" },
	save: func(r *run, _, d *device) error {
		d.UpdatedAt = r.now
		return r.q.SaveDevice(r.brief, *d)
	},
	clear: func(r *run, rows removal) ([]string, error) { return r.q.DeleteDevices(r.ctx, rows.keys) },
}
