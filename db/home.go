package db

import (
	"context"
	"time"
)

// HomeQuery says what of the home is asked for.
type HomeQuery struct {
	Depth      Depth
	Everything bool    // also what is disabled or hidden
	Exposed    *string // only what Home Assistant exposes to the assistant of this name; nil for all
}

// Depth is how deep a home is shown.
type Depth int

// The levels of a home.
const (
	DepthFloors Depth = iota
	DepthAreas
	DepthDevices
	DepthEntities
)

// Home is a home as it is at one moment, each area, device and entity once. Members of a list that the
// depth leaves out are nil. What is on no floor, in no area, or has no device in its area, is in a group of
// its own at the end of the list: all that identifies it is null.
type Home struct {
	FloorCount  int64       `json:"floor_count"`
	AreaCount   int64       `json:"area_count"`
	DeviceCount int64       `json:"device_count"`
	EntityCount int64       `json:"entity_count"`
	LeftOut     HomeLeftOut `json:"left_out"`
	Cursor      string      `json:"cursor"` // of the change log at that moment
	Floors      []HomeFloor `json:"floors"`
}

// HomeLeftOut counts what there is beside what a home shows.
type HomeLeftOut struct {
	Devices   int64 `json:"devices"`
	Entities  int64 `json:"entities"` // the sum of what follows
	Disabled  int64 `json:"disabled"`
	Hidden    int64 `json:"hidden"`
	Unexposed int64 `json:"unexposed"`
}

// HomeFloor is a floor, or what is on none.
type HomeFloor struct {
	ListHomeFloorsRow
	AreaCount   int64      `json:"area_count"`
	DeviceCount int64      `json:"device_count"`
	EntityCount int64      `json:"entity_count"`
	Areas       []HomeArea `json:"areas,omitzero"`
}

// HomeArea is an area, or what is in none.
type HomeArea struct {
	ListHomeAreasRow
	DeviceCount int64        `json:"device_count"`
	EntityCount int64        `json:"entity_count"`
	Devices     []HomeDevice `json:"devices,omitzero"`
}

// HomeDevice is a device, or the entities of an area that have no device there.
type HomeDevice struct {
	ListHomeDevicesRow
	Entities []HomeEntity `json:"entities,omitzero"`
}

// HomeEntity is an entity. Home knows nothing of states: whoever does adds them.
type HomeEntity struct {
	ListHomeEntitiesRow
	State *HomeState `json:"state,omitempty"`
}

// HomeState is a state, and since when it is one.
type HomeState struct {
	State string    `json:"state"`
	Time  time.Time `json:"time"`
}

// Home reads the home.
func (d *DB) Home(ctx context.Context, h HomeQuery) (home Home, err error) {
	err = d.Read(ctx, func(q *Queries) error {
		log, err := q.ChangeLog(ctx)
		if err != nil {
			return err
		}
		home, err = q.home(ctx, h)
		home.Cursor = log.Newest.String()
		return err
	})
	return home, err
}

func (q *Queries) home(ctx context.Context, h HomeQuery) (home Home, err error) {
	there, err := q.CountHome(ctx, CountHomeParams{Everything: h.Everything, Exposed: h.Exposed})
	if err != nil {
		return home, err
	}
	floors, err := q.ListHomeFloors(ctx)
	if err != nil {
		return home, err
	}
	areasOn, err := q.homeAreas(ctx, h)
	if err != nil {
		return home, err
	}
	home.Floors = []HomeFloor{}
	for _, row := range floors {
		areas := areasOn[keyOf(row.Key)]
		if row.Key == nil && len(areas) == 0 {
			continue
		}
		f := floorOf(row, areas)
		home.add(f)
		if h.Depth < DepthAreas {
			f.Areas = nil
		}
		home.Floors = append(home.Floors, f)
	}
	home.leaveOut(there)
	return home, nil
}

