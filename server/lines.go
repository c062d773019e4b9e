package server

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"dataapi/internal/hass"
)

// This is what InfluxDB's clients need to write here as if it were one: Home Assistant's InfluxDB integration writes
// nothing but lines, and at its set-up an empty body (for which 1.x's client wants a 204), and asks nothing.

// influxVersion is what clients are told that asks which InfluxDB this is: one that takes /api/v2/write as well.
const influxVersion = "1.8.10-data-api"

// units are the names of the units that times of lines may be in.
var units = map[string]time.Duration{
	"n": time.Nanosecond, "ns": time.Nanosecond, "u": time.Microsecond, "us": time.Microsecond,
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

var unitNames = slices.Sorted(maps.Keys(units))

// ping answers whoever looks for an InfluxDB.
func (s *Server) ping(*http.Request) (any, error) {
	return nothing{"X-Influxdb-Version": {influxVersion}, "X-Influxdb-Build": {"data-api"}}, nil
}

// takesLines says whether a path is one of those that clients of InfluxDB write to.
func takesLines(path string) bool { return path == "/write" || path == "/api/v2/write" }

// errKeyInURL answers those who send what InfluxDB 1.x takes as well.
var errKeyInURL = errors.New("a password in the URL is not taken, as URLs are logged: send the key as the password of basic authentication")

// influxKey is the key in an Authorization that is of one of InfluxDB's schemes: Token KEY of 2.x, Token USER:KEY of
// 1.8, or basic authentication with the key as the password, whoever the user is.
func influxKey(r *http.Request, scheme, credentials string) string {
	if strings.EqualFold(scheme, "Token") {
		if _, password, both := strings.Cut(credentials, ":"); both {
			return password
		}
		return credentials
	}
	_, password, _ := r.BasicAuth()
	return password
}

// postWrite takes lines as InfluxDB 1.x does. There is one place for all of them, whatever database is named.
func (s *Server) postWrite(r *http.Request) (any, error) {
	return s.takeLines(r, "db", "rp", "consistency", "u", "p")
}

// postWriteV2 takes lines as InfluxDB 2.x does.
func (s *Server) postWriteV2(r *http.Request) (any, error) {
	return s.takeLines(r, "org", "orgID", "bucket")
}

// takeLines stores the lines that are good. The parameters that say where to do not matter.
func (s *Server) takeLines(r *http.Request, parameters ...string) (any, error) {
	q := parse(r)
	for _, name := range parameters {
		q.text(name)
	}
	unit := units[q.word("precision", "ns", unitNames)]
	if err := q.err(); err != nil {
		return nil, inInfluxTerms{err}
	}
	body, err := content(r, s.MaxBody)
	if err != nil {
		return nil, inInfluxTerms{err}
	}
	taken, err := s.take(r.Context(), hass.ReadLines(body, unit, time.Now()))
	switch {
	case err != nil:
		return nil, inInfluxTerms{err}
	case len(taken.Rejected) > 0:
		return nil, inInfluxTerms{partialWrite(taken.Rejected)}
	}
	return nothing{}, nil
}

// inInfluxTerms is an error of which InfluxDB's clients can read the text, too.
type inInfluxTerms struct{ error }

func (e inInfluxTerms) Unwrap() error { return e.error }

// partialWrite is what was wrong with lines, of which the others were stored. The words are InfluxDB's.
type partialWrite []hass.Rejection

func (e partialWrite) Error() string {
	first := e[0]
	reason := strings.TrimSpace(first.Field + " " + first.Reason)
	if first.ID != nil {
		reason = *first.ID + ": " + reason
	}
	return fmt.Sprintf("partial write: %s dropped=%d", reason, len(e))
}

// mostNamed is how many bad lines an answer names.
const mostNamed = 100

func (e partialWrite) pointers() (all []fieldError) {
	for _, r := range e[:min(len(e), mostNamed)] {
		pointer := fmt.Sprintf("/%d", r.Index)
		if r.Field != "" {
			pointer += "/" + r.Field
		}
		all = append(all, fieldError{Pointer: &pointer, Detail: r.Reason})
	}
	return all
}
