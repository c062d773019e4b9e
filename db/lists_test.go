package db

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"modernc.org/sqlite"
)

// houseSQL makes a home of devices and entities in which three of each are rare in every respect. The
// names of what is rare begin with "rare", of all else not.
const houseSQL = `
INSERT INTO areas (area_id, name, floor_id) VALUES ('rare', 'Rare', 'rare');
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
INSERT INTO areas (area_id, name, floor_id) SELECT 'area' || i, 'Area ' || i, 'floor' || (i % 3) FROM n;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
INSERT INTO devices (device_id, name, manufacturer, model, area_id, identifiers, disabled_by, labels)
SELECT iif(rare, 'rare', 'd') || i, 'Device ' || i, iif(rare, 'rare', 'Maker ' || (i % 20)), iif(rare, 'rare', 'Model ' || (i % 50)),
       iif(rare, 'rare', 'area' || (i % 40 + 1)), iif(rare, '[["rare", 1]]', '[["zha", 1]]'), iif(rare, 'user', NULL), iif(rare, '["rare"]', '[]')
FROM (SELECT i, i <= 3 AS rare FROM n);
DROP TRIGGER entities_inserted;
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
INSERT INTO entities (entity_id, platform, device_id, original_device_class, entity_category, disabled_by, original_name, device_key, area_key, floor_key, device_name, device_manufacturer, device_model)
SELECT iif(rare, 'rare', iif(i % 3, 'sensor', 'light')) || '.e' || i, iif(rare, 'rare', 'p' || (i % 4)), d.device_id, iif(rare, 'rare', 'c' || (i % 5)),
       iif(rare, 'rare', 'config'), iif(rare, 'user', NULL), 'Entity ' || i, d.key, d.area_key, d.floor_key, d.name, d.effective_manufacturer, d.effective_model
FROM (SELECT i, i <= 3 AS rare FROM n) JOIN devices AS d ON d.key = iif(rare, i, 4 + i % (?1 - 3));
UPDATE entities SET labels = iif(platform = 'rare', '["rare"]', '["common"]') WHERE platform = 'rare' OR key % 4 = 0;
UPDATE devices SET labels = '["common"]' WHERE key > 3 AND key % 4 = 0`

// house returns a home with our data in which the derived columns are right.
func house(t *testing.T, devices, entities int) *DB {
	t.Helper()
	d := inMemory(t)
	execute(t, d, houseSQL, devices, entities)
	return d
}

func TestTheHouseIsSound(t *testing.T) {
	d := house(t, 100, 500)
	want(t, "disagreements", rowsOf(t, d.writer, disagreements), "")
	want(t, "sizes", rowsOf(t, d.writer, "SELECT (SELECT count(*) FROM devices), (SELECT count(*) FROM entities)"), "100|500")
}

func text(s string) *string { return &s }

func yes() *bool { b := true; return &b }

// A filter, set alone to what is rare and to what is common, and what its arm has to look for in an index.
type entityFilter struct {
	name         string
	plan         string
	rare, common ListEntitiesParams
}

