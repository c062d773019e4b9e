package embedded

import (
	"encoding/json"
	"fmt"
	"time"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// hourly makes the row of an hour; holding is the state that holds at its end.
func hourly(e int64, start history.Micros, s *history.Summary, holding string) (historydb.SaveHourParams, error) {
	h := historydb.SaveHourParams{E: e, Hour: int64(start / history.Hour), Count: s.Count, Numbers: s.Numbers, Covered: s.Covered.Microseconds()}
	if s.Numbers > 0 {
		h.Sum = &s.Sum
	}
	if s.Covered > 0 {
		weighted := s.Weighted / float64(time.Microsecond)
		h.Weighted = &weighted
	}
	if s.Ranged {
		h.Min = &s.Min
		h.Max = unless(s.Max == s.Min, &s.Max)
	}
	if s.Last.State != "" {
		last, first := int64(s.Last.At-start), int64(s.First.At-start)
		h.LastAt, h.LastState = &last, &s.Last.State
		h.FirstAt, h.FirstState = unless(first == last, &first), unless(first == last, &s.First.State)
	}
	h.Held = unless(holding == s.Last.State, &holding)
	if s.Changed {
		h.Change = &s.Change
		h.Metered = unless(s.Metered == s.Change, &s.Metered)
	}
	if s.States == nil && !s.TooMany {
		return h, nil
	}
	states := make(map[string]int64, len(s.States)) // nil, which is null, would mean too many
	for state, d := range s.States {
		states[state] = d.Microseconds()
	}
	if s.TooMany {
		states = nil
	}
	text, err := json.Marshal(states)
	document := string(text)
	h.States = &document
	return h, err
}

// unless returns nil where the value goes without saying.
func unless[T any](obvious bool, value *T) *T {
	if obvious {
		return nil
	}
	return value
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// summary reads the row of an hour again.
func summary(h *historydb.ListHoursRow) (history.Summary, error) {
	start := history.Micros(h.Hour) * history.Hour
	s := history.Summary{
		Count: h.Count, Numbers: h.Numbers, Sum: h.Sum,
		Covered: time.Duration(h.Covered) * time.Microsecond, Weighted: h.Weighted * float64(time.Microsecond),
		Min: h.Min, Max: h.Max, Ranged: h.Ranged != 0,
		Change: h.Change, Metered: h.Metered, Changed: h.Changed != 0,
	}
	if h.LastState != "" {
		s.First = history.Sample{At: start + history.Micros(h.FirstAt), State: h.FirstState}
		s.Last = history.Sample{At: start + history.Micros(h.LastAt), State: h.LastState}
	}
	if h.States == "" {
		return s, nil
	}
	var states map[string]int64
	if err := json.Unmarshal([]byte(h.States), &states); err != nil {
		return s, fmt.Errorf("states of hour %d: %w", h.Hour, err)
	}
	s.TooMany = states == nil
	s.States = make(map[string]time.Duration, len(states))
	for state, d := range states {
		s.States[state] = time.Duration(d) * time.Microsecond
	}
	return s, nil
}
