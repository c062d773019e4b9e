package server

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/internal/hass"
)

// registryResult says what became of registries, or would in a dry run. Unresolved are the ids, by kind, that
// rows refer to and that nothing has.
type registryResult struct {
	DryRun     bool                          `json:"dry_run"`
	Registries map[hass.Kind]registryOutcome `json:"registries"`
	Unresolved map[hass.Kind]hass.Unresolved `json:"unresolved"`
	Timestamp  time.Time                     `json:"timestamp"`
}

// registryOutcome is what became of one of them.
type registryOutcome struct {
	hass.Result
	DeletedIDs []string `json:"deleted_ids"` // the first of them
}

// mostDeleted is how many ids of what is gone an answer names.
const mostDeleted = 100

// putRegistry takes a home as it is to be: of each registry that is there, what it does not hold is removed.
func (s *Server) putRegistry(r *http.Request) (any, error) {
	q := parse(r)
	return s.takeRegistries(r, q, true, hass.How{Strict: true, DryRun: on(q.flag("dry_run")), Force: on(q.flag("force"))})
}

// patchRegistry takes what is new and what changed, and removes nothing.
func (s *Server) patchRegistry(r *http.Request) (any, error) {
	q := parse(r)
	return s.takeRegistries(r, q, false, hass.How{DryRun: on(q.flag("dry_run"))})
}

func on(flag *bool) bool { return flag != nil && *flag }

func (s *Server) takeRegistries(r *http.Request, q *query, whole bool, how hass.How) (any, error) {
	if err := q.err(); err != nil {
		return nil, err
	}
	members, err := s.object(r, s.MaxBody)
	if err != nil {
		return nil, err
	}
	byName := map[string]jsontext.Value{}
	for _, m := range members {
		byName[m.name] = m.value
	}
	registries, err := hass.Registries(byName, whole)
	if err != nil {
		return nil, err
	}
	outcome, err := hass.Import(r.Context(), s.DB, registries, how)
	if err != nil {
		return nil, err
	}
	return fresh{http.StatusOK, registryResultOf(outcome, how.DryRun)}, nil
}

func registryResultOf(outcome hass.Outcome, dryRun bool) registryResult {
	result := registryResult{
		DryRun: dryRun, Registries: map[hass.Kind]registryOutcome{}, Unresolved: outcome.Unresolved, Timestamp: time.Now().UTC(),
	}
	for _, f := range outcome.Files {
		ids := f.DeletedIDs[:min(len(f.DeletedIDs), mostDeleted)]
		result.Registries[f.Kind] = registryOutcome{f.Result, append([]string{}, ids...)}
	}
	return result
}
