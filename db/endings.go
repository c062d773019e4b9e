package db

import "sync"

// endings remembers which words of the search's index begin so, until anybody commits anything. To find the word that
// follows one, SQLite passes over all rows that have it, and what many rows have is what people look for.
type endings struct {
	mu      sync.Mutex
	version Version
	words   map[string][]string
}

// mostBeginnings is how many beginnings are remembered at most.
const mostBeginnings = 256

// get returns the words that begin so in a version; ok is false where they are not known.
func (e *endings) get(version Version, beginning string) (words []string, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.version != version {
		return nil, false
	}
	words, ok = e.words[beginning]
	return words, ok
}

// keep remembers words that were read after there was a version. Words of a later one do no harm: who asks for those of
// this one has seen it before they were written.
func (e *endings) keep(version Version, beginning string, words []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.version != version || len(e.words) >= mostBeginnings {
		e.version, e.words = version, map[string][]string{}
	}
	e.words[beginning] = words
}
