package server

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"dataapi/internal/hass"
	"dataapi/internal/history"
)

// intake says what became of states that were sent. Each has an outcome, in their order; those that were
// rejected are listed with why.
type intake struct {
	Success    bool             `json:"success"`
	Stored     int              `json:"stored"`
	Duplicates int              `json:"duplicates"`
	Ignored    int              `json:"ignored"`
	Rejected   []hass.Rejection `json:"rejected"`
	Outcomes   []history.Result `json:"outcomes"`
	Timestamp  time.Time        `json:"timestamp"`
}

// ignored is the outcome of an event that tells of no state.
const ignored history.Result = "ignored"

// postEvents stores states of entities. What was stored before is left as it is, so that whoever got no answer
// sends the same again.
func (s *Server) postEvents(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	readings, err := s.readings(r)
	if err != nil {
		return nil, err
	}
	taken, err := s.take(r.Context(), readings)
	return fresh{http.StatusOK, taken}, err
}

// take stores what was read. With an error nothing is promised of any of it.
func (s *Server) take(ctx context.Context, readings []hass.Reading) (intake, error) {
	var points []history.Point
	for _, item := range readings {
		if item.Problem == nil && !item.Ignored {
			points = append(points, item.Point)
		}
	}
	outcomes, err := history.Take(ctx, s.DB.Queries, s.History, points)
	if err != nil {
		return intake{}, err
	}
	return intakeOf(readings, outcomes), nil
}

// lineTypes are what a body may be called that has an item on each line.
var lineTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}

func (s *Server) readings(r *http.Request) ([]hass.Reading, error) {
	media := mediaOf(r)
	lines := slices.Contains(lineTypes, media)
	if !lines && !isJSON(media) {
		return nil, errStatesType
	}
	body, err := content(r, s.MaxBody)
	if err != nil {
		return nil, err
	}
	if lines {
		return hass.ReadStateLines(body), nil
	}
	return hass.ReadStates(body)
}

// intakeOf joins what was read with what became of the points in it.
func intakeOf(readings []hass.Reading, outcomes []history.Outcome) intake {
	in := intake{Success: true, Rejected: []hass.Rejection{}, Outcomes: make([]history.Result, len(readings)), Timestamp: time.Now().UTC()}
	for i, item := range readings {
		o := history.Outcome{Result: history.Rejected}
		switch {
		case item.Ignored:
			o.Result = ignored
		case item.Problem == nil:
			o, outcomes = outcomes[0], outcomes[1:]
		}
		in.Outcomes[i] = o.Result
		switch o.Result {
		case history.Stored:
			in.Stored++
		case history.Duplicate:
			in.Duplicates++
		case ignored:
			in.Ignored++
		default:
			in.Rejected = append(in.Rejected, rejectionOf(i, item, o.Reason))
		}
	}
	return in
}

// rejectionOf is why the item was not read, or else the reason of the store, which begins with the member.
func rejectionOf(index int, item hass.Reading, reason string) hass.Rejection {
	if item.Problem != nil {
		bad := *item.Problem
		bad.Index = index
		return bad
	}
	field, reason, _ := strings.Cut(reason, ": ")
	return hass.Rejection{Index: index, ID: &item.Point.EntityID, Field: field, Reason: reason}
}