var entityFilters = []entityFilter{
	{"entity_id", "e entity_id=?", ListEntitiesParams{EntityIds: text(`["rare.e1","rare.e2"]`)}, ListEntitiesParams{EntityIds: text(`["light.e9"]`)}},
	{"device_id", "e device_key=? entity_id>?", ListEntitiesParams{DeviceIds: text(`["rare1"]`)}, ListEntitiesParams{DeviceIds: text(`["d7","d8"]`)}},
	{"label_id", "k label_key=? entity_id>?", ListEntitiesParams{LabelIds: text(`["rare"]`)}, ListEntitiesParams{LabelIds: text(`["common"]`)}},
	{"label_ids", "k label_key=? entity_id>? entity_id<?", ListEntitiesParams{LabelIds: text(`["rare","rare"]`)}, ListEntitiesParams{LabelIds: text(`["rare","common"]`)}},
	{"area_id", "e area_key=? entity_id>?", ListEntitiesParams{AreaIds: text(`["rare"]`)}, ListEntitiesParams{AreaIds: text(`["area1"]`)}},
	{"area_ids", "e area_key=? entity_id>? entity_id<?", ListEntitiesParams{AreaIds: text(`["rare","none"]`)}, ListEntitiesParams{AreaIds: text(`["area1","area2"]`)}},
	{"no area", "e area_key=? entity_id>?", ListEntitiesParams{AreaIds: text(`[null]`)}, ListEntitiesParams{AreaIds: text(`[null]`)}},
	{"floor_id", "e floor_key=? entity_id>?", ListEntitiesParams{FloorID: text("rare")}, ListEntitiesParams{FloorID: text("floor1")}},
	{"model", "e device_model=? entity_id>?", ListEntitiesParams{Model: text("rare")}, ListEntitiesParams{Model: text("Model 1")}},
	{"manufacturer", "e device_manufacturer=? entity_id>?", ListEntitiesParams{Manufacturer: text("rare")}, ListEntitiesParams{Manufacturer: text("Maker 1")}},
	{"device_class", "e effective_device_class=? entity_id>?", ListEntitiesParams{DeviceClass: text("rare")}, ListEntitiesParams{DeviceClass: text("c1")}},
	{"platform", "e platform=? entity_id>?", ListEntitiesParams{Platform: text("rare")}, ListEntitiesParams{Platform: text("p1")}},
	{"integration", "e platform=? entity_id>?", ListEntitiesParams{Integration: text("rare")}, ListEntitiesParams{Integration: text("p1")}},
	{"domain", "e domain=? entity_id>?", ListEntitiesParams{Domain: text("rare")}, ListEntitiesParams{Domain: text("sensor")}},
	{"entity_category", "e entity_category=? entity_id>?", ListEntitiesParams{EntityCategory: text("rare")}, ListEntitiesParams{EntityCategory: text("config")}},
	{"disabled", "e disabled=? entity_id>?", ListEntitiesParams{Disabled: yes()}, ListEntitiesParams{Disabled: new(bool)}},
	{"nothing", "e entity_id>?", ListEntitiesParams{After: "rare"}, ListEntitiesParams{}},
}

type deviceFilter struct {
	name         string
	plan         string
	rare, common ListDevicesParams
}

var deviceFilters = []deviceFilter{
	{"device_id", "d device_id=?", ListDevicesParams{DeviceIds: text(`["rare1","rare2"]`)}, ListDevicesParams{DeviceIds: text(`["d9"]`)}},
	{"entity_id", "e entity_id=?", ListDevicesParams{EntityIds: text(`["rare.e1"]`)}, ListDevicesParams{EntityIds: text(`["light.e9"]`)}},
	{"label_id", "k label_key=? device_id>?", ListDevicesParams{LabelIds: text(`["rare"]`)}, ListDevicesParams{LabelIds: text(`["common"]`)}},
	{"label_ids", "k label_key=? device_id>? device_id<?", ListDevicesParams{LabelIds: text(`["rare","rare"]`)}, ListDevicesParams{LabelIds: text(`["rare","common"]`)}},
	{"area_id", "d area_key=? device_id>?", ListDevicesParams{AreaIds: text(`["rare"]`)}, ListDevicesParams{AreaIds: text(`["area1"]`)}},
	{"area_ids", "d area_key=? device_id>? device_id<?", ListDevicesParams{AreaIds: text(`["rare","none"]`)}, ListDevicesParams{AreaIds: text(`["area1","area2"]`)}},
	{"no area", "d area_key=? device_id>?", ListDevicesParams{AreaIds: text(`[null]`)}, ListDevicesParams{AreaIds: text(`[null]`)}},
	{"floor_id", "d floor_key=? device_id>?", ListDevicesParams{FloorID: text("rare")}, ListDevicesParams{FloorID: text("floor1")}},
	{"model", "d effective_model=? device_id>?", ListDevicesParams{Model: text("rare")}, ListDevicesParams{Model: text("Model 1")}},
	{"manufacturer", "d effective_manufacturer=? device_id>?", ListDevicesParams{Manufacturer: text("rare")}, ListDevicesParams{Manufacturer: text("Maker 1")}},
	{"integration", "d effective_integration=? device_id>?", ListDevicesParams{Integration: text("rare")}, ListDevicesParams{Integration: text("zha")}},
	{"platform", "e platform=? device_id>?", ListDevicesParams{Platform: text("rare")}, ListDevicesParams{Platform: text("p1")}},
	{"domain", "e domain=? device_id>?", ListDevicesParams{Domain: text("rare")}, ListDevicesParams{Domain: text("sensor")}},
	{"disabled", "d disabled=? device_id>?", ListDevicesParams{Disabled: yes()}, ListDevicesParams{Disabled: new(bool)}},
	{"nothing", "d device_id>?", ListDevicesParams{After: "rare"}, ListDevicesParams{}},
}

