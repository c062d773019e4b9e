package db

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"dataapi/db/dbtype"
)

// The lists are compared with filters written in Go over all rows, for homes and filters at random.

func TestListsGiveWhatMatchesAllFilters(t *testing.T) {
	for seed := range int64(3) {
		d := inMemory(t)
		for _, s := range randomStatements(seed, 250) {
			execute(t, d, s)
		}
		h := homeOf(t, d)
		dice := dice{rand.New(rand.NewSource(seed))}
		found := 0
		for range 200 {
			found += h.compareEntities(t, d, dice) + h.compareDevices(t, d, dice) + h.compareAreas(t, d, dice)
			if t.Failed() {
				return
			}
		}
		if found < 500 {
			t.Errorf("seed %d: the filters found %d rows in all: they are too narrow to tell", seed, found)
		}
	}
}

// home is all rows of a database.
type home struct {
	entities []Entity
	devices  []Device
	areas    []Area
	device   map[string]Device
	words    map[string]string // kind and id -> what is indexed
}

const indexedWords = `
SELECT k.kind || ' ' || coalesce(a.area_id, d.device_id, e.entity_id) || '=' || replace(t.names || ' ' || t.ids || ' ' || t.more, char(10), ' ')
FROM search_kinds AS k JOIN search_text AS t ON t.id BETWEEN k.first AND k.first + 1099511627775
LEFT JOIN areas AS a ON k.kind = 'area' AND a.key = t.id - k.first
LEFT JOIN devices AS d ON k.kind = 'device' AND d.key = t.id - k.first
LEFT JOIN entities AS e ON k.kind = 'entity' AND e.key = t.id - k.first
WHERE k.kind IN ('area', 'device', 'entity')`

func homeOf(t *testing.T, d *DB) (h home) {
	t.Helper()
	var err error
	if h.entities, err = d.ListEntities(ctx, ListEntitiesParams{Lim: 1000}); err != nil {
		t.Fatal(err)
	}
	if h.devices, err = d.ListDevices(ctx, ListDevicesParams{Lim: 1000}); err != nil {
		t.Fatal(err)
	}
	if h.areas, err = d.ListAreas(ctx, ListAreasParams{Lim: 1000}); err != nil {
		t.Fatal(err)
	}
	want(t, "all entities", strings.Join(idsOf(h.entities, entityID), "\n"), rowsOf(t, d.writer, "SELECT entity_id FROM entities ORDER BY 1"))
	want(t, "all devices", strings.Join(idsOf(h.devices, deviceID), "\n"), rowsOf(t, d.writer, "SELECT device_id FROM devices ORDER BY 1"))
	want(t, "all areas", strings.Join(idsOf(h.areas, areaID), "\n"), rowsOf(t, d.writer, "SELECT area_id FROM areas ORDER BY 1"))
	if err := d.Indexed(ctx); err != nil {
		t.Fatal(err)
	}
	h.words = map[string]string{}
	for line := range strings.Lines(rowsOf(t, d.writer, indexedWords)) {
		row, words, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		h.words[row] = words
	}
	h.device = map[string]Device{}
	for _, v := range h.devices {
		h.device[v.DeviceID] = v
	}
	return h
}

func entityID(e Entity) string { return e.EntityID }
func deviceID(d Device) string { return d.DeviceID }
func areaID(a Area) string     { return a.AreaID }

func idsOf[T any](rows []T, id func(T) string) []string {
	ids := []string{}
	for _, r := range rows {
		ids = append(ids, id(r))
	}
	return ids
}

// Filters at random: each is mostly not set, and sometimes set to what nothing has.

func (d dice) one(prefix string, n int) *string {
	if d.Intn(5) > 0 {
		return nil
	}
	return text(fmt.Sprintf("%s%d", prefix, d.Intn(n)))
}

func (d dice) several(prefix string, n int) *string {
	if d.Intn(5) > 0 {
		return nil
	}
	ids := []any{}
	for range d.Intn(4) {
		ids = append(ids, fmt.Sprintf("%s%d", prefix, d.Intn(n)))
	}
	return listText(ids)
}

