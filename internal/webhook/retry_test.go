package webhook

import (
	"net/http"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	for status, want := range map[int]Verdict{
		0: Hold, 101: Hold, 200: Arrived, 202: Arrived, 204: Arrived, 299: Arrived, 301: Hold, 304: Hold, 307: Hold,
		400: Aside, 401: Aside, 404: Aside, 408: Aside, 409: Aside, 410: Gone, 413: Aside, 422: Aside, 428: Aside, 429: Hold,
		499: Aside, 500: Hold, 502: Hold, 503: Hold, 599: Hold, 999: Hold,
	} {
		if got := (Outcome{Status: status}).Verdict(); got != want {
			t.Errorf("%d is %d, want %d", status, got, want)
		}
	}
}

func TestPause(t *testing.T) {
	for i, want := range []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	} {
		shortest, longest := time.Duration(1<<62), time.Duration(0)
		for range 1000 {
			got, more := Outcome{Status: 500}.Pause(int64(i) + 1)
			if !more {
				t.Fatalf("try %d is the last", i+1)
			}
			shortest, longest = min(shortest, got), max(longest, got)
		}
		// Each is shorter by 5 % or more with a chance of one in four: that none of 1000 is does not happen.
		if shortest < want*9/10 || shortest > want*95/100 || longest > want*11/10 || longest < want*105/100 {
			t.Errorf("after try %d the pauses are of %v to %v, want %v and up to a tenth around it", i+1, shortest, longest, want)
		}
	}
	for _, try := range []int64{10, 11, 1 << 40} {
		if got, more := (Outcome{Status: 500, RetryAfter: time.Hour}).Pause(try); more || got != 0 {
			t.Errorf("after try %d there is a pause of %v, want the end", try, got)
		}
	}
}

func TestPauseAsAsked(t *testing.T) {
	if got, more := (Outcome{Status: 429, RetryAfter: time.Hour}).Pause(1); !more || got != time.Hour {
		t.Errorf("the pause is %v, %v; want the hour that the receiver asks for", got, more)
	}
	if got, more := (Outcome{Status: 503, RetryAfter: time.Second}).Pause(4); !more || got < 108*time.Minute {
		t.Errorf("the pause is %v, %v; want not less than without being asked", got, more)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"120":                            2 * time.Minute,
		"86401":                          24 * time.Hour,
		"99999999999999999999999":        24 * time.Hour,
		"-5":                             0,
		"1.5":                            0,
		"soon":                           0,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun, 01 Mar 2026 11:00:00 GMT":  0,
		"Mon, 01 Mar 2027 12:00:00 GMT":  24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q is %v, want %v", value, got, want)
		}
	}
}
