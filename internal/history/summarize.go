package history

import (
	"iter"
	"sort"
	"time"
)

// Bucket is the summary of the series with this index in the question, between Edges[Index] and
// Edges[Index+1].
type Bucket struct {
	Series, Index int
	Summary
}

// Summarize is the reference for Buckets: it sums up points, which come series by series and each series
// in the order of time, in memory that does not grow with their number. Points of the same series and
// time count once. Points before the first edge are not counted; the last of them is what holds when the
// first bucket begins, and the last one that is known (IsKnown) what the first change is a change of, so
// a store yields these two if they are there. Points at or after the last edge, or after now, are passed over.
// A bucket of which nothing is known is not yielded. parts only spares work.
func Summarize(q BucketQuery, rows iter.Seq2[Row, error]) iter.Seq2[Bucket, error] {
	return func(yield func(Bucket, error) bool) {
		var s *summarizer
		for row, err := range rows {
			if err != nil {
				yield(Bucket{}, err)
				return
			}
			if s == nil || s.series != row.Series {
				if s != nil && !s.finish() {
					return
				}
				s = newSummarizer(q, row.Series, yield)
			}
			if !s.add(row.Time, row.State) {
				return
			}
		}
		if s != nil {
			s.finish()
		}
	}
}

// summarizer sums up one series.
type summarizer struct {
	series int
	edges  []Micros
	end    Micros // of the time that counts
	parts  Parts
	yield  func(Bucket, error) bool

	index   int     // of the bucket that is being summed up
	current Summary // of it
	past    past
}

// past is what of the points before has a bearing on those that follow.
type past struct {
	time   Micros // of the newest point
	held   held   // what it holds
	before number // the last known state
	any    bool   // whether there was a point
}

// held is a state that holds.
type held struct {
	state  string
	number number
}

// number is a state as a number, if it is one.
type number struct {
	value float64
	ok    bool
}

func newSummarizer(q BucketQuery, series int, yield func(Bucket, error) bool) *summarizer {
	end := min(q.Edges[len(q.Edges)-1], q.Now)
	return &summarizer{series: series, edges: q.Edges, end: end, parts: q.Parts, yield: yield}
}

// add takes the next point. It says whether more is wanted.
func (s *summarizer) add(t Micros, state string) bool {
	if s.past.any && t <= s.past.time || t >= s.end {
		return true
	}
	if !s.advance(t) {
		return false
	}
	value, ok := Number(state)
	if t >= s.edges[0] {
		s.count(t, state, number{value, ok})
	}
	s.past.take(t, state, number{value, ok})
	return true
}

func (p *past) take(t Micros, state string, n number) {
	p.time, p.held, p.any = t, held{state, n}, true
	if IsKnown(state) {
		p.before = n
	}
}

// count takes note of a point in the current bucket.
func (s *summarizer) count(t Micros, state string, n number) {
	s.current.Count++
	if !IsKnown(state) {
		return
	}
	s.current.Last = Sample{t, state}
	if s.current.First.State == "" {
		s.current.First = s.current.Last
	}
	if !n.ok {
		return
	}
	s.current.Numbers++
	s.current.Sum += n.value
	if s.past.before.ok {
		s.current.change(s.past.before.value, n.value)
	}
}

// advance lets what holds hold until t, and moves on to the bucket that t is in.
func (s *summarizer) advance(t Micros) bool {
	if !s.past.any { // nothing to hold: move there at once
		s.index = max(0, sort.Search(len(s.edges), func(i int) bool { return s.edges[i] > t })-1)
		return true
	}
	for t >= s.edges[s.index+1] {
		s.keep(s.edges[s.index+1])
		if !s.emit() {
			return false
		}
		s.index++
	}
	s.keep(t)
	return true
}

// keep lets what holds hold until t, which is in the current bucket or at its end.
func (s *summarizer) keep(t Micros) {
	from := max(s.past.time, s.edges[s.index])
	d := min(t, s.end).Sub(from)
	if !s.past.any || d <= 0 {
		return
	}
	s.current.keep(s.past.held, d, s.parts)
}

func (s *Summary) keep(h held, d time.Duration, parts Parts) {
	switch {
	case h.number.ok:
		s.Covered += d
		s.Weighted += h.number.value * float64(d)
		s.hold(h.number.value)
	case parts&Times != 0:
		s.spend(h.state, d)
	}
}

// emit yields the current bucket and begins a new one.
func (s *summarizer) emit() bool {
	b := Bucket{Series: s.series, Index: s.index, Summary: s.current}
	s.current = Summary{}
	return b.IsZero() || s.yield(b, nil)
}

// finish lets what holds hold until the end, and yields what is left.
func (s *summarizer) finish() bool {
	if !s.past.any {
		return true
	}
	for ; s.index < len(s.edges)-1; s.index++ {
		s.keep(s.edges[s.index+1])
		if !s.emit() {
			return false
		}
		if s.edges[s.index+1] >= s.end {
			return true
		}
	}
	return true
}
