package history

import (
	"context"
	"time"
)

// Append writes points in the layout of the others. See Store. It asks first which ones are there already,
// so that the first one stays; what the server refuses is rejected with what it said.
func (i *Influx) Append(ctx context.Context, points []Point) ([]Outcome, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	outcomes := make([]Outcome, len(points))
	known, err := i.known(ctx, l, points)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	var batch []Point
	var places []int
	now := time.Now()
	for n := range points {
		p := &points[n]
		key := eventKey{p.EntityID, p.Time}
		reason := p.Check(now, 0)
		switch {
		case reason != "":
			outcomes[n] = Outcome{Rejected, reason}
		case known[key]:
			outcomes[n].Result = Duplicate
		default:
			known[key] = true
			batch, places = append(batch, *p), append(places, n)
			outcomes[n].Result = Stored
		}
	}
	refusals, err := i.write(ctx, l, batch)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	for _, r := range refusals {
		outcomes[places[r.index]] = Outcome{Rejected, r.reason}
	}
	i.record.count(outcomes)
	return outcomes, nil
}

// Overwrite writes points over whatever is there, without asking first: the ones of who appended them before and
// remembers which. The outcomes and the error are those of Append, but that there are no duplicates. Writing
// the same points twice leaves each there once.
func (i *Influx) Overwrite(ctx context.Context, points []Point) ([]Outcome, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	refusals, err := i.write(ctx, l, points)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	outcomes := make([]Outcome, len(points))
	for n := range outcomes {
		outcomes[n].Result = Stored
	}
	for _, r := range refusals {
		outcomes[r.index] = Outcome{Rejected, r.reason}
	}
	i.record.count(outcomes)
	return outcomes, nil
}

type eventKey struct {
	entityID string
	at       Micros
}

// known finds which of the points are stored.
func (i *Influx) known(ctx context.Context, l *layout, points []Point) (map[eventKey]bool, error) {
	var series []Series
	named := map[string]bool{}
	first, last := Forever, Always
	for _, p := range points {
		first, last = min(first, p.Time), max(last, p.Time)
		if !named[p.EntityID] {
			named[p.EntityID] = true
			series = append(series, Named(p.EntityID))
		}
	}
	known := map[eventKey]bool{}
	for _, batch := range batches(spansOf(series, first, min(last, Forever-1)+1)) {
		s := l.during(batch)
		s.tail = l.group()
		for p, err := range i.points(ctx, s) {
			if err != nil {
				return nil, err
			}
			known[eventKey{p.EntityID, p.Time}] = true
		}
	}
	return known, nil
}

// count counts what became of points.
func (r *influxRecord) count(outcomes []Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range outcomes {
		switch o.Result {
		case Stored:
			r.health.Stored++
		case Duplicate:
			r.health.Duplicates++
		case Rejected:
			r.health.Rejected++
		}
	}
}

// refusal is a point of a batch that the server will never take.
type refusal struct {
	index  int
	reason string
}

// write writes points and returns those that were refused. Where the error is not nil, these are the ones that
// were found until then, and some of the others may have been written; writing them again does no harm. A batch that is refused is halved until what is
// wrong is found, as one version stores the rest of it and the other nothing.
func (i *Influx) write(ctx context.Context, l *layout, points []Point) ([]refusal, error) {
	if len(points) == 0 {
		return nil, nil
	}
	lines, refusals := l.lines(points)
	err := i.writeLines(ctx, lines)
	switch {
	case err == nil:
		return refusals, nil
	case faultOf(err) != refused:
		return refusals, err
	case len(points) == 1 || allDropped(err, len(points)-len(refusals)):
		return refuseAll(len(points), err), nil
	}
	half := len(points) / 2
	refusals, err = i.write(ctx, l, points[:half])
	if err != nil {
		return refusals, err
	}
	rest, err := i.write(ctx, l, points[half:])
	for _, r := range rest {
		refusals = append(refusals, refusal{half + r.index, r.reason})
	}
	return refusals, err
}

func refuseAll(n int, err error) []refusal {
	refusals := make([]refusal, n)
	for k := range refusals {
		refusals[k] = refusal{k, err.Error()}
	}
	return refusals
}
