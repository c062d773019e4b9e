// Package stats answers questions about the past of groups of entities: what the store sums up for each
// entity becomes a value for each group and bucket, in the units and on the clock of whoever asks.
package stats

import (
	"slices"
	"time"

	"dataapi/internal/history"
)

// Every is how long a bucket is. Buckets begin on the clock of the time zone: hours on the hour, days at midnight,
// weeks on Monday, months on the first. So a day is 23 or 25 hours long where the clocks are changed.
type Every struct {
	Word   string
	step   time.Duration // of buckets that are parts of a day; else 0
	days   int           // 1 or 7
	months int           // 1 or 12
}

// Everys are all there are, the finest first, and last the one that is the whole time that is asked for.
var Everys = []Every{
	{"1m", time.Minute, 1, 0}, {"5m", 5 * time.Minute, 1, 0}, {"10m", 10 * time.Minute, 1, 0}, {"15m", 15 * time.Minute, 1, 0},
	{"30m", 30 * time.Minute, 1, 0}, {"1h", time.Hour, 1, 0}, {"2h", 2 * time.Hour, 1, 0}, {"3h", 3 * time.Hour, 1, 0},
	{"6h", 6 * time.Hour, 1, 0}, {"12h", 12 * time.Hour, 1, 0}, {"1d", 0, 1, 0}, {"1w", 0, 7, 0}, {"1mo", 0, 0, 1}, {"1y", 0, 0, 12},
	{Word: "all"},
}

// EveryOf returns the one with the word, the zero Every where there is none.
func EveryOf(word string) Every {
	if i := slices.IndexFunc(Everys, func(e Every) bool { return e.Word == word }); i >= 0 {
		return Everys[i]
	}
	return Every{}
}

// enough is how many buckets a chart has use for.
const enough = 400

// Auto is how long buckets are where nobody says: 5 minutes for a day, 30 for a week, 6 hours for a month.
func Auto(start, end time.Time) Every {
	for _, word := range []string{"5m", "30m", "1h", "6h", "1d", "1mo"} {
		if e := EveryOf(word); end.Sub(start) <= enough*e.length() {
			return e
		}
	}
	return EveryOf("1y")
}

// Fine says whether buckets are shorter than an hour.
func (e Every) Fine() bool { return 0 < e.step && e.step < time.Hour }

// length is about how long a bucket is.
func (e Every) length() time.Duration {
	if e.step > 0 {
		return e.step
	}
	return time.Duration(e.days+30*e.months) * 24 * time.Hour
}

// Edges are those of the buckets that hold the time from start until end, on the clock of start's zone: they begin at
// or before start, and end at or after end. The error is *TooMany where they were more than most.
func (e Every) Edges(start, end time.Time, most int) (edges []history.Micros, err error) {
	from, until := history.At(start), history.At(end)
	if e.step == 0 && e.days == 0 && e.months == 0 {
		return []history.Micros{from, until}, nil
	}
	for day := e.first(start); ; {
		next := e.next(day)
		for mark := range e.marks(day, next) {
			at := history.At(mark)
			switch {
			case at <= from:
				edges = []history.Micros{at}
			case at > edges[len(edges)-1]:
				edges = append(edges, at)
			}
			if len(edges) > most+1 {
				return nil, &TooMany{1, int(end.Sub(start) / e.length()), most}
			}
			if at >= until {
				return edges, nil
			}
		}
		day = next
	}
}

// first is the beginning of the day, week, month or year that t is in.
func (e Every) first(t time.Time) time.Time {
	y, m, d := t.Date()
	switch {
	case e.months == 12:
		m, d = 1, 1
	case e.months == 1:
		d = 1
	case e.days == 7:
		d -= (int(t.Weekday()) + 6) % 7
	}
	return midnight(y, m, d, t.Location())
}

// next is the beginning of the day, week, month or year after the one that begins at t.
func (e Every) next(t time.Time) time.Time {
	y, m, d := t.Date()
	return midnight(y, m+time.Month(e.months), d+e.days, t.Location())
}

// midnight is when a day begins, which is at one o'clock where the clocks are put forward at midnight.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if t.Day() != time.Date(y, m, d, 12, 0, 0, 0, zone).Day() {
		t = t.Add(time.Hour)
	}
	return t
}

// marks yields where buckets begin from a day on until the next. Buckets of more than an hour go by the clock, so that
// 6 o'clock is 6 o'clock also on the days on which the clocks are changed.
func (e Every) marks(day, next time.Time) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		y, m, d := day.Date()
		mark := day
		for k := 1; yield(mark) && e.step > 0; k++ {
			mark = day.Add(time.Duration(k) * e.step)
			if e.step > time.Hour {
				mark = time.Date(y, m, d, k*int(e.step/time.Hour), 0, 0, 0, day.Location())
			}
			if !mark.Before(next) {
				return
			}
		}
	}
}
