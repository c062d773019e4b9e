package stats

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"dataapi/internal/history"
)

// Fn is what is made of the states in a bucket.
type Fn string

// The functions. Of a group the mean is that of its entities' means, the sample mean that of all numbers, min and max are
// of all of them, first and last of whoever was first and last; count, change and the times add up.
const (
	Mean        Fn = "mean" // weighted by how long each number held
	Min         Fn = "min"
	Max         Fn = "max"
	SampleMean  Fn = "sample_mean" // of the numbers that came, however long they held
	Count       Fn = "count"
	First       Fn = "first"
	Last        Fn = "last"
	Change      Fn = "change"
	TimeInState Fn = "time_in_state" // seconds
)

// Fns are all of them.
var Fns = []string{"mean", "min", "max", "sample_mean", "count", "first", "last", "change", "time_in_state"}

// HasUnit says whether values have the unit of the entity.
func (fn Fn) HasUnit() bool { return fn != Count && fn != TimeInState }

func (fn Fn) parts() history.Parts {
	return map[Fn]history.Parts{
		Mean: history.Means, Min: history.Ranges, Max: history.Ranges, SampleMean: history.Sums, Count: history.Counts,
		First: history.Firsts, Last: history.Lasts, Change: history.Changes, TimeInState: history.Times,
	}[fn]
}

// cell is what is known of a group in a bucket.
type cell struct {
	sum    float64
	n      int64
	sample history.Sample
	states map[string]time.Duration
}

// add takes what an entity did. It says whether that was anything.
func (fn Fn) add(c *cell, s *history.Summary, meter bool) bool {
	value, ok := 0.0, false
	switch fn {
	case Mean:
		value, ok = s.Mean()
	case SampleMean:
		c.sum, c.n = c.sum+s.Sum, c.n+s.Numbers
		return s.Numbers > 0
	case Count:
		c.n += s.Count
		return s.Count > 0
	case Min:
		return s.Ranged && c.pick(s.Min, s.Min < c.sum)
	case Max:
		return s.Ranged && c.pick(s.Max, s.Max > c.sum)
	case First:
		return s.First.State != "" && c.take(s.First, s.First.At < c.sample.At)
	case Last:
		return s.Last.State != "" && c.take(s.Last, s.Last.At > c.sample.At)
	case Change:
		value, ok = s.Change, s.Changed
		if meter {
			value = s.Metered
		}
	case TimeInState:
		return c.spend(s.States)
	}
	if ok {
		c.sum, c.n = c.sum+value, c.n+1
	}
	return ok
}

func (c *cell) pick(value float64, better bool) bool {
	if c.n == 0 || better {
		c.sum = value
	}
	c.n++
	return true
}

func (c *cell) take(s history.Sample, better bool) bool {
	if c.n == 0 || better {
		c.sample = s
	}
	c.n++
	return true
}

func (c *cell) spend(states map[string]time.Duration) bool {
	if c.states == nil {
		c.states = make(map[string]time.Duration, len(states))
	}
	for state, d := range states {
		c.states[state] += d
		c.n++
	}
	return len(states) > 0
}

// Point is the value of a group in the bucket that begins at Time: a number, for first and last also a text; nil where
// there is none and it was asked to be shown. State is whose time the value is, for TimeInState.
type Point struct {
	Time  history.Micros
	State string
	Value any
}

// points are those of a cell; none where nothing is known.
func (fn Fn) points(c *cell, at history.Micros) []Point {
	if c.n == 0 {
		return nil
	}
	switch fn {
	case Mean, SampleMean:
		return []Point{{at, "", tidy(c.sum / float64(c.n))}}
	case Count:
		return []Point{{at, "", c.n}}
	case First, Last:
		if n, ok := history.Number(c.sample.State); ok {
			return []Point{{at, "", n}}
		}
		return []Point{{at, "", c.sample.State}}
	case TimeInState:
		var all []Point
		for _, state := range slices.Sorted(maps.Keys(c.states)) {
			all = append(all, Point{at, state, tidy(c.states[state].Seconds())})
		}
		return all
	}
	return []Point{{at, "", tidy(c.sum)}}
}

// tidy rounds to 12 digits, which leaves out what is only the noise of adding up.
func tidy(value float64) float64 {
	if value == 0 || math.IsInf(value, 0) {
		return value
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'g', 12, 64), 64)
	return rounded
}
