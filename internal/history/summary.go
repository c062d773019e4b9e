package history

import (
	"maps"
	"time"
)

// Parts says which parts of a Summary are needed. The others may be left zero.
type Parts uint

// The parts of a Summary, by its fields.
const (
	Counts  Parts = 1 << iota // Count
	Sums                      // Numbers, Sum
	Means                     // Covered, Weighted
	Ranges                    // Min, Max
	Firsts                    // First
	Lasts                     // Last
	Changes                   // Change, Metered
	Times                     // States

	All = Counts | Sums | Means | Ranges | Firsts | Lasts | Changes | Times
)

// Summary is what one entity did in a span of time: Home Assistant's statistics, and more. The summaries
// of two spans that follow one another merge to that of both.
//
// A state holds from its point until the next one, however long that is, but not beyond now. Its number
// counts while it holds: in a span it may have begun to hold before the span does. "unavailable" and
// "unknown" have no number, so that while they hold nothing is covered.
type Summary struct {
	Count   int64   // points, "unavailable" and "unknown" among them
	Numbers int64   // points that are numbers
	Sum     float64 // of these: Sum / Numbers is the arithmetic mean

	Covered  time.Duration // how long a number held
	Weighted float64       // sum of each number times the nanoseconds it held: Weighted / Covered is the mean

	Min, Max float64 // of the numbers that held, for however short; of no meaning where Ranged is false
	Ranged   bool

	First, Last Sample // of the points that tell something (IsKnown); State is "" where there is none

	// Change is the sum of the differences between each number and the one before, which may lie before
	// the span. A text between two numbers is an end and a new beginning; "unavailable" is not. Metered
	// is the same for a meter that only grows: less than nine tenths of the number before means that it
	// began anew at zero, as Home Assistant has it for total_increasing.
	Change, Metered float64
	Changed         bool // whether there was a difference

	// States is how long each state held that is no number, "unavailable" and "unknown" among them; nil
	// where there was none. Where they were more than MaxStates, it is nil and TooMany is true.
	States  map[string]time.Duration
	TooMany bool
}

// MaxStates is how many states a Summary tells apart at most.
const MaxStates = 256

// Sample is a state and when it was taken.
type Sample struct {
	At    Micros
	State string
}

// IsZero says whether nothing is known of the span: no point in it and none before that would hold.
func (s *Summary) IsZero() bool {
	return s.Count == 0 && s.Covered == 0 && !s.Ranged && s.States == nil && !s.TooMany
}

// Mean is the mean of the numbers, weighted by how long each held; none where no number did.
func (s *Summary) Mean() (float64, bool) {
	return s.Weighted / float64(s.Covered), s.Covered > 0
}

// SampleMean is the arithmetic mean of the numbers in the span; none where there was none.
func (s *Summary) SampleMean() (float64, bool) {
	return s.Sum / float64(s.Numbers), s.Numbers > 0
}

// Merge adds the summary of the span that follows. The other one may be used on.
func (s *Summary) Merge(next *Summary) {
	s.Count += next.Count
	s.Numbers += next.Numbers
	s.Sum += next.Sum
	s.Covered += next.Covered
	s.Weighted += next.Weighted
	if next.Ranged {
		s.hold(next.Min)
		s.hold(next.Max)
	}
	if s.First.State == "" {
		s.First = next.First
	}
	if next.Last.State != "" {
		s.Last = next.Last
	}
	s.Change += next.Change
	s.Metered += next.Metered
	s.Changed = s.Changed || next.Changed
	for state, d := range next.States {
		s.spend(state, d)
	}
	if next.TooMany {
		s.States, s.TooMany = nil, true
	}
}

// hold takes note of a number that held.
func (s *Summary) hold(value float64) {
	if !s.Ranged {
		s.Min, s.Max, s.Ranged = value, value, true
	}
	s.Min, s.Max = min(s.Min, value), max(s.Max, value)
}

// spend takes note of the time that a state held.
func (s *Summary) spend(state string, d time.Duration) {
	if s.TooMany {
		return
	}
	if s.States == nil {
		s.States = map[string]time.Duration{}
	}
	s.States[state] += d
	if len(s.States) > MaxStates {
		s.States, s.TooMany = nil, true
	}
}

// change takes note of a number that follows another.
func (s *Summary) change(before, now float64) {
	s.Changed = true
	s.Change += now - before
	if now < 0.9*before {
		s.Metered += now
	} else {
		s.Metered += now - before
	}
}

// Clone returns a copy that shares nothing.
func (s *Summary) Clone() Summary {
	c := *s
	c.States = maps.Clone(s.States)
	return c
}
