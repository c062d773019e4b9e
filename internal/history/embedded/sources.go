package embedded

import (
	"context"
	"encoding/json"
	"slices"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// source is a row of series, and when it is part of an entity's past: from <= t < until.
type source struct {
	e           int64
	from, until history.Micros
}

// sources finds where the points of each series are.
func (h *Store) sources(ctx context.Context, series []history.Series) ([][]source, error) {
	var ids, names []string
	for _, s := range series {
		if s.RegistryID != "" {
			ids = append(ids, s.RegistryID)
		}
		for _, n := range s.Names {
			names = append(names, n.EntityID)
		}
	}
	found, err := h.db.FindSeries(ctx, historydb.FindSeriesParams{RegistryIds: list(ids), EntityIds: list(names)})
	if err != nil {
		return nil, err
	}
	byID, byName := map[string][]historydb.FindSeriesRow{}, map[string][]historydb.FindSeriesRow{}
	for _, f := range found {
		byID[f.RegistryID] = append(byID[f.RegistryID], f)
		byName[f.EntityID] = append(byName[f.EntityID], f)
	}
	all := make([][]source, len(series))
	for i, s := range series {
		all[i] = sourcesOf(&s, byID, byName)
	}
	return all, nil
}

func sourcesOf(s *history.Series, byID, byName map[string][]historydb.FindSeriesRow) (all []source) {
	if s.RegistryID != "" {
		for _, f := range byID[s.RegistryID] {
			all = append(all, source{f.E, history.Always, history.Forever})
		}
	}
	for _, n := range s.Names {
		for _, f := range byName[n.EntityID] {
			if f.RegistryID == "" || s.RegistryID == "" {
				all = append(all, source{f.E, n.From, n.Until})
			}
		}
	}
	return all
}

// nameAt is the name that an entity had, as far as that is known.
func nameAt(s *history.Series, t history.Micros) string {
	for _, n := range s.Names {
		if n.From <= t && t < n.Until {
			return n.EntityID
		}
	}
	if len(s.Names) > 0 {
		return s.Names[len(s.Names)-1].EntityID
	}
	return ""
}

// rowsOf lists the rows of series in sources.
func rowsOf(sources ...[]source) []int64 {
	var es []int64
	for _, list := range sources {
		for _, s := range list {
			es = append(es, s.e)
		}
	}
	slices.Sort(es)
	return slices.Compact(es)
}

// list makes a JSON list.
func list[T any](values []T) string {
	if values == nil {
		return "[]"
	}
	text, err := json.Marshal(values)
	if err != nil {
		panic(err) // strings and integers only
	}
	return string(text)
}
