package hass

import (
	"errors"
	"regexp"
	"strings"

	"dataapi/db"
	"dataapi/db/dbtype"
)

type entity = db.SaveEntityParams

// The ways to match an entity, tried for the whole batch one after the other, so that an entity that
// was renamed is known by its registry id before another may claim its old name.
const (
	byRegistryID = iota
	byUniqueID   // within its domain and platform
	byEntityID
	entityStages
)

var entities = &registry[entity]{
	ids:    []string{"entity_id"},
	also:   [][]string{{"id", "registry_id"}, {"platform"}, {"unique_id"}},
	beside: isComputed,
	extra:  func(e *entity) *dbtype.JSON { return &e.Extra },
	fields: map[string]field[entity]{
		"entity_id":             name(func(e *entity) *string { return &e.EntityID }),
		"id":                    reference(func(e *entity) **string { return &e.RegistryID }),
		"registry_id":           reference(func(e *entity) **string { return &e.RegistryID }),
		"platform":              name(func(e *entity) *string { return &e.Platform }),
		"unique_id":             version(func(e *entity) **string { return &e.UniqueID }),
		"previous_unique_id":    version(func(e *entity) **string { return &e.PreviousUniqueID }),
		"name":                  text(func(e *entity) **string { return &e.Name }),
		"original_name":         text(func(e *entity) **string { return &e.OriginalName }),
		"has_entity_name":       flag(func(e *entity) *bool { return &e.HasEntityName }),
		"object_id_base":        text(func(e *entity) **string { return &e.ObjectIDBase }),
		"suggested_object_id":   text(func(e *entity) **string { return &e.SuggestedObjectID }),
		"translation_key":       text(func(e *entity) **string { return &e.TranslationKey }),
		"icon":                  text(func(e *entity) **string { return &e.Icon }),
		"original_icon":         text(func(e *entity) **string { return &e.OriginalIcon }),
		"device_class":          text(func(e *entity) **string { return &e.DeviceClass }),
		"original_device_class": text(func(e *entity) **string { return &e.OriginalDeviceClass }),
		"unit_of_measurement":   text(func(e *entity) **string { return &e.UnitOfMeasurement }),
		"supported_features":    integer(func(e *entity) **int64 { return &e.SupportedFeatures }),
		"entity_category":       text(func(e *entity) **string { return &e.EntityCategory }),
		"disabled_by":           text(func(e *entity) **string { return &e.DisabledBy }),
		"hidden_by":             text(func(e *entity) **string { return &e.HiddenBy }),
		"device_id":             reference(func(e *entity) **string { return &e.DeviceID }),
		"area_id":               reference(func(e *entity) **string { return &e.AreaID }),
		"config_entry_id":       reference(func(e *entity) **string { return &e.ConfigEntryID }),
		"config_subentry_id":    reference(func(e *entity) **string { return &e.ConfigSubentryID }),
		"labels":                references(func(e *entity) *dbtype.JSON { return &e.Labels }),
		"aliases":               stringSet(func(e *entity) *dbtype.JSON { return &e.Aliases }),
		"aliases_v2":            sequence(func(e *entity) *dbtype.JSON { return &e.AliasesV2 }),
		"categories":            object(func(e *entity) *dbtype.JSON { return &e.Categories }, "{}"),
		"capabilities":          object(func(e *entity) *dbtype.JSON { return &e.Capabilities }, ""),
		"options":               object(func(e *entity) *dbtype.JSON { return &e.Options }, "{}"),
		"created_at":            created(func(e *entity) *string { return &e.CreatedAt }),
		"modified_at":           quiet(moment(func(e *entity) **string { return &e.ModifiedAt })),
	},
	valid:  validEntityID,
	stages: entityStages,
	match:  matchEntities,
	fresh: func(id identity, now string) entity {
		return entity{
			EntityID: id.id, Platform: "unknown", Labels: "[]", Aliases: "[]", Categories: "{}", Options: "{}",
			Extra: "{}", CreatedAt: now,
		}
	},
	finish: func(e *entity, _ identity) (string, string) {
		e.Platform = orElse(e.Platform, "unknown")
		return "", ""
	},
	filled: func(e *entity) [2]string { return [2]string{e.EntityID, e.Platform} },
	save:   saveEntity,
	keep:   renameEntity,
	clear:  func(r *run, rows removal) ([]string, error) { return r.q.DeleteEntities(r.ctx, rows.keys) },
	end: func(r *run) error {
		ids, err := r.q.DeleteParkedEntities(r.ctx)
		r.gone(ids)
		return err
	},
}