// planOf returns the lines of a query's plan, those of the outermost level apart.
func planOf(t *testing.T, d *DB, query string) (outermost, all []string) {
	t.Helper()
	rows, err := d.writer.pool.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, strings.Count(query, "?"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var line string
		if err := rows.Scan(&id, &parent, &unused, &line); err != nil {
			t.Fatal(err)
		}
		if all = append(all, line); parent == 0 {
			outermost = append(outermost, line)
		}
	}
	return outermost, all
}

// search matches a look-up in an index: the table's alias and what is compared.
var search = regexp.MustCompile(`^SEARCH (\w+) USING .*\((.+?)\)`)

// searches returns the look-ups of a plan, as in "e platform=? entity_id>?".
func searches(plan []string) map[string]bool {
	all := map[string]bool{}
	for _, line := range plan {
		if m := search.FindStringSubmatch(line); m != nil {
			all[m[1]+" "+strings.ReplaceAll(m[2], " AND ", " ")] = true
		}
	}
	return all
}

// Tables may be walked in no plan: the filter decides only at run time which arm does anything. The arms
// of lists and of look-ups by way of another table may sort what they find, but the page may not.
func wantNoWalk(t *testing.T, outermost, all []string) {
	t.Helper()
	for _, line := range all {
		if strings.HasPrefix(line, "SCAN ") && line != "SCAN k" && !strings.Contains(line, "VIRTUAL TABLE") {
			t.Errorf("walks a table: %s", line)
		}
	}
	for _, line := range outermost {
		if strings.Contains(line, "TEMP B-TREE") {
			t.Errorf("sorts the page: %s", line)
		}
	}
}

func TestPlansOfTheLargeLists(t *testing.T) {
	d := house(t, 5000, 20000)
	for _, analyzed := range []bool{false, true} {
		if analyzed {
			execute(t, d, "ANALYZE") // as a user may, and then the planner may think otherwise
		}
		outermost, all := planOf(t, d, listEntities)
		wantNoWalk(t, outermost, all)
		found := searches(all)
		for _, f := range entityFilters {
			if !found[f.plan] {
				t.Errorf("entities by %s (analyzed: %v): no arm with %q in\n%s", f.name, analyzed, f.plan, strings.Join(all, "\n"))
			}
		}
		outermost, all = planOf(t, d, listDevices)
		wantNoWalk(t, outermost, all)
		found = searches(all)
		for _, f := range deviceFilters {
			if !found[f.plan] {
				t.Errorf("devices by %s (analyzed: %v): no arm with %q in\n%s", f.name, analyzed, f.plan, strings.Join(all, "\n"))
			}
		}
	}
}

