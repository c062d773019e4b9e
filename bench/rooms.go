package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"dataapi/db"
	"dataapi/internal/hass"
)

// rooms measures what the history API is for, over HTTP, on the points that history left: 500 thermometers in 50 rooms.
func (b *bench) rooms(ctx context.Context) (err error) {
	if err := b.fillRooms(ctx); err != nil {
		return err
	}
	p, err := b.data(ctx, "rooms.db", "HISTORY_DATABASE_URL=sqlite:"+b.folder+"/history.db", fmt.Sprintf("HISTORY_RETENTION=%dd", historyDays+2))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	url := "http://" + p.address + "/api/v1/history?device_class=temperature&group_by="
	for deadline := time.Now().Add(10 * time.Second); fetch(ctx, url+"area&every=all") != nil && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond) // the history is opened after the metadata
	}
	for _, q := range []struct{ name, query string }{
		{"per area per hour, 24 h", "area&every=1h"},
		{"per area per 5 minutes, 24 h", "area&every=5m"},
		{"per area per day, 30 days", "area&every=1d&start=-30d"},
		{"per entity per 5 minutes, 24 h", "entity&every=5m"},
	} {
		if err := b.timed("HTTP: mean temperature "+q.name, func() error { return fetch(ctx, url+q.query) }); err != nil {
			return err
		}
	}
	return nil
}

// fillRooms makes a home in which every fourth entity of history is a thermometer.
func (b *bench) fillRooms(ctx context.Context) error {
	var areas, entities []map[string]any
	for i := range 50 {
		areas = append(areas, map[string]any{"area_id": fmt.Sprintf("area_%d", i), "name": fmt.Sprintf("Room %d", i)})
	}
	for i := 0; i < historyEntities; i += 4 {
		entities = append(entities, map[string]any{"entity_id": fmt.Sprintf("sensor.entity_%d", i), "id": fmt.Sprintf("%032x", i), "platform": "demo",
			"area_id": fmt.Sprintf("area_%d", i/4%50), "original_device_class": "temperature", "unit_of_measurement": "°C"})
	}
	d, err := b.fill(ctx, "rooms.db", 0, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	for _, part := range []struct {
		kind hass.Kind
		list []map[string]any
	}{{hass.Areas, areas}, {hass.Entities, entities}} {
		batch, err := hass.ReadBatch(marshal(part.list))
		if err != nil {
			return err
		}
		err = d.Write(ctx, func(q *db.Queries) error {
			_, err := hass.Apply(ctx, q, part.kind, batch, nil)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch asks, and reads the answer to its end.
func fetch(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
