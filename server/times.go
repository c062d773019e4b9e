package server

import (
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

// ParseDuration reads a duration as Go writes it, which may begin with days of 24 hours: 90d, 1d12h, 30m.
func ParseDuration(text string) (time.Duration, error) {
	count, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	days, err := strconv.ParseUint(count, 10, 16)
	if err != nil || rest == "" {
		return time.Duration(days) * 24 * time.Hour, err
	}
	more, err := time.ParseDuration(rest)
	total := time.Duration(days)*24*time.Hour + more
	if err == nil && (more < 0 || total < 0) { // too many days and hours turn negative
		err = strconv.ErrRange
	}
	return total, err
}