var entityIDs = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

var errEntityID = errors.New("must be domain.object_id, in lower-case letters, digits and underscores")

func validEntityID(id string) error {
	if !entityIDs.MatchString(id) {
		return errEntityID
	}
	return nil
}

// matchEntities finds the rows by the keys of the stage, and reads them all at once.
func matchEntities(r *run, some []entry, stage int) ([]matched[entity], error) {
	wanted := make([][5]*string, len(some))
	for i := range some {
		wanted[i] = wantedEntity(&some[i].id, stage)
	}
	found, err := r.q.FindEntities(r.ctx, jsonList(wanted))
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(found))
	for i, f := range found {
		keys[i] = f.Key
	}
	rows, err := r.q.ReadEntities(r.ctx, listOfKeys(keys))
	if err != nil {
		return nil, err
	}
	byKey := make(map[int64]*db.ReadEntitiesRow, len(rows))
	for i := range rows {
		byKey[rows[i].Key] = &rows[i]
	}
	all := make([]matched[entity], len(some))
	for _, f := range found {
		all[f.Place] = matched[entity]{entity(*byKey[f.Key]), f.Key}
	}
	return all, nil
}

// wantedEntity is what FindEntities is to look for.
func wantedEntity(id *identity, stage int) (wanted [5]*string) {
	switch {
	case stage == byRegistryID:
		wanted[0] = id.registryID
	case stage == byUniqueID && id.uniqueID != nil && id.platform != nil:
		domain, _, _ := strings.Cut(id.id, ".")
		wanted[1], wanted[2], wanted[3] = &domain, id.platform, id.uniqueID
	case stage == byEntityID:
		wanted[4] = &id.id
	}
	return wanted
}

func saveEntity(r *run, before, e *entity) error {
	e.UpdatedAt = r.now
	if e.Key != 0 && placementOf(e) == placementOf(before) {
		return r.q.DescribeEntity(r.brief, description(e))
	}
	if e.Key != 0 && e.EntityID != before.EntityID {
		// Another entity that has the name is renamed later in the batch, or is no more.
		if err := r.q.ParkEntity(r.brief, db.ParkEntityParams{EntityID: e.EntityID, Key: e.Key}); err != nil {
			return err
		}
	}
	return r.q.SaveEntity(r.brief, *e)
}

// renameEntity stores nothing of a rejected entry but its name, which others in the batch rely on: the
// name that the row had may be another entity's by now.
func renameEntity(r *run, row *entity, id identity) error {
	if row.EntityID == id.id {
		return nil
	}
	renamed := *row
	renamed.EntityID = id.id
	return saveEntity(r, row, &renamed)
}

// placement holds the columns that an index holds. Fields replace a pointer only to change its value, so
// that placements of one row compare by their pointers.
type placement struct {
	entityID, platform                                           string
	registryID, uniqueID, deviceID, areaID, configEntryID        *string
	deviceClass, originalDeviceClass, entityCategory, disabledBy *string
}

func placementOf(e *entity) placement {
	return placement{
		e.EntityID, e.Platform,
		e.RegistryID, e.UniqueID, e.DeviceID, e.AreaID, e.ConfigEntryID,
		e.DeviceClass, e.OriginalDeviceClass, e.EntityCategory, e.DisabledBy,
	}
}

// description is the rest of an entity.
func description(e *entity) db.DescribeEntityParams {
	return db.DescribeEntityParams{
		PreviousUniqueID: e.PreviousUniqueID, Name: e.Name, OriginalName: e.OriginalName, HasEntityName: e.HasEntityName,
		ObjectIDBase: e.ObjectIDBase, SuggestedObjectID: e.SuggestedObjectID, TranslationKey: e.TranslationKey,
		Icon: e.Icon, OriginalIcon: e.OriginalIcon, UnitOfMeasurement: e.UnitOfMeasurement,
		SupportedFeatures: e.SupportedFeatures, HiddenBy: e.HiddenBy, ConfigSubentryID: e.ConfigSubentryID,
		Labels: e.Labels, Aliases: e.Aliases, AliasesV2: e.AliasesV2, Categories: e.Categories,
		Capabilities: e.Capabilities, Options: e.Options, Extra: e.Extra,
		CreatedAt: e.CreatedAt, ModifiedAt: e.ModifiedAt, UpdatedAt: e.UpdatedAt, Key: e.Key,
	}
}