func TestPlansOfThePointReads(t *testing.T) {
	d := inMemory(t)
	for query, plan := range map[string]string{
		getEntity: "e entity_id=?", getDevice: "d device_id=?", getArea: "a area_id=?", getFloor: "f floor_id=?", getLabel: "l label_id=?",
		getConfigEntry: "c entry_id=?", matchDevice: "devices device_id=?",
	} {
		if _, all := planOf(t, d, query); !searches(all)[plan] || strings.Contains(strings.Join(all, "\n"), "SCAN") {
			t.Errorf("no %q alone in\n%s", plan, strings.Join(all, "\n"))
		}
	}
}

func TestPlanOfMatchingEntities(t *testing.T) {
	_, all := planOf(t, inMemory(t), findEntities)
	found := searches(all)
	for _, plan := range []string{"r registry_id=?", "u unique_id=? platform=?", "i entity_id=?"} {
		if !found[plan] {
			t.Errorf("no %q in\n%s", plan, strings.Join(all, "\n"))
		}
	}
	scans := slices.DeleteFunc(slices.Clone(all), func(step string) bool { return !strings.Contains(step, "SCAN") })
	if len(scans) != 1 || !strings.Contains(scans[0], "SCAN j ") {
		t.Errorf("more is walked than the list: %q", scans)
	}
}

// pagesFor counts the pages of the database that SQLite looks at while read runs: what it costs, without
// the noise of a clock.
func pagesFor(t *testing.T, d *DB, read func() (rows int, err error)) (pages, rows int) {
	t.Helper()
	if _, err := read(); err != nil { // prepares the statement
		t.Fatal(err)
	}
	pageCount(t, d)
	rows, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return pageCount(t, d), rows
}

