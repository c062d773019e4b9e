package webhook

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// schedule is how long after each failed try the next one follows. After the last the message is given up.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// jitter is the part of a pause that it may be shorter or longer by.
const jitter = 0.1

// longestRetry is how long a receiver may ask to be left alone.
const longestRetry = 24 * time.Hour

// Verdict is what an outcome means for its message and those after it.
type Verdict int

// What outcomes mean.
const (
	Arrived Verdict = iota // the receiver has the message
	Hold                   // it cannot take any message now: those after this one wait
	Aside                  // it cannot take this one: it is tried again while others pass
	Gone                   // it wants no more, ever
)

// Verdict is by the status: 2xx has arrived, 410 is gone, any other 4xx but 429 is about this one message. All
// else, such as a redirect, or no answer at all, is held.
func (o Outcome) Verdict() Verdict {
	switch {
	case o.Status >= 200 && o.Status < 300:
		return Arrived
	case o.Status == http.StatusGone:
		return Gone
	case o.Status == http.StatusTooManyRequests, o.Status < 400, o.Status >= 500:
		return Hold
	}
	return Aside
}

// Pause is how long to wait after the failed try with this number, the first being 1: never less than the
// receiver asks for. more is false where the message is to be given up. Messages that failed together do not
// come back together.
func (o Outcome) Pause(try int64) (pause time.Duration, more bool) {
	if try > int64(len(schedule)) {
		return 0, false
	}
	pause = schedule[max(try, 1)-1]
	pause += time.Duration((2*rand.Float64() - 1) * jitter * float64(pause))
	return max(pause, o.RetryAfter), true
}

// retryAfter reads the header of that name: seconds, or a time (RFC 9110, section 10.2.3). What is neither
// asks for nothing.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(value, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, it is the largest in it
		return min(time.Duration(seconds)*time.Second, longestRetry)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, at.Sub(now)), longestRetry)
	}
	return 0
}
