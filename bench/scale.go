package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
)

// entitiesPerDevice is how many entities a device has in homes that are compared by their size.
const entitiesPerDevice = 5

// scale compares a home of n entities with a small one, by what one question costs.
func (b *bench) scale(ctx context.Context, n int) (err error) {
	devices := n / entitiesPerDevice
	fmt.Printf("A home of %d devices and %d entities takes about %.1f GB in %s, and %d minutes or more.\n\n",
		devices, n, float64(n)*perEntity/1e9, b.folder, 1+n/perMinute)
	small, err := b.grown(ctx, "small.db", smallEntities/entitiesPerDevice, smallEntities)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, small.Close()) }()
	large, err := b.grown(ctx, "scale.db", devices, n)
	if err != nil {
		return err
	}
	if err := errors.Join(b.ask(ctx, small, large, devices), large.Close()); err != nil {
		return err
	}
	return b.resident(ctx, devices)
}

// What an entity took on the disk, and how many a minute was enough for, when this was written.
const (
	perEntity = 2_200
	perMinute = 200_000
)

// grown makes a home in parts, as the whole would not fit into a small machine's memory. Each part moves from the log
// into the file when the last connection ends, as it does in a service that runs.
func (b *bench) grown(ctx context.Context, name string, devices, entities int) (*db.DB, error) {
	const part = 20_000
	add := func(kind hass.Kind, text []byte) error {
		d, err := b.fill(ctx, name, 0, 0)
		if err != nil {
			return err
		}
		return errors.Join(fillFrom(ctx, d, kind, text), d.Close())
	}
	if err := add(hass.Areas, areasJSON()); err != nil {
		return nil, err
	}
	for from := 0; from < devices; from += part {
		if err := add(hass.Devices, marked(devicesBetween(from, min(from+part, devices)), from)); err != nil {
			return nil, err
		}
	}
	for from := 0; from < entities; from += part {
		if err := add(hass.Entities, marked(entitiesBetween(devices, from, min(from+part, entities), ""), from)); err != nil {
			return nil, err
		}
	}
	return b.fill(ctx, name, 0, 0)
}

// areasJSON are the areas of all homes, on four floors.
func areasJSON() []byte {
	list := make([]map[string]any, 50)
	for i := range list {
		list[i] = map[string]any{
			"area_id": fmt.Sprintf("area_%d", i), "name": fmt.Sprintf("Area %d", i), "floor_id": fmt.Sprintf("floor_%d", i%4),
			"aliases": []string{}, "labels": []string{}, "icon": nil, "picture": nil,
		}
	}
	return marshal(list)
}

// marked gives some rows, the first of which has that number, what pages are asked by: as large a part of each home.
func marked(list []map[string]any, from int) []byte {
	for at, m := range list {
		i := from + at
		if _, isEntity := m["entity_id"]; isEntity {
			m["original_device_class"] = fmt.Sprintf("class_%d", i%20)
		}
		switch i % 10 {
		case 1:
			m["entity_category"] = "diagnostic"
		case 3:
			m["labels"] = []string{"marked"}
		case 5:
			m["labels"] = []string{"marked", "other"}
		case 7:
			m["disabled_by"] = "user"
		}
	}
	return marshal(list)
}

func (b *bench) ask(ctx context.Context, small, large *db.DB, devices int) error {
	for _, q := range questions {
		asked := *b
		if q.slow {
			asked.calls = 2
		}
		ratio, err := asked.compare(
			func(i int) error { return q.ask(ctx, large, longNumber(i, devices)) },
			func(i int) error { return q.ask(ctx, small, longNumber(i, smallEntities/entitiesPerDevice)) })
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		row(q.name, "%.2f of the time in a home of %d entities", ratio, smallEntities)
	}
	return nil
}

// longNumber is the number of one of n devices, all over the home. It is in the upper half: a shorter number is the
// beginning of as many others as the home is larger, and a search for it finds them all.
func longNumber(i, n int) int { return n/2 + i*7919%(n/2) }

// question is one that should not cost more in a larger home. i is the number of a device that is there.
type question struct {
	name string
	ask  func(ctx context.Context, d *db.DB, i int) error
	slow bool
}

