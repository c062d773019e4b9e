package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"dataapi/db"
	"dataapi/internal/hass"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// stateFile is a file of states, as Home Assistant's /api/states lists them.
type stateFile struct {
	path     string
	readings []hass.Reading
}

// stateFiles reads those files among paths that hold a list, and returns the other paths: registry files hold none.
func stateFiles(paths []string) (states []stateFile, others []string, err error) {
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, err
		}
		var text []byte
		if info.Mode().IsRegular() {
			if text, err = os.ReadFile(path); err != nil {
				return nil, nil, err
			}
		}
		if !bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")) {
			others = append(others, path)
			continue
		}
		readings, err := hass.ReadStates(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		states = append(states, stateFile{path, readings})
	}
	return states, others, nil
}

// importStates takes states into the history, which the running service sees at once. Where the registry knows their
// entities, they are bound to these, so it is imported before.
func importStates(ctx context.Context, c config, d *db.DB, files []stateFile, out io.Writer) error {
	if len(files) == 0 {
		return nil
	}
	past := embedded.New(c.past(), c.logger(os.Stderr))
	defer past.Close()
	if err := past.Open(ctx); err != nil {
		return err
	}
	for _, f := range files {
		outcomes, err := history.Take(ctx, d.Queries, past, f.points())
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		f.report(out, outcomes)
	}
	return nil
}

func (f *stateFile) points() (points []history.Point) {
	for _, r := range f.readings {
		if r.Problem == nil && !r.Ignored {
			points = append(points, r.Point)
		}
	}
	return points
}

// report says what became of the states. Without outcomes, only what could not be read is rejected.
func (f *stateFile) report(out io.Writer, outcomes []history.Outcome) {
	counts := map[history.Result]int{}
	var rejected []hass.Rejection
	for i, r := range f.readings {
		switch {
		case r.Problem != nil:
			r.Problem.Index = i
			rejected = append(rejected, *r.Problem)
		case !r.Ignored && len(outcomes) > 0:
			if outcomes[0].Result == history.Rejected {
				rejected = append(rejected, hass.Rejection{Index: i, ID: &r.Point.EntityID, Reason: outcomes[0].Reason})
			}
			counts[outcomes[0].Result]++
			outcomes = outcomes[1:]
		}
	}
	fmt.Fprintf(out, "%-15s %5d stored   %5d duplicate  %5d rejected   %s\n", "states", counts[history.Stored], counts[history.Duplicate], len(rejected), f.path)
	for _, r := range rejected {
		fmt.Fprintf(out, "  rejected %s\n", describe(r))
	}
}
