package db

import "context"

// WholeDevice is a device with what belongs to it.
type WholeDevice struct {
	Device   Device
	Entities []Entity // by entity_id, wherever they are
	Area     *Area    // nil where it is in none
}

// GetWholeDevice reads a device with its entities and its area, as of one moment. The error is ErrNotFound
// where nothing has the id.
func (d *DB) GetWholeDevice(ctx context.Context, id string) (w WholeDevice, err error) {
	err = d.Read(ctx, func(q *Queries) error {
		if w.Device, err = q.GetDevice(ctx, id); err != nil {
			return err
		}
		ids := list([]string{w.Device.DeviceID})
		if w.Entities, err = q.ListEntities(ctx, ListEntitiesParams{DeviceIds: &ids, Lim: -1}); err != nil || w.Device.AreaID == nil {
			return err
		}
		area, err := q.GetArea(ctx, *w.Device.AreaID)
		w.Area = &area
		return err
	})
	return w, err
}
