package server

import (
	"math"
	"strconv"
	"strings"
	"time"

	"dataapi/db"
)

// This is query.go for times, which all parameters that are times share.

// timeForms is how a time may be given.
const timeForms = "RFC 3339, seconds or milliseconds since 1970, or back from now as in -24h or -7d"

// bound is a cursor of the change feed or a time; the zero value where it is not given.
func (q *query) bound(name string) db.Bound {
	value, given := q.one(name)
	if !given {
		return db.Bound{}
	}
	if p, ok := db.ParsePosition(value); ok {
		return db.Bound{Position: p}
	}
	t, ok := parseMoment(value, time.Now())
	if !ok {
		q.refuse(name, "must be a cursor of the change feed, or a time: %s", timeForms)
	}
	return db.Bound{Moment: t}
}

// moment is a time; fallback where it is not given.
func (q *query) moment(name string, now, fallback time.Time) time.Time {
	value, given := q.one(name)
	if !given {
		return fallback
	}
	t, ok := parseMoment(value, now)
	if !ok {
		q.refuse(name, "must be a time: %s", timeForms)
	}
	return t
}

// milliseconds is from where on a number is not of seconds: these would be in the year 5138.
const milliseconds = 100_000_000_000

// parseMoment reads a time in one of the forms that clients send.
func parseMoment(text string, now time.Time) (t time.Time, ok bool) {
	if back, relative := strings.CutPrefix(text, "-"); relative {
		ago, err := ParseDuration(back)
		return now.Add(-ago), err == nil && ago >= 0
	}
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		if n < milliseconds {
			return time.Unix(int64(n), 0).UTC(), true
		}
		t = time.UnixMilli(int64(n)).UTC()
		return t, t.Year() <= 9999
	}
	t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)) // a + that was not escaped came as a space
	return t, err == nil
}

// day is one of 24 hours, whatever the clocks do.
const day = 24 * time.Hour

// ParseDuration reads a duration as Go writes it, which may begin with years of 365 days and days of 24
// hours: 10y, 1y180d, 90d, 1d12h, 30m.
func ParseDuration(text string) (total time.Duration, err error) {
	rest, units := text, 0
	for _, unit := range []struct {
		name   string
		length time.Duration
	}{{"y", 365 * day}, {"d", day}} {
		count, after, found := strings.Cut(rest, unit.name)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(count, 10, 16)
		if err != nil || n > uint64((math.MaxInt64-total)/unit.length) {
			return 0, strconv.ErrRange
		}
		total += time.Duration(n) * unit.length
		rest = after
		units++
	}
	if rest == "" && units > 0 {
		return total, nil
	}
	more, err := time.ParseDuration(rest)
	if err == nil && units > 0 && (more < 0 || more > math.MaxInt64-total) {
		err = strconv.ErrRange
	}
	return total + more, err
}
