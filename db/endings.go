package db

import (
	"context"
	"sync"

	datasql "dataapi/sql"
)

// endings remembers which words of the search's index begin so, as long as the index is the same. To find the word that
// follows one, SQLite passes over all rows that have it, and what many rows have is what people look for.
type endings struct {
	mu    sync.Mutex
	state indexState
	words map[string][]string
}

// indexState is the index as it is at one moment.
type indexState struct {
	in     *target
	record string
}

// mostBeginnings is how many beginnings are remembered at most.
const mostBeginnings = 256

// indexState tells how the index is now. What is read of it afterwards is of that state or of a later one.
func (d *DB) indexState(ctx context.Context) (indexState, error) {
	s := indexState{in: d.present.Load()}
	err := d.reader.QueryRowContext(ctx, datasql.Admin("index_state")).Scan(&s.record)
	return s, err
}

// get returns the words that begin so in a state of the index; ok is false where they are not known.
func (e *endings) get(state indexState, beginning string) (words []string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != state {
		return nil, false
	}
	words, ok = e.words[beginning]
	return words, ok
}

// keep remembers words that were read after the index was in a state. Words of a later state do no harm: who asks for
// those of this one has read it before they were written.
func (e *endings) keep(state indexState, beginning string, words []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != state || len(e.words) >= mostBeginnings {
		e.state, e.words = state, map[string][]string{}
	}
	e.words[beginning] = words
}
