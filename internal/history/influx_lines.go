package history

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// errEntityID refuses what would mean something else in a line.
var errEntityID = errors.New("an entity_id that is none")

// lines are points in line protocol, and those that have no line. The times are in nanoseconds, which every
// version takes by the same name.
func (l *layout) lines(points []Point) (string, []refusal) {
	var lines strings.Builder
	var refusals []refusal
	for n := range points {
		if !IsEntityID(points[n].EntityID) {
			refusals = append(refusals, refusal{n, errEntityID.Error()})
			continue
		}
		l.line(&lines, &points[n])
	}
	return lines.String(), refusals
}

// line writes a point as those do who write in this layout. All fields that are read are written each time,
// as a second point at the same time would otherwise leave some of the first. Measurement and tags are ids,
// in which nothing needs to be quoted.
func (l *layout) line(to *strings.Builder, p *Point) {
	domain, name, _ := strings.Cut(p.EntityID, ".")
	value, numeric := Number(p.State)
	var fields []string
	measurement := l.measurement
	if l.split {
		measurement = p.EntityID // as for an entity without a unit
	} else {
		name = p.EntityID
		fields = append(fields, l.context+"="+influxString(p.Context))
	}
	if !l.split || !numeric {
		fields = append(fields, "state="+influxString(p.State))
	}
	if numeric && l.name != "homeiq" {
		fields = append(fields, "value="+strconv.FormatFloat(value, 'g', -1, 64))
	}
	for _, part := range []string{
		measurement, ",domain=", domain, ",entity_id=", name, " ", strings.Join(fields, ","), " ", nanoseconds(p.Time), "\n",
	} {
		to.WriteString(part)
	}
}

// writeLines writes lines, all of them or, if some are refused, an unknown part.
func (i *Influx) writeLines(ctx context.Context, lines string) error {
	if lines == "" {
		return nil
	}
	query := url.Values{"db": {i.config.Database}, "precision": {"ns"}}
	if i.config.Org != "" {
		query.Set("org", i.config.Org)
	}
	deadline, cancel := context.WithTimeoutCause(ctx, i.timeout, errSlow)
	defer cancel()
	start := time.Now()
	response, err := i.send(deadline, influxRequest{
		method: http.MethodPost, path: "write", query: query, kind: "text/plain; charset=utf-8", body: lines,
	})
	i.record.note(ctx, start, err)
	if err == nil {
		drain(response)
	}
	return err
}

// dropped finds how many points of a batch were refused, where the server says it.
var dropped = regexp.MustCompile(`\bdropped=(\d+)\b`)

// allDropped says whether the server refused all n points of a batch, as it does with those that are older
// than what it keeps: then there is nothing to find by halving it.
func allDropped(err error, n int) bool {
	var e *influxError
	if !errors.As(err, &e) {
		return false
	}
	m := dropped.FindStringSubmatch(e.detail)
	return m != nil && m[1] == strconv.Itoa(n)
}