// areaList is a list that may hold null, which stands for no area.
func (d dice) areaList() *string {
	list := d.several("a", 6)
	if list != nil && d.Intn(2) == 0 {
		var ids []any
		json.Unmarshal([]byte(*list), &ids)
		return listText(append(ids, nil))
	}
	return list
}

func listText(ids []any) *string {
	encoded, _ := json.Marshal(ids)
	return text(string(encoded))
}

func (d dice) yesOrNo() *bool {
	if d.Intn(5) > 0 {
		return nil
	}
	b := d.Intn(2) == 0
	return &b
}

func (d dice) words() *string {
	if d.Intn(6) > 0 {
		return nil
	}
	return text([]string{"lamp", "LIGHT.E1", "1", "my dev", "dev my", "e1 light", "nam", "Maker 0", "zzz", "a"}[d.Intn(10)])
}

// Filters in Go.

func is(filter *string, value *string) bool {
	return filter == nil || value != nil && *value == *filter
}

func among(filter *string, value *string) bool {
	if filter == nil {
		return true
	}
	var ids []*string
	if err := json.Unmarshal([]byte(*filter), &ids); err != nil {
		panic(err)
	}
	return slices.ContainsFunc(ids, func(id *string) bool {
		return id == nil && value == nil || id != nil && value != nil && *id == *value
	})
}

func wears(filter *string, labels dbtype.JSON) bool {
	if filter == nil {
		return true
	}
	var worn []string
	if err := json.Unmarshal([]byte(labels), &worn); err != nil {
		panic(err)
	}
	return slices.ContainsFunc(worn, func(l string) bool { return among(filter, &l) })
}

// says compares words with those that are indexed of a row; TestSearchFollowsWhateverIsWritten holds these to the row.
func (h home) says(filter *string, kind, id string) bool {
	if filter == nil {
		return true
	}
	for _, p := range phrases(*filter) {
		if !strings.Contains(" "+h.words[kind+" "+id], " "+strings.Join(p, " ")) {
			return false
		}
	}
	return true
}

// matching is how lists take words to look for.
func matching(words *string) *string {
	if words == nil {
		return nil
	}
	s, _ := NewSearch(*words)
	return text(s.Match())
}

func (h home) matches(e Entity, p ListEntitiesParams, q *string) bool {
	device, known := h.device[value(e.DeviceID)]
	return among(p.EntityIds, &e.EntityID) && among(p.DeviceIds, e.DeviceID) && wears(p.LabelIds, e.Labels) &&
		among(p.AreaIds, e.AreaID) && is(p.FloorID, e.FloorID) &&
		(p.Model == nil || known && device.Model == *p.Model) && (p.Manufacturer == nil || known && device.Manufacturer == *p.Manufacturer) &&
		is(p.DeviceClass, e.DeviceClass) && is(p.Platform, &e.Platform) && is(p.Integration, &e.Platform) && is(p.Domain, &e.Domain) &&
		is(p.EntityCategory, e.EntityCategory) && (p.Disabled == nil || *p.Disabled == e.Disabled) && h.says(q, "entity", e.EntityID)
}