// pageCount returns how many pages the connection of a database in memory looked at since the last call.
func pageCount(t *testing.T, d *DB) int {
	t.Helper()
	c := connections(t, d.writer.pool, 1)[0]
	defer c.Close()
	sum := 0
	err := c.Raw(func(driverConn any) error {
		for _, op := range []sqlite.DBStatusOp{sqlite.DBStatusCacheHit, sqlite.DBStatusCacheMiss} {
			n, _, err := driverConn.(*conn).full.(sqlite.DBStatus).Status(op, true)
			if err != nil {
				return err
			}
			sum += n
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func (f entityFilter) list(d *DB, p ListEntitiesParams) func() (int, error) {
	return func() (int, error) {
		p.Lim = 100
		rows, err := d.ListEntities(ctx, p)
		return len(rows), err
	}
}

func (f deviceFilter) list(d *DB, p ListDevicesParams) func() (int, error) {
	return func() (int, error) {
		p.Lim = 100
		rows, err := d.ListDevices(ctx, p)
		return len(rows), err
	}
}

func TestWhatIsRareCostsTheSameInALargeHome(t *testing.T) {
	small, large := house(t, 500, 2000), house(t, 10000, 200000)
	for _, f := range entityFilters {
		wantSameCost(t, "entities by "+f.name, small, large, func(d *DB) func() (int, error) { return f.list(d, f.rare) })
	}
	for _, f := range deviceFilters {
		wantSameCost(t, "devices by "+f.name, small, large, func(d *DB) func() (int, error) { return f.list(d, f.rare) })
	}
}

func wantSameCost(t *testing.T, what string, small, large *DB, list func(*DB) func() (int, error)) {
	t.Helper()
	few, rows := pagesFor(t, small, list(small))
	many, rowsLarge := pagesFor(t, large, list(large))
	if rows != rowsLarge || rows > 5 && !strings.HasSuffix(what, "nothing") || rows == 0 && !strings.HasSuffix(what, "no area") {
		t.Errorf("%s: %d rows in the small home, %d in the large one", what, rows, rowsLarge)
	}
	if many > 2*few+30 { // trees are a level or two higher
		t.Errorf("%s: %d pages in the small home, %d in the large one", what, few, many)
	}
}

// A page of what is common may sort what a list of ids or another table leads to, but never looks at the
// rows of one table for each row of another.
func TestWhatIsCommonIsNotLookedAtAgainAndAgain(t *testing.T) {
	const devices, entities = 5000, 20000
	d := house(t, devices, entities)
	for _, f := range entityFilters {
		if pages, rows := pagesFor(t, d, f.list(d, f.common)); pages > entities {
			t.Errorf("entities by %s: %d pages for %d rows", f.name, pages, rows)
		}
	}
	for _, f := range deviceFilters {
		if pages, rows := pagesFor(t, d, f.list(d, f.common)); pages > entities {
			t.Errorf("devices by %s: %d pages for %d rows", f.name, pages, rows)
		}
		count := func() (int, error) {
			n, err := d.CountDevices(ctx, countOf(f.common))
			return int(n), err
		}
		if pages, rows := pagesFor(t, d, count); pages > 5*entities {
			t.Errorf("number of devices by %s: %d pages for %d rows", f.name, pages, rows)
		}
	}
}

// A page costs the same however much matches.
func TestAPageIsNotSorted(t *testing.T) {
	small, large := house(t, 500, 2000), house(t, 5000, 80000)
	compare := func(what string, list func(*DB) (int, error)) {
		few, rows := pagesFor(t, small, func() (int, error) { return list(small) })
		many, _ := pagesFor(t, large, func() (int, error) { return list(large) })
		if many > few+few/2+10 || rows != 5 && !strings.HasSuffix(what, "_id") && !strings.HasSuffix(what, "no area") { // trees are a level higher
			t.Errorf("%s: %d rows; %d pages in the small home, %d in the large one", what, rows, few, many)
		}
	}
	for _, f := range entityFilters {
		compare("entities by "+f.name, func(d *DB) (int, error) {
			p := f.common
			p.Lim = 5
			rows, err := d.ListEntities(ctx, p)
			return len(rows), err
		})
	}
	for _, f := range deviceFilters {
		compare("devices by "+f.name, func(d *DB) (int, error) {
			p := f.common
			p.Lim = 5
			rows, err := d.ListDevices(ctx, p)
			return len(rows), err
		})
	}
}

func countOf(p ListDevicesParams) CountDevicesParams {
	return CountDevicesParams{DeviceIds: p.DeviceIds, EntityIds: p.EntityIds, LabelIds: p.LabelIds, AreaIds: p.AreaIds, FloorID: p.FloorID,
		Model: p.Model, Manufacturer: p.Manufacturer, Integration: p.Integration, Platform: p.Platform, Domain: p.Domain, Disabled: p.Disabled, Q: p.Q}
}

// Of several areas and labels each gives as much as a page can take, whichever has it, and whatever ids are like.
func TestPagesOfSeveralAreOfAllTheyHave(t *testing.T) {
	d := inMemory(t)
	execute(t, d, `
		INSERT INTO areas (area_id, name) VALUES ('empty', 'Empty'), ('full', 'Full');
		INSERT INTO labels (label_id, name) VALUES ('idle', 'Idle'), ('worn', 'Worn');
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
		INSERT INTO entities (entity_id, area_id, labels) SELECT 'light.e' || i, 'full', '["worn"]' FROM n;
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
		INSERT INTO devices (device_id, area_id, labels) SELECT iif(i = 9, char(1114111, 1114111), 'd' || i), 'full', '["worn"]' FROM n;`)
	areas, labels := `["empty","full"]`, `["idle","worn"]`
	for lim := range int64(10) {
		for name, p := range map[string][2]*string{"areas": {&areas, nil}, "labels": {nil, &labels}} {
			entities, err := d.ListEntities(ctx, ListEntitiesParams{AreaIds: p[0], LabelIds: p[1], Lim: lim})
			want(t, fmt.Sprint(lim, " entities of ", name), fmt.Sprint(len(entities), err), fmt.Sprint(lim, " <nil>"))
			devices, err := d.ListDevices(ctx, ListDevicesParams{AreaIds: p[0], LabelIds: p[1], Lim: lim})
			want(t, fmt.Sprint(lim, " devices of ", name), fmt.Sprint(len(devices), err), fmt.Sprint(lim, " <nil>"))
		}
	}
}