var questions = []question{
	{"point read", func(ctx context.Context, d *db.DB, i int) error {
		_, err := d.GetDevice(ctx, deviceID(i))
		return err
	}, false},
	{"page of 20, anywhere", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{After: fmt.Sprintf("sensor.entity_%d", i)}
	}), false},
	{"page of a device", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{DeviceIds: text(`["%s"]`, deviceID(i))}
	}), false},
	{"page of an area", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{AreaIds: text(`["area_%d"]`, i%50)}
	}), false},
	{"page of no area", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{AreaIds: text("[%s]", "null")}
	}), false},
	{"page of two areas", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{AreaIds: text(`["area_1","area_%d"]`, i%50)}
	}), false},
	{"page of a floor", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{FloorID: text("floor_%d", i%4)}
	}), false},
	{"page of a label", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{LabelIds: text(`["%s"]`, "marked")}
	}), false},
	{"page of two labels", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{LabelIds: text(`["other","%s"]`, "marked")}
	}), false},
	{"page of a manufacturer", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Manufacturer: text("Maker %d", i%40)}
	}), false},
	{"page of a model", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Model: text("Model %d", i%200)}
	}), false},
	{"page of a device class", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{DeviceClass: text("class_%d", i%20)}
	}), false},
	{"page of a platform", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Platform: text("platform_%d", i%30)}
	}), false},
	{"page of an integration", entities(func(i int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Integration: text("platform_%d", i%30)}
	}), false},
	{"page of a domain", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Domain: text("%s", "sensor")}
	}), false},
	{"page of a category", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{EntityCategory: text("%s", "diagnostic")}
	}), false},
	{"page of what is disabled", entities(func(int) db.ListEntitiesParams {
		return db.ListEntitiesParams{Disabled: yes()}
	}), false},
	{"page of a name", func(ctx context.Context, d *db.DB, i int) error {
		q, err := matching(ctx, d, "value %d", i)
		if err != nil {
			return err
		}
		_, err = d.ListEntities(ctx, db.ListEntitiesParams{Q: &q, Lim: 20})
		return err
	}, false},
	{"devices, anywhere", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{After: deviceID(i)}
	}), false},
	{"devices of an entity", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{EntityIds: text(`["sensor.entity_%d"]`, i/5*5)}
	}), false},
	{"devices of an area", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{AreaIds: text(`["area_%d"]`, i%50)}
	}), false},
	{"devices of no area", devices(func(int) db.ListDevicesParams {
		return db.ListDevicesParams{AreaIds: text("[%s]", "null")}
	}), false},
	{"devices of two areas", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{AreaIds: text(`["area_1","area_%d"]`, i%50)}
	}), false},
	{"devices of a floor", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{FloorID: text("floor_%d", i%4)}
	}), false},
	{"devices of a label", devices(func(int) db.ListDevicesParams {
		return db.ListDevicesParams{LabelIds: text(`["%s"]`, "marked")}
	}), false},
	{"devices of a manufacturer", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{Manufacturer: text("Maker %d", i%40)}
	}), false},
	{"devices of a model", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{Model: text("Model %d", i%200)}
	}), false},
	{"devices of an integration", devices(func(int) db.ListDevicesParams {
		return db.ListDevicesParams{Integration: text("%s", "demo")}
	}), false},
	{"devices of a platform", devices(func(i int) db.ListDevicesParams {
		return db.ListDevicesParams{Platform: text("platform_%d", i%30)}
	}), false},
	{"devices of a domain", devices(func(int) db.ListDevicesParams {
		return db.ListDevicesParams{Domain: text("%s", "sensor")}
	}), false},
	{"devices that are disabled", devices(func(int) db.ListDevicesParams {
		return db.ListDevicesParams{Disabled: yes()}
	}), false},
	{"devices of a name", func(ctx context.Context, d *db.DB, i int) error {
		q, err := matching(ctx, d, "device %d", i)
		if err != nil {
			return err
		}
		_, err = d.ListDevices(ctx, db.ListDevicesParams{Q: &q, Lim: 10})
		return err
	}, false},
	{"search for a name", searching("device %d"), false},
	{"search for what all are called", searching("devi"), false},
	{"search for what all have in their names", searching("value"), true},
	{"100 changes", func(ctx context.Context, d *db.DB, _ int) error {
		_, err := d.ChangesBetween(ctx, db.ChangeQuery{Limit: 100})
		return err
	}, false},
	{"changes of a device", func(ctx context.Context, d *db.DB, i int) error {
		_, err := d.RowChanges(ctx, "device", deviceID(i), db.ChangeQuery{Limit: 20})
		return err
	}, false},
}

func entities(params func(i int) db.ListEntitiesParams) func(context.Context, *db.DB, int) error {
	return func(ctx context.Context, d *db.DB, i int) error {
		p := params(i)
		p.Lim = 20
		_, err := d.ListEntities(ctx, p)
		return err
	}
}

// devices asks for pages of ten: so many of a model are there in the small home.
func devices(params func(i int) db.ListDevicesParams) func(context.Context, *db.DB, int) error {
	return func(ctx context.Context, d *db.DB, i int) error {
		p := params(i)
		p.Lim = 10
		_, err := d.ListDevices(ctx, p)
		return err
	}
}

// searching asks for a text, in which the number may stand.
func searching(format string) func(context.Context, *db.DB, int) error {
	return func(ctx context.Context, d *db.DB, i int) error {
		text := format
		if strings.Contains(format, "%") {
			text = fmt.Sprintf(format, i)
		}
		s, _ := db.NewSearch(text)
		_, err := d.Find(ctx, db.Anywhere{Search: s, Limit: 20})
		return err
	}
}

// matching is a search as lists take it.
func matching(ctx context.Context, d *db.DB, format string, i int) (string, error) {
	s, _ := db.NewSearch(fmt.Sprintf(format, i))
	s, err := d.SpellOut(ctx, s)
	return s.Match(), err
}

func yes() *bool {
	b := true
	return &b
}

func text(format string, value any) *string {
	s := fmt.Sprintf(format, value)
	return &s
}

// resident says how much memory the service has after it has read all over the larger home.
func (b *bench) resident(ctx context.Context, devices int) error {
	data, err := b.data(ctx, "scale.db")
	if err != nil {
		return err
	}
	for i := range 2000 {
		if _, err := bodyLength("http://" + data.address + "/api/v1/devices/" + deviceID(i*7919%devices)); err != nil {
			return errors.Join(err, data.stop())
		}
	}
	time.Sleep(time.Second)
	row("resident after 2,000 point reads", "%.1f MB", float64(data.rss())/1e6)
	return data.stop()
}
