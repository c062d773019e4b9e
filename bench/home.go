package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"dataapi/db"
	"dataapi/internal/hass"
)

// fill makes a database with a home of that size, made up.
func (b *bench) fill(ctx context.Context, database string, devices, entities int) (*db.DB, error) {
	d := db.Prepare(db.DefaultConfig(b.folder+"/"+database), slog.New(slog.DiscardHandler))
	if err := d.Open(ctx); err != nil {
		return nil, err
	}
	if err := fillFrom(ctx, d, hass.Devices, devicesJSON(0, devices)); err != nil {
		return nil, err
	}
	return d, fillFrom(ctx, d, hass.Entities, entitiesJSON(devices, entities, ""))
}

func fillFrom(ctx context.Context, d *db.DB, kind hass.Kind, text []byte) error {
	batch, err := hass.ReadBatch(text)
	if err != nil {
		return err
	}
	return d.Write(ctx, func(q *db.Queries) error {
		_, err := hass.Apply(ctx, q, kind, batch, nil)
		return err
	})
}

func deviceID(i int) string { return fmt.Sprintf("%032x", uint64(i)*0x9e3779b97f4a7c15) }

func devicesJSON(from, to int) []byte { return marshal(devicesBetween(from, to)) }

func devicesBetween(from, to int) []map[string]any {
	list := make([]map[string]any, to-from)
	for at := range list {
		i := from + at
		list[at] = map[string]any{
			"id": deviceID(i), "name": fmt.Sprintf("Device %d", i), "manufacturer": fmt.Sprintf("Maker %d", i%40),
			"model": fmt.Sprintf("Model %d", i%200), "sw_version": "1.2.3", "area_id": fmt.Sprintf("area_%d", i%50),
			"config_entries": []string{fmt.Sprintf("entry%d", i%20)}, "primary_config_entry": fmt.Sprintf("entry%d", i%20),
			"identifiers": [][]string{{"demo", deviceID(i)}}, "connections": [][]string{}, "labels": []string{},
			"disabled_by": nil, "entry_type": nil, "hw_version": nil, "name_by_user": nil, "via_device_id": nil,
		}
	}
	return list
}

// entitiesJSON makes entities as the WebSocket list gives them; suffix changes a name of each.
func entitiesJSON(devices, n int, suffix string) []byte {
	return marshal(entitiesBetween(devices, 0, n, suffix))
}

func entitiesBetween(devices, from, to int, suffix string) []map[string]any {
	domains := []string{"sensor", "binary_sensor", "switch", "light", "button"}
	list := make([]map[string]any, to-from)
	for at := range list {
		i := from + at
		list[at] = map[string]any{
			"entity_id": fmt.Sprintf("%s.entity_%d", domains[i%len(domains)], i), "id": fmt.Sprintf("%032x", i),
			"platform": fmt.Sprintf("platform_%d", i%30), "unique_id": fmt.Sprintf("unique-%d", i),
			"device_id": deviceID(i % devices), "area_id": nil, "config_entry_id": fmt.Sprintf("entry%d", i%20),
			"config_subentry_id": nil, "name": nil, "original_name": fmt.Sprintf("Value %d%s", i, suffix),
			"has_entity_name": true, "icon": nil, "disabled_by": nil, "hidden_by": nil, "entity_category": nil,
			"labels": []string{}, "categories": map[string]any{}, "options": map[string]any{"conversation": map[string]any{"should_expose": false}},
			"translation_key": nil, "created_at": 1753877647.115893, "modified_at": 1753877647.115893,
		}
	}
	return list
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of plain values
	}
	return bytes.Clone(text)
}

var quiet = slog.New(slog.DiscardHandler)
