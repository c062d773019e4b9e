package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	datasql "dataapi/sql"
)

// The past that is measured: a month of a large house, in which some entities change a thousand times as often
// as others.
const (
	historyEntities = 2000
	historyPoints   = 1_000_000
	historyDays     = 30
)

// history measures the embedded store: what a point costs to write and to keep, and how long questions take.
func (b *bench) history(ctx context.Context) (err error) {
	path := b.folder + "/history.db"
	store := embedded.New(embedded.Config{DB: db.DefaultConfig(path), Retention: (historyDays + 2) * 24 * time.Hour}, quiet)
	if err := store.Open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	points := pastOf(historyEntities, historyPoints)
	begin := time.Now()
	for batch := range slices.Chunk(points, 5000) {
		if _, err := store.Append(ctx, batch); err != nil {
			return err
		}
	}
	row("points stored in batches of 5,000", "%.0f a second", historyPoints/time.Since(begin).Seconds())
	begin = time.Now()
	if err := store.Tidy(ctx); err != nil {
		return err
	}
	if err := b.historySize(ctx, path); err != nil {
		return err
	}
	row("points moved and summed up by the hour", "%.0f a second", historyPoints/time.Since(begin).Seconds())
	if err := b.historyQueries(ctx, "", store); err != nil {
		return err
	}
	if err := b.influx(ctx, points); err != nil {
		return err
	}
	if err := b.rooms(ctx); err != nil {
		return err
	}
	return b.historyWrites(ctx)
}

// historySize tells what the file takes for each point, by table.
func (b *bench) historySize(ctx context.Context, path string) error {
	file, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := file.QueryContext(ctx, datasql.Admin("table_sizes"))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var size float64
		if err := rows.Scan(&name, &size); err != nil {
			return err
		}
		if size > historyPoints/10 {
			row("kept per point in "+name, "%.1f bytes", size/historyPoints)
		}
	}
	return rows.Err()
}

// pastOf makes points of entities in the order of time, half of them numbers, half on and off.
func pastOf(entities, n int) []history.Point {
	random := rand.New(rand.NewPCG(1, 1))
	ids, share := make([]string, entities), make([]float64, entities)
	sum := 0.0
	for i := range ids {
		ids[i] = fmt.Sprintf("%s.entity_%d", []string{"sensor", "binary_sensor"}[i%2], i)
		share[i] = 1 / float64(5+i%200)
		sum += share[i]
	}
	end := history.At(time.Now())
	var points []history.Point
	for i, id := range ids {
		count := int(float64(n) * share[i] / sum)
		for j := range count {
			state := []string{"on", "off"}[j%2]
			if i%2 == 0 {
				state = strconv.FormatFloat(20+random.NormFloat64(), 'f', 1, 64)
			}
			at := end - history.Micros(random.Int64N(int64(historyDays*24*history.Hour)))
			points = append(points, history.Point{EntityID: id, RegistryID: fmt.Sprintf("%032x", i), Time: at, State: state})
		}
	}
	slices.SortFunc(points, func(a, b history.Point) int { return int(a.Time - b.Time) })
	return points
}

// seriesOf are the first entities.
func seriesOf(n int) []history.Series {
	series := make([]history.Series, n)
	for i := range series {
		series[i] = history.Named(fmt.Sprintf("%s.entity_%d", []string{"sensor", "binary_sensor"}[i%2], i))
		series[i].RegistryID = fmt.Sprintf("%032x", i)
	}
	return series
}

// historyQueries asks a store, whose name comes before what is asked.
func (b *bench) historyQueries(ctx context.Context, name string, store history.Store) error {
	now := history.At(time.Now())
	for _, q := range []struct {
		name        string
		series      []history.Series
		parts       history.Parts
		span, every history.Micros
	}{
		{"mean per 5 minutes, 24 h, 20 entities", seriesOf(20), history.Means, 24 * history.Hour, history.Hour / 12},
		{"mean per 5 minutes, 24 h, 500 entities", seriesOf(500), history.Means, 24 * history.Hour, history.Hour / 12},
		{"mean per hour, 30 days, 20 entities", seriesOf(20), history.Means, 30 * 24 * history.Hour, history.Hour},
		{"mean per hour, 30 days, 500 entities", seriesOf(500), history.Means, 30 * 24 * history.Hour, history.Hour},
		{"mean per day, 30 days, 500 entities", seriesOf(500), history.Means, 30 * 24 * history.Hour, 24 * history.Hour},
	} {
		var edges []history.Micros
		for e := now - now%q.every - q.span; e <= now; e += q.every {
			edges = append(edges, e)
		}
		err := b.timed(name+q.name, func() error {
			for _, err := range store.Buckets(ctx, history.BucketQuery{Series: q.series, Edges: edges, Parts: q.parts, Now: now}) {
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	err := b.timed(name+"last state of 500 entities", func() error { _, err := store.Last(ctx, seriesOf(500), now); return err })
	if err != nil {
		return err
	}
	return b.timed(name+"the newest 100 events", func() error {
		_, err := store.Events(ctx, history.Page{Start: now - 24*history.Hour, End: history.Forever, Limit: 100})
		return err
	})
}

// timed asks again and again, but not for much longer than ten seconds.
func (b *bench) timed(name string, question func() error) error {
	var took []time.Duration
	for end := time.Now().Add(10 * time.Second); len(took) == 0 || len(took) < 2*b.rounds+1 && time.Now().Before(end); {
		begin := time.Now()
		if err := question(); err != nil {
			return err
		}
		took = append(took, time.Since(begin))
	}
	row(name, "%v", median(took).Round(10*time.Microsecond))
	return nil
}

// historyWrites measures what goes to the disk: of a day's points in transactions of ten, with all that follows.
func (b *bench) historyWrites(ctx context.Context) (err error) {
	path := b.folder + "/written.db"
	store := embedded.New(embedded.Config{DB: db.DefaultConfig(path), Retention: (historyDays + 2) * 24 * time.Hour}, quiet)
	if err := store.Open(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- store.Run(running) }()
	defer func() { stop(); err = errors.Join(err, <-done, store.Close()) }()
	points := pastOf(historyEntities, 100_000)
	before := written()
	for batch := range slices.Chunk(points, 10) {
		if _, err := store.Append(ctx, batch); err != nil {
			return err
		}
	}
	row("written per point, 10 in a transaction", "%.0f bytes", float64(written()-before)/float64(len(points)))
	return nil
}

// written is how many bytes this process has written to files.
func written() (n int64) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "wchar: "); ok {
			n, _ = strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return n
}
