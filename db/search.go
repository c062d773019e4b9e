package db

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	datasql "dataapi/sql"
)

// indexedAtOnce is how many rows one pass of the index takes.
const indexedAtOnce = 5000

// index brings the search in line with all rows that changed, whoever changed them. It belongs to the end of every
// transaction.
func (q *Queries) index(ctx context.Context) error {
	for {
		dirty, err := q.ListDirty(ctx, indexedAtOnce)
		if err != nil || len(dirty) == 0 {
			return err
		}
		if err := q.indexRows(ctx, dirty); err != nil || len(dirty) < indexedAtOnce {
			return err
		}
	}
}

func (q *Queries) indexRows(ctx context.Context, dirty []int64) error {
	ids := list(dirty)
	found, err := q.ListWords(ctx, ids)
	if err != nil {
		return err
	}
	gone := make(map[int64]bool, len(dirty))
	for _, id := range dirty {
		gone[id] = true
	}
	rows := make([][4]any, len(found))
	for i, w := range found {
		rows[i] = [4]any{w.ID, foldedLines(w.Names), foldedLines(w.Ids), foldedLines(w.More)}
		delete(gone, w.ID)
	}
	if err := q.IndexWords(ctx, list(rows)); err != nil {
		return err
	}
	if len(gone) > 0 {
		var lost []int64
		for id := range gone {
			lost = append(lost, id)
		}
		if err := q.UnindexWords(ctx, list(lost)); err != nil {
			return err
		}
	}
	return q.ClearDirty(ctx, ids)
}

// Indexed sees to it that searches find what others have written: this process indexes what it writes itself. Where
// the file can only be read, it is as it is.
func (d *DB) Indexed(ctx context.Context) error {
	dirty, err := d.ListDirty(ctx, 1)
	if err != nil || len(dirty) == 0 {
		return err
	}
	err = d.Write(ctx, func(*Queries) error { return nil })
	if reasonOf(err) == ReadOnly {
		return nil
	}
	return err
}

// Anywhere says what to look for in all registries.
type Anywhere struct {
	Search
	Kinds []string // some of SearchKinds; nil for all
	Limit int64
}

// SearchKinds are the kinds of rows that are found, in the order in which they are shown.
var SearchKinds = []string{"floor", "area", "label", "device", "entity", "config_entry"}

// candidates is how many rows of a kind are looked at to find the best of them.
const candidates = 200

// nothing is an FTS5 query.
const nothing = `""`

// Find searches all registries. First comes what has the words for its name, then what has names that begin with
// them, that hold them, then ids, then what is found by what it belongs to.
func (d *DB) Find(ctx context.Context, a Anywhere) ([]FindAnywhereRow, error) {
	if err := d.Indexed(ctx); err != nil {
		return nil, err
	}
	s, err := d.SpellOut(ctx, a.Search)
	if err != nil {
		return nil, err
	}
	p := FindAnywhereParams{Words: s.text(), Match: nothing, Most: candidates, Lim: a.Limit}
	found, err := d.ListFound(ctx, ListFoundParams{Match: s.Match(), Most: candidates + 1})
	if err != nil {
		return nil, err
	}
	if p.Found = list(found); len(found) > candidates {
		p.Match, p.Found = s.Match(), "[]"
	}
	if a.Kinds != nil {
		kinds := list(a.Kinds)
		p.Kinds = &kinds
	}
	return d.FindAnywhere(ctx, p)
}

// Of the words that begin with one or two characters the index keeps a list. For a longer beginning FTS5 would read and
// merge all rows of all words that begin so, however few of them a search then needs.
const (
	keptBeginnings = 2
	mostEndings    = 50 // of one beginning that are looked for one by one
	mostWords      = 200
)

// SpellOut looks up the words that those of a search may be the beginnings of, as long as these are not very many. The
// search finds the same, at less cost.
func (d *DB) SpellOut(ctx context.Context, s Search) (Search, error) {
	s.ends = slices.Clone(s.ends)
	left := mostWords
	for i, p := range s.phrases {
		beginning := p[len(p)-1]
		if utf8.RuneCountInString(beginning) <= keptBeginnings || left <= 0 {
			continue
		}
		words, err := d.endingsOf(ctx, beginning)
		if err != nil {
			return s, err
		}
		left -= max(1, len(words))
		switch {
		case len(words) == 0:
			s.ends[i] = []string{beginning} // which nothing has
		case len(words) <= mostEndings:
			s.ends[i] = words
		}
	}
	return s, nil
}

// endingsOf lists words of the index that begin so, one more than are looked for one by one at most.
func (d *DB) endingsOf(ctx context.Context, beginning string) ([]string, error) {
	version, known := d.Version()
	if words, ok := d.endings.get(version, beginning); ok && known {
		return words, nil
	}
	words, err := d.beginning(ctx, beginning, mostEndings+1)
	if err == nil && known {
		d.endings.keep(version, beginning, words)
	}
	return words, err
}

// beginning lists words of the index that begin so, no more than most.
func (d *DB) beginning(ctx context.Context, with string, most int) ([]string, error) {
	rows, err := d.reader.QueryContext(ctx, datasql.Admin("words_beginning"), with, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var words []string
	for rows.Next() {
		var word string
		if err := rows.Scan(&word); err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return words, rows.Err()
}

// indexer indexes what others have written, so that who searches need not.
type indexer struct {
	*DB
	seen Version
}

const indexEvery = time.Second

func (i *indexer) look(ctx context.Context) {
	version, ok := i.Version()
	if !ok || version == i.seen || i.config.Kind != datasql.OfMetadata {
		return
	}
	if err := i.Indexed(ctx); err == nil {
		i.seen = version
	}
}
