package db

import (
	"cmp"
	"slices"
)

// How much of the log is kept at hand for those who follow it closely: changes, and bytes of them.
const (
	tailLength = 256
	tailSize   = 1 << 20
)

// tail is the end of the change log as one look has found it. It does not change.
type tail struct {
	from    Position // changes holds all after it
	changes []Change
	log     Log
}

// grown is the tail with the next changes of the same log, of which there may be more than it holds.
func (t *tail) grown(next []Change, log Log) *tail {
	g := &tail{from: t.from, changes: slices.Concat(t.changes, next), log: log}
	size := 0
	for i, c := range slices.Backward(g.changes) {
		size += len(c.ID) + len(c.Before) + len(c.After)
		if len(g.changes)-i > tailLength || size > tailSize {
			g.from = t.from.After(c)
			g.changes = g.changes[i+1:]
			break
		}
	}
	if len(next) > tailLength {
		g.from, g.changes = log.Newest, nil // next may not be all
	}
	return g
}

// page is the page that ChangesBetween would give, where the tail goes back that far.
func (t *tail) page(c *ChangeQuery) (*ChangePage, bool) {
	first, there := t.find(c.Since.Position)
	if !there || c.Until != (Bound{}) {
		return nil, false
	}
	p := &ChangePage{Changes: []Change{}, Since: c.Since.Position, Until: t.log.Newest, Log: t.log}
	for _, change := range t.changes[first:] {
		if c.holds(change) && int64(len(p.Changes)) <= c.Limit {
			p.Changes = append(p.Changes, change)
		}
	}
	p.cut(c.Limit)
	return p, true
}

// find returns which of the changes is the first after a position, if the tail knows the position.
func (t *tail) find(p Position) (int, bool) {
	if p == t.from {
		return 0, true
	}
	i, there := slices.BinarySearchFunc(t.changes, p.Seq, func(c Change, seq int64) int { return cmp.Compare(c.Seq, seq) })
	return i + 1, there && t.from.After(t.changes[i]) == p
}