// homeAreas lists areas by the key of their floor, 0 for none.
func (q *Queries) homeAreas(ctx context.Context, h HomeQuery) (map[int64][]HomeArea, error) {
	areas, err := q.ListHomeAreas(ctx)
	if err != nil {
		return nil, err
	}
	devicesIn, err := q.homeDevices(ctx, h)
	if err != nil {
		return nil, err
	}
	on := map[int64][]HomeArea{}
	for _, row := range areas {
		devices := devicesIn[keyOf(row.Key)]
		if row.Key == nil && len(devices) == 0 {
			continue
		}
		a := areaOf(row, devices)
		if h.Depth < DepthDevices {
			a.Devices = nil
		}
		on[keyOf(row.FloorKey)] = append(on[keyOf(row.FloorKey)], a)
	}
	return on, nil
}

// homeDevices lists devices by the key of their area, 0 for none.
func (q *Queries) homeDevices(ctx context.Context, h HomeQuery) (map[int64][]HomeDevice, error) {
	devices, err := q.ListHomeDevices(ctx, ListHomeDevicesParams{Everything: h.Everything, Exposed: h.Exposed})
	if err != nil {
		return nil, err
	}
	var of map[place][]HomeEntity
	if h.Depth >= DepthEntities {
		if of, err = q.homeEntities(ctx, h); err != nil {
			return nil, err
		}
	}
	in := map[int64][]HomeDevice{}
	for _, row := range devices {
		d := HomeDevice{ListHomeDevicesRow: row}
		if h.Depth >= DepthEntities {
			d.Entities = orEmpty(of[place{keyOf(row.AreaKey), keyOf(row.Key)}])
		}
		in[keyOf(row.AreaKey)] = append(in[keyOf(row.AreaKey)], d)
	}
	return in, nil
}

// place is where an entity is: in an area and under a device, by their keys, 0 for none.
type place struct{ area, device int64 }

func (q *Queries) homeEntities(ctx context.Context, h HomeQuery) (map[place][]HomeEntity, error) {
	entities, err := q.ListHomeEntities(ctx, ListHomeEntitiesParams{Everything: h.Everything, Exposed: h.Exposed})
	if err != nil {
		return nil, err
	}
	of := map[place][]HomeEntity{}
	for _, row := range entities {
		at := place{keyOf(row.AreaKey), keyOf(row.DeviceKey)}
		of[at] = append(of[at], HomeEntity{ListHomeEntitiesRow: row})
	}
	return of, nil
}

func areaOf(row ListHomeAreasRow, devices []HomeDevice) HomeArea {
	a := HomeArea{ListHomeAreasRow: row, Devices: orEmpty(devices)}
	for i := range devices {
		a.EntityCount += devices[i].EntityCount
		if devices[i].Key != nil {
			a.DeviceCount++
		}
	}
	return a
}

func floorOf(row ListHomeFloorsRow, areas []HomeArea) HomeFloor {
	f := HomeFloor{ListHomeFloorsRow: row, Areas: orEmpty(areas)}
	for i := range areas {
		f.DeviceCount += areas[i].DeviceCount
		f.EntityCount += areas[i].EntityCount
		if areas[i].Key != nil {
			f.AreaCount++
		}
	}
	return f
}

// add counts a floor.
func (home *Home) add(f HomeFloor) {
	home.AreaCount += f.AreaCount
	home.DeviceCount += f.DeviceCount
	home.EntityCount += f.EntityCount
	if f.Key != nil {
		home.FloorCount++
	}
}

// leaveOut counts what is there and not shown.
func (home *Home) leaveOut(there CountHomeRow) {
	home.LeftOut = HomeLeftOut{
		Devices:  there.Devices - home.DeviceCount,
		Entities: there.Entities - home.EntityCount,
		Disabled: there.Disabled, Hidden: there.Hidden, Unexposed: there.Unexposed,
	}
}

func keyOf(key *int64) int64 {
	if key == nil {
		return 0
	}
	return *key
}

func orEmpty[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}
