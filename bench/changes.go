package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
	datasql "dataapi/sql"
)

// log compares changed rows with their entries in the change log to the same ones without.
func (b *bench) log(ctx context.Context) error {
	logged, err := b.fill(ctx, "logged.db", smallDevices, bulkEntities)
	if err != nil {
		return err
	}
	defer logged.Close()
	unlogged, err := b.unlogged(ctx)
	if err != nil {
		return err
	}
	defer unlogged.Close()
	var ratios []float64
	for i := range b.rounds {
		text := entitiesJSON(smallDevices, bulkEntities, fmt.Sprint(" log ", i))
		without, err := applied(ctx, unlogged, text)
		if err != nil {
			return err
		}
		with, err := applied(ctx, logged, text)
		if err != nil {
			return err
		}
		ratios = append(ratios, float64(with)/float64(without))
	}
	row("a changed row with its log entry", "%.2f of the time of one without", median(ratios))
	return nil
}

// unlogged is a home whose entities change without being logged.
func (b *bench) unlogged(ctx context.Context) (*db.DB, error) {
	const name = "unlogged.db"
	d, err := b.fill(ctx, name, smallDevices, bulkEntities)
	if err == nil {
		err = d.Close()
	}
	if err != nil {
		return nil, err
	}
	plain, err := sql.Open("sqlite", "file:"+b.folder+"/"+name)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	if _, err := plain.ExecContext(ctx, datasql.Admin("unlog_entities")); err != nil {
		return nil, err
	}
	d = db.Prepare(db.DefaultConfig(b.folder+"/"+name), quiet)
	return d, d.Open(ctx)
}

// applied says how long a batch of entities takes.
func applied(ctx context.Context, d *db.DB, text []byte) (time.Duration, error) {
	batch, err := hass.ReadBatch(text)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = d.Write(ctx, func(q *db.Queries) error {
		_, err := hass.Apply(ctx, q, hass.Entities, batch, nil)
		return err
	})
	return time.Since(start), err
}

// home compares the whole home, of the size of a house, with a list of 100.
func (b *bench) home(ctx context.Context) error {
	const devices, entities = 54, 470
	d, err := b.fill(ctx, "house.db", devices, entities)
	if err != nil {
		return err
	}
	defer d.Close()
	ratio, err := b.compare(
		func(int) error {
			_, err := d.Home(ctx, db.HomeQuery{Depth: db.DepthEntities, Everything: true})
			return err
		},
		func(int) error { _, err := d.ListEntities(ctx, db.ListEntitiesParams{Lim: 100}); return err })
	row("home of 54 devices and 470 entities", "%.2f of the time of a list of 100 entities", ratio)
	return err
}
