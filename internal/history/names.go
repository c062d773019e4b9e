package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"dataapi/db"
)

// Resolve returns the past of each entity, by the ids that they have now and in their order: under all names
// that the metadata knows. An id that it does not know stands for itself.
func Resolve(ctx context.Context, metadata *db.Queries, entityIDs []string) ([]Series, error) {
	rows, err := namesOf(ctx, metadata, entityIDs)
	if err != nil {
		return nil, err
	}
	known := map[string]*Series{}
	for _, r := range rows {
		s := known[r.EntityID]
		if s == nil {
			s = &Series{RegistryID: r.registryID}
			known[r.EntityID] = s
		}
		s.Names = append(s.Names, r.Name)
	}
	series := make([]Series, len(entityIDs))
	for i, id := range entityIDs {
		series[i] = Named(id)
		if s := known[id]; s != nil {
			series[i] = *s
		}
	}
	return series, nil
}

// takeAtOnce is how many points are appended in one transaction: enough to be cheap, and short.
const takeAtOnce = 5000

// Take appends points that came from outside, each bound to the entity whose name it had at its time. Outcomes
// and errors are those of Append. Where the metadata cannot be asked now, no point is lost for that: it is
// stored by its name.
func Take(ctx context.Context, metadata *db.Queries, store Store, points []Point) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(points))
	for batch := range slices.Chunk(points, takeAtOnce) {
		if err := bind(ctx, metadata, batch); err != nil && !errors.Is(db.Classify(err), db.ErrUnavailable) {
			return nil, err
		}
		of, err := store.Append(ctx, batch)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, of...)
	}
	return outcomes, nil
}

// bind sets RegistryID of points.
func bind(ctx context.Context, metadata *db.Queries, points []Point) error {
	ids := map[string]bool{}
	for i := range points {
		ids[points[i].EntityID] = true
	}
	rows, err := namesOf(ctx, metadata, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	holders := map[string][]holder{}
	for _, r := range rows {
		holders[r.Name.EntityID] = append(holders[r.Name.EntityID], r)
	}
	for i := range points {
		p := &points[i]
		for _, h := range holders[p.EntityID] {
			if h.From <= p.Time && p.Time < h.Until {
				p.RegistryID = h.registryID
			}
		}
	}
	return nil
}

// Rename gives each point that is bound to an entity, and bears whatever name the entity had last, the one that it
// had at its time, as far as the metadata knows it and can be asked.
func Rename(ctx context.Context, metadata *db.Queries, points []Point) error {
	var ids []string
	for i := range points {
		ids = append(ids, points[i].EntityID)
	}
	slices.Sort(ids)
	rows, err := namesOf(ctx, metadata, slices.Compact(ids))
	if errors.Is(db.Classify(err), db.ErrUnavailable) {
		return nil
	} else if err != nil {
		return err
	}
	names := map[string][]Name{}
	for _, r := range rows {
		names[r.registryID] = append(names[r.registryID], r.Name)
	}
	for i := range points {
		p := &points[i]
		for _, n := range names[p.RegistryID] {
			if p.RegistryID != "" && n.From <= p.Time && p.Time < n.Until {
				p.EntityID = n.EntityID
			}
		}
	}
	return nil
}

// holder is an entity, and a name that it has or had.
type holder struct {
	EntityID   string // of now
	registryID string
	Name
}

func namesOf(ctx context.Context, metadata *db.Queries, entityIDs []string) ([]holder, error) {
	list, err := json.Marshal(entityIDs)
	if err != nil {
		return nil, err
	}
	rows, err := metadata.ListNames(ctx, string(list))
	if err != nil {
		return nil, err
	}
	holders := make([]holder, len(rows))
	for i, r := range rows {
		h := holder{EntityID: r.EntityID, Name: Name{r.Name, Always, Forever}}
		if r.RegistryID != nil {
			h.registryID = *r.RegistryID
		}
		if h.From, err = momentOr(r.ValidFrom, Always); err == nil {
			h.Until, err = momentOr(r.ValidUntil, Forever)
		}
		if err != nil {
			return nil, err
		}
		holders[i] = h
	}
	return holders, nil
}

// momentOr reads a time of the metadata, which is empty where it is open.
func momentOr(text string, open Micros) (Micros, error) {
	if text == "" {
		return open, nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return 0, fmt.Errorf("a time of the metadata: %w", err)
	}
	return At(t), nil
}