func (h home) matchesDevice(d Device, p ListDevicesParams, q *string) bool {
	has := func(what func(Entity) bool) bool {
		return slices.ContainsFunc(h.entities, func(e Entity) bool { return value(e.DeviceID) == d.DeviceID && what(e) })
	}
	return among(p.DeviceIds, &d.DeviceID) && wears(p.LabelIds, d.Labels) && among(p.AreaIds, d.AreaID) && is(p.FloorID, d.FloorID) &&
		is(p.Model, &d.Model) && is(p.Manufacturer, &d.Manufacturer) && is(p.Integration, d.Integration) &&
		(p.Disabled == nil || *p.Disabled == d.Disabled) && h.says(q, "device", d.DeviceID) &&
		(p.EntityIds == nil || has(func(e Entity) bool { return among(p.EntityIds, &e.EntityID) })) &&
		(p.Platform == nil || has(func(e Entity) bool { return is(p.Platform, &e.Platform) })) &&
		(p.Domain == nil || has(func(e Entity) bool { return is(p.Domain, &e.Domain) }))
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Each compares one list, page by page, and its count, and returns how many rows there were.

func (h home) compareEntities(t *testing.T, d *DB, r dice) int {
	t.Helper()
	q := r.words()
	p := ListEntitiesParams{EntityIds: r.several("light.e", 10), DeviceIds: r.several("d", 8), LabelIds: r.several("l", 5), AreaIds: r.areaList(),
		FloorID: r.one("f", 4), Model: r.one("m", 3), Manufacturer: r.one("Maker ", 3), DeviceClass: r.one("class", 4), Platform: r.one("Name ", 10),
		Integration: r.one("Name ", 10), Domain: r.one("light", 1), EntityCategory: r.one("category", 3), Disabled: r.yesOrNo(), Q: matching(q)}
	if p.Domain != nil && r.Intn(2) == 0 {
		p.Domain = text("light")
	}
	all := idsOf(slices.DeleteFunc(slices.Clone(h.entities), func(e Entity) bool { return !h.matches(e, p, q) }), entityID)
	paged := pages(t, func(after string, lim int64) []string {
		p.After, p.Lim = after, lim
		rows, err := d.ListEntities(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return idsOf(rows, entityID)
	}, int64(1+r.Intn(5)))
	n, err := d.CountEntities(ctx, CountEntitiesParams{EntityIds: p.EntityIds, DeviceIds: p.DeviceIds, LabelIds: p.LabelIds, AreaIds: p.AreaIds,
		FloorID: p.FloorID, Model: p.Model, Manufacturer: p.Manufacturer, DeviceClass: p.DeviceClass, Platform: p.Platform,
		Integration: p.Integration, Domain: p.Domain, EntityCategory: p.EntityCategory, Disabled: p.Disabled, Q: p.Q})
	return compare(t, p, all, paged, n, err)
}

func (h home) compareDevices(t *testing.T, d *DB, r dice) int {
	t.Helper()
	q := r.words()
	p := ListDevicesParams{DeviceIds: r.several("d", 8), EntityIds: r.several("light.e", 10), LabelIds: r.several("l", 5), AreaIds: r.areaList(),
		FloorID: r.one("f", 4), Model: r.one("m", 3), Manufacturer: r.one("Maker ", 3), Integration: r.one("domain", 4), Platform: r.one("Name ", 10),
		Domain: r.one("light", 1), Disabled: r.yesOrNo(), Q: matching(q)}
	if p.Domain != nil && r.Intn(2) == 0 {
		p.Domain = text("light")
	}
	all := idsOf(slices.DeleteFunc(slices.Clone(h.devices), func(v Device) bool { return !h.matchesDevice(v, p, q) }), deviceID)
	paged := pages(t, func(after string, lim int64) []string {
		p.After, p.Lim = after, lim
		rows, err := d.ListDevices(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return idsOf(rows, deviceID)
	}, int64(1+r.Intn(4)))
	n, err := d.CountDevices(ctx, countOf(p))
	return compare(t, p, all, paged, n, err)
}

func (h home) compareAreas(t *testing.T, d *DB, r dice) int {
	t.Helper()
	q := r.words()
	p := ListAreasParams{AreaIds: r.several("a", 6), FloorID: r.one("f", 4), LabelIds: r.several("l", 5), Q: matching(q)}
	all := idsOf(slices.DeleteFunc(slices.Clone(h.areas), func(a Area) bool {
		return !(among(p.AreaIds, &a.AreaID) && is(p.FloorID, a.FloorID) && wears(p.LabelIds, a.Labels) && h.says(q, "area", a.AreaID))
	}), areaID)
	paged := pages(t, func(after string, lim int64) []string {
		p.After, p.Lim = after, lim
		rows, err := d.ListAreas(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		return idsOf(rows, areaID)
	}, int64(1+r.Intn(3)))
	n, err := d.CountAreas(ctx, CountAreasParams{AreaIds: p.AreaIds, FloorID: p.FloorID, LabelIds: p.LabelIds, Q: p.Q})
	return compare(t, p, all, paged, n, err)
}

// pages collects a list page by page, each from where the last ended.
func pages(t *testing.T, page func(after string, lim int64) []string, lim int64) []string {
	t.Helper()
	all, after := []string{}, ""
	for range 100 {
		ids := page(after, lim)
		if len(ids) > int(lim) {
			t.Errorf("%d rows in a page of %d", len(ids), lim)
		}
		if all = append(all, ids...); len(ids) < int(lim) {
			return all
		}
		after = ids[len(ids)-1]
	}
	t.Error("the pages do not end")
	return all
}

func compare(t *testing.T, params any, all, paged []string, count int64, err error) int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(paged, all) || count != int64(len(all)) {
		encoded, _ := json.Marshal(params)
		t.Errorf("%s:\npaged   %v\nmatch   %v\ncounted %d", encoded, paged, all, count)
	}
	return len(all)
}

func TestTheSmallListsFilterAndPage(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `INSERT INTO floors (floor_id, name, aliases) VALUES ('a', 'Ground', '["Erdgeschoss"]'), ('b', 'Top', '[]'), ('c', 'Cellar', '[]');
		INSERT INTO labels (label_id, name, description) VALUES ('x', 'Red', 'Hot things'), ('y', 'Blue', NULL), ('z', 'Green', NULL);
		INSERT INTO config_entries (entry_id, domain, title, state) VALUES ('1', 'hue', 'Bridge', 'loaded'), ('2', 'hue', 'Other', 'failed'), ('3', 'zha', 'Stick', 'loaded')`)
	floorsBy := func(p ListFloorsParams) string {
		p.Lim = 9
		rows, err := d.ListFloors(ctx, p)
		return result(idsOf(rows, func(f Floor) string { return f.FloorID }), err)
	}
	labelsBy := func(p ListLabelsParams) string {
		p.Lim = 9
		rows, err := d.ListLabels(ctx, p)
		return result(idsOf(rows, func(l Label) string { return l.LabelID }), err)
	}
	entriesBy := func(p ListConfigEntriesParams) string {
		p.Lim = 9
		rows, err := d.ListConfigEntries(ctx, p)
		return result(idsOf(rows, func(c ConfigEntry) string { return c.EntryID }), err)
	}
	if err := d.Indexed(ctx); err != nil {
		t.Fatal(err)
	}
	want(t, "floors", floorsBy(ListFloorsParams{}), "a b c")
	want(t, "floors after a", floorsBy(ListFloorsParams{After: "a"}), "b c")
	want(t, "floors by alias", floorsBy(ListFloorsParams{Q: matching(text("erdg"))}), "a")
	want(t, "labels", labelsBy(ListLabelsParams{}), "x y z")
	want(t, "labels by id", labelsBy(ListLabelsParams{LabelIds: text(`["z","x","?"]`), After: "x"}), "z")
	want(t, "labels by description", labelsBy(ListLabelsParams{Q: matching(text("HOT"))}), "x")
	want(t, "labels by name", labelsBy(ListLabelsParams{Q: matching(text("blu"))}), "y")
	want(t, "entries", entriesBy(ListConfigEntriesParams{}), "1 2 3")
	want(t, "entries by domain and state", entriesBy(ListConfigEntriesParams{Domain: text("hue"), State: text("loaded")}), "1")
	want(t, "entries by title", entriesBy(ListConfigEntriesParams{Q: matching(text("stick")), After: "1"}), "3")
}

func result(ids []string, err error) string {
	if err != nil {
		return err.Error()
	}
	return strings.Join(ids, " ")
}
