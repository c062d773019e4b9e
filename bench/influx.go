package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/influxdtest"
)

// influx measures InfluxDB with the same points and questions, by our own client, where it is installed.
func (b *bench) influx(ctx context.Context, points []history.Point) error {
	folder, err := os.MkdirTemp(b.folder, "influxd-")
	if err != nil {
		return err
	}
	influxd, err := influxdtest.Launch(folder)
	if errors.Is(err, exec.ErrNotFound) {
		row("InfluxDB", "not measured: influxd is not installed")
		return nil
	}
	if err != nil {
		return err
	}
	defer influxd.Kill()
	store, err := database(influxd.URL())
	if err != nil {
		return err
	}
	begin := time.Now()
	for batch := range slices.Chunk(points, 5000) {
		if _, err := store.Overwrite(ctx, batch); err != nil {
			return err
		}
	}
	row("InfluxDB: points forwarded in batches of 5,000", "%.0f a second", historyPoints/time.Since(begin).Seconds())
	return b.historyQueries(ctx, "InfluxDB: ", store)
}

// database makes a database of a server.
func database(server string) (*history.Influx, error) {
	made, err := http.PostForm(server+"/query", url.Values{"q": {"CREATE DATABASE bench"}})
	if err != nil {
		return nil, err
	}
	made.Body.Close()
	return history.NewInflux(history.InfluxConfig{URL: server, Database: "bench", Layout: "data-api"})
}
