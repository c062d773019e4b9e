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
		var s *Summarizer
		for row, err := range rows {
			if err != nil {
				yield(Bucket{}, err)
				return
			}
			if s == nil || s.series != row.Series {
				if s != nil && !s.Finish() {
					return
				}
				s = NewSummarizer(q, row.Series, yield)
			}
			if !s.Add(row.Time, row.State) {
				return
			}
		}
		if s != nil {
			s.Finish()
		}
	}
}

// Summarizer is what Summarize does, for one series, and for stores that keep summaries of whole hours as
// well as points.
type Summarizer struct {
	series int
	edges  []Micros
	end    Micros // of the time that counts
	parts  Parts
	yield  func(Bucket, error) bool

	index   int     // of the bucket that is being summed up
	current Summary // of it
	reached Micros  // until when what holds is summed up
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

func numberOf(state string) number {
	value, ok := Number(state)
	return number{value, ok}
}

// NewSummarizer returns one that gives each bucket to yield as soon as it is whole, until yield returns false.
func NewSummarizer(q BucketQuery, series int, yield func(Bucket, error) bool) *Summarizer {
	end := min(q.Edges[len(q.Edges)-1], q.Now)
	return &Summarizer{series: series, edges: q.Edges, end: end, reached: q.Edges[0], parts: q.Parts, yield: yield}
}

// Add takes the next point, in the order of time. It says whether more is wanted.
func (s *Summarizer) Add(t Micros, state string) bool {
	if s.past.any && t <= s.past.time || t >= s.end {
		return true
	}
	if !s.advance(t) {
		return false
	}
	n := numberOf(state)
	if t >= s.edges[0] {
		s.count(t, state, n)
	}
	s.past.take(t, state, n)
	return true
}

func (p *past) take(t Micros, state string, n number) {
	p.time, p.held, p.any = t, held{state, n}, true
	if IsKnown(state) {
		p.before = n
	}
}

// AddHour takes the hour that begins at start and lies in one bucket: its summary, and the state that holds at
// its end. It says whether more is wanted.
func (s *Summarizer) AddHour(start Micros, sum *Summary, end string) bool {
	if !s.advance(start) {
		return false
	}
	s.current.Merge(sum)
	s.reached = start + Hour
	s.past.time, s.past.held, s.past.any = start+Hour-1, held{end, numberOf(end)}, true
	if sum.Last.State != "" {
		s.past.before = numberOf(sum.Last.State)
	}
	return true
}

// count takes note of a point in the current bucket.
func (s *Summarizer) count(t Micros, state string, n number) {
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
func (s *Summarizer) advance(t Micros) bool {
	if !s.past.any { // nothing to hold: move there at once
		s.index = max(0, sort.Search(len(s.edges), func(i int) bool { return s.edges[i] > t })-1)
		s.reached = max(s.reached, t)
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
func (s *Summarizer) keep(t Micros) {
	t = min(t, s.end)
	if s.past.any && t > s.reached {
		s.current.keep(s.past.held, t.Sub(s.reached), s.parts)
	}
	s.reached = max(s.reached, t)
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
func (s *Summarizer) emit() bool {
	b := Bucket{Series: s.series, Index: s.index, Summary: s.current}
	s.current = Summary{}
	return b.IsZero() || s.yield(b, nil)
}

// Holding is the state of the newest point: in yield, what holds at the end of the bucket.
func (s *Summarizer) Holding() string { return s.past.held.state }

// Finish lets what holds hold until the end, and yields what is left. It says whether more would be wanted.
func (s *Summarizer) Finish() bool {
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
