package history

import (
	"cmp"
	"slices"
)

// span is a time in which an entity had a name, cut to what is asked for: from <= t < until.
type span struct {
	series      int
	entityID    string
	from, until Micros
	one         bool // whether its series has no other
}

// spansOf are the names of series in a time, series by series. Names that no point can have are left out.
func spansOf(series []Series, start, end Micros) []span {
	var spans []span
	for n, s := range series {
		first := len(spans)
		for _, name := range s.Names {
			from, until := max(name.From, start), min(name.Until, end)
			if from < until && IsEntityID(name.EntityID) {
				spans = append(spans, span{series: n, entityID: name.EntityID, from: from, until: until})
			}
		}
		if len(spans) == first+1 {
			spans[first].one = true
		}
	}
	return spans
}

// maxIDs is how many entities one query asks for.
const maxIDs = 500

// runs cuts spans into those that go together, in their order: all of a series that has several, or those
// that one query can ask for, of the same time and of names that rise, as the server answers by name.
func runs(spans []span) [][]span {
	return cut(spans, func(before, s span) bool {
		return s.series == before.series || s.one && before.one && s.follows(before)
	})
}

// batches cuts spans into those that one query can ask for, where the order of the answers is of no matter.
func batches(spans []span) [][]span {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.until, b.until), cmp.Compare(a.entityID, b.entityID))
	})
	return cut(spans, func(before, s span) bool { return s.follows(before) })
}

func (s span) follows(before span) bool {
	return s.from == before.from && s.until == before.until && s.entityID > before.entityID
}

func cut(spans []span, joined func(before, s span) bool) [][]span {
	var all [][]span
	for first, n := 0, 1; n <= len(spans); n++ {
		if n < len(spans) && n-first < maxIDs && joined(spans[n-1], spans[n]) {
			continue
		}
		all = append(all, spans[first:n])
		first = n
	}
	return all
}

func idsOf(spans []span) []string {
	ids := make([]string, len(spans))
	for n, s := range spans {
		ids[n] = s.entityID
	}
	return ids
}

// seriesByID finds the series of an entity among spans whose ids differ.
func seriesByID(spans []span) map[string]int {
	series := make(map[string]int, len(spans))
	for _, s := range spans {
		series[s.entityID] = s.series
	}
	return series
}
