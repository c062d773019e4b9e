package main

import (
	"context"

	"dataapi/db"
)

// search compares a search as somebody types it with a list of 100 entities, in a home of 10,000.
func (b *bench) search(ctx context.Context) error {
	d, err := b.fill(ctx, "search.db", smallDevices, bulkEntities)
	if err != nil {
		return err
	}
	defer d.Close()
	typed := []string{"v", "va", "val", "value 4", "value 42", "device 7", "maker", "entity_42"}
	ratio, err := b.compare(
		func(i int) error {
			s, _ := db.NewSearch(typed[i%len(typed)])
			_, err := d.Find(ctx, db.Anywhere{Search: s, Limit: 20})
			return err
		},
		func(int) error { _, err := d.ListEntities(ctx, db.ListEntitiesParams{Lim: 100}); return err })
	row("search as you type, of 10,000 entities", "%.2f of the time of a list of 100 entities", ratio)
	return err
}
