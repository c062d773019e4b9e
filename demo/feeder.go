package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// feeder sends states to a service.
type feeder struct {
	url     string
	courses []course
	last    []state // of what has no course
}

// state is a state in the plain form that the service takes.
type state struct {
	EntityID   string         `json:"entity_id"`
	State      string         `json:"state"`
	Time       time.Time      `json:"time"`
	Attributes map[string]any `json:"attributes"`
	Context    string         `json:"context"`
}

const simulated = "simulated"

// open waits for the service, and finds out what there is in the home.
func (f *feeder) open(ctx context.Context, states string) error {
	var home struct{ Entities []entity }
	const fields = "entity_id,name,domain,device_class,unit_of_measurement"
	text, err := f.ask(ctx, http.MethodGet, "/api/v1/entities?disabled=false&limit=10000&fields="+fields, nil)
	if err == nil {
		err = json.Unmarshal(text, &home)
	}
	if err != nil {
		return err
	}
	moves := map[string]bool{}
	for _, e := range home.Entities {
		if c, ok := courseOf(e); ok {
			f.courses = append(f.courses, c)
			moves[e.EntityID] = true
		}
	}
	if text, err = os.ReadFile(states); err != nil {
		return err
	}
	if err := json.Unmarshal(text, &f.last); err != nil {
		return fmt.Errorf("%s: %w", states, err)
	}
	f.last = slices.DeleteFunc(f.last, func(s state) bool { return moves[s.EntityID] })
	return nil
}

// past are the states of a time, in order. What has no course has its last state at the start.
func (f *feeder) past(start, end time.Time) []state {
	var all []state
	for _, s := range f.last {
		s.Time, s.Context, s.Attributes[simulated] = start, simulated, true
		all = append(all, s)
	}
	for _, c := range f.courses {
		all = append(all, c.at(c.step(start)))
	}
	return append(all, f.changes(start, end)...)
}

// changes are the states that are taken after start, until end.
func (f *feeder) changes(start, end time.Time) (all []state) {
	for _, c := range f.courses {
		all = append(all, c.changes(start, end)...)
	}
	slices.SortStableFunc(all, func(a, b state) int { return a.Time.Compare(b.Time) })
	return all
}

// atOnce is how many states are sent in one request.
const atOnce = 5000

// send sends states and returns how many of them are stored now.
func (f *feeder) send(ctx context.Context, states []state) (n int, err error) {
	for batch := range slices.Chunk(states, atOnce) {
		body, err := json.Marshal(batch)
		if err != nil {
			return n, err
		}
		text, err := f.ask(ctx, http.MethodPost, "/api/v1/events", body)
		if err != nil {
			return n, err
		}
		var outcome struct {
			Stored, Duplicates int
			Rejected           []json.RawMessage
		}
		if err := json.Unmarshal(text, &outcome); err != nil {
			return n, err
		}
		if len(outcome.Rejected) > 0 {
			return n, fmt.Errorf("%d states were refused, the first: %s", len(outcome.Rejected), outcome.Rejected[0])
		}
		n += outcome.Stored + outcome.Duplicates
	}
	return n, nil
}

// ask asks until there is an answer that is not 503, as whoever sends states to the service should.
func (f *feeder) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	for {
		status, text, err := f.try(ctx, method, path, body)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil && status == http.StatusOK:
			return text, nil
		case err == nil && status != http.StatusServiceUnavailable:
			return nil, fmt.Errorf("%s %s: %d %s", method, path, status, text)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second / 5):
		}
	}
}

func (f *feeder) try(ctx context.Context, method, path string, body []byte) (status int, text []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, method, f.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(response.Body)
	return response.StatusCode, text, err
}
