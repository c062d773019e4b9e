package history

import (
	"cmp"
	"iter"
	"slices"
)

// compare orders rows as Range yields them: by series, then by time.
func (r Row) compare(o Row) int {
	return cmp.Or(cmp.Compare(r.Series, o.Series), cmp.Compare(r.Time, o.Time))
}

// Points asks for the points that are in the buckets.
func (q BucketQuery) Points() Query {
	return Query{Series: q.Series, Start: q.Edges[0], End: q.Edges[len(q.Edges)-1]}
}

// Rows yields rows that are there already.
func Rows(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// SortRows puts rows into the order in which Range yields them, each point once: of doubles the first stays.
func SortRows(rows []Row) []Row {
	slices.SortStableFunc(rows, Row.compare)
	return slices.CompactFunc(rows, func(a, b Row) bool { return a.compare(b) == 0 })
}

// Merge yields the rows of two sequences that are each in the order of Range, in that order and each point once;
// of doubles the second one's. Nothing is yielded before the first sequence has begun. The first error of either
// ends it; but a *Partial of the second is put off to the end, as the rest of it is all there is.
func Merge(first, second iter.Seq2[Row, error]) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		m := merger{yield: yield}
		next, stop := iter.Pull2(second)
		defer stop()
		m.next = next
		begun := false
		for row, err := range first {
			if err != nil {
				yield(Row{}, err)
				return
			}
			if !begun {
				begun = true
				m.advance()
			}
			if !m.add(row) {
				return
			}
		}
		if !begun {
			m.advance()
		}
		m.finish()
	}
}

// merger merges.
type merger struct {
	yield func(Row, error) bool
	next  func() (Row, error, bool)
	row   Row  // the second sequence's next one,
	some  bool // if there is one
	err   error
}

func (m *merger) advance() {
	m.row, m.err, m.some = m.next()
	m.some = m.some && m.err == nil
}

// add yields the second sequence's rows up to one of the first, and that one. It says whether more is wanted.
func (m *merger) add(row Row) bool {
	for m.some && m.row.compare(row) < 0 {
		if !m.give() {
			return false
		}
	}
	if m.broken() {
		m.yield(Row{}, m.err)
		return false
	}
	if m.some && m.row.compare(row) == 0 {
		return m.give()
	}
	return m.yield(row, nil)
}

func (m *merger) give() bool {
	if !m.yield(m.row, nil) {
		return false
	}
	m.advance()
	return true
}

// broken says whether the second sequence ended by an error that leaves nothing standing.
func (m *merger) broken() bool {
	_, partial := m.err.(*Partial)
	return m.err != nil && !partial
}

func (m *merger) finish() {
	for m.some {
		if !m.give() {
			return
		}
	}
	if m.err != nil {
		m.yield(Row{}, m.err)
	}
}
