package history

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"
)

// Last returns the newest points. See Store. InfluxDB holds no attributes but in the layout homeiq.
func (i *Influx) Last(ctx context.Context, series []Series, at Micros) ([]Row, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	rows, err := i.newestOf(ctx, l, series, at, "")
	return rows, storeError(ctx, err)
}

// newestOf returns for each series the newest point at or before at, of those that a condition lets pass, in
// the order of series.
func (i *Influx) newestOf(ctx context.Context, l *layout, series []Series, at Micros, condition string) ([]Row, error) {
	newest := map[int]Row{}
	for _, batch := range batches(spansOf(series, Always, min(at, Forever-1)+1)) {
		if err := i.newestIn(ctx, l, batch, condition, newest); err != nil {
			return nil, err
		}
	}
	return inOrder(newest, len(series)), nil
}

func inOrder(newest map[int]Row, n int) []Row {
	rows := make([]Row, 0, len(newest))
	for series := range n {
		if row, ok := newest[series]; ok {
			rows = append(rows, row)
		}
	}
	return rows
}

// How far newestIn looks back first: what is asked for is mostly near.
var lookBack = []Micros{24 * Hour, 30 * 24 * Hour}

// newestIn finds the newest points of a batch of spans, looking further and further back for those that have
// none.
func (i *Influx) newestIn(ctx context.Context, l *layout, batch []span, condition string, newest map[int]Row) error {
	until := batch[0].until
	for n := 0; len(batch) > 0; n++ {
		from := batch[0].from
		if n < len(lookBack) {
			from = max(from, min(until, At(time.Now()))-lookBack[n])
		}
		found := map[int]bool{}
		series := seriesByID(batch)
		s := l.during(batch)
		s.columns, s.start, s.condition, s.tail = l.fields(true), from, condition, l.group()+newestFirst+influxLimit(1)
		for p, err := range i.points(ctx, s) {
			if err != nil {
				return err
			}
			if n, ok := series[p.EntityID]; ok {
				found[n] = true
				take(newest, Row{n, p.Point})
			}
		}
		if from == batch[0].from {
			return nil
		}
		batch = slices.DeleteFunc(slices.Clone(batch), func(s span) bool { return found[s.series] })
	}
	return nil
}

// take keeps the newest row of each series.
func take(newest map[int]Row, row Row) {
	if known, ok := newest[row.Series]; !ok || known.Time < row.Time {
		newest[row.Series] = row
	}
}

// Buckets sums points up as they arrive: what InfluxQL calls a mean is another one. See Store.
func (i *Influx) Buckets(ctx context.Context, q BucketQuery) iter.Seq2[Bucket, error] {
	return Summarize(q, func(yield func(Row, error) bool) {
		before, err := i.Before(ctx, q)
		if err != nil {
			yield(Row{}, err)
			return
		}
		Merge(i.Range(ctx, q.Points()), Rows(before))(yield)
	})
}

// onlyKnown is the condition for a state that tells something (IsKnown), which a number does. A field that is
// not there says no.
func (l *layout) onlyKnown() string {
	var fields []string
	for _, field := range l.states {
		column := l.column(field)
		if field == l.number {
			fields = append(fields, column+" < 0 OR "+column+" >= 0")
		} else {
			fields = append(fields, column+" !~ /^(?:unknown|unavailable)$/")
		}
	}
	return " AND (" + strings.Join(fields, " OR ") + ")"
}

// Before returns what holds when the first bucket begins, series by series: the newest point before, and for
// changes in front of it the newest that is known, where that is another.
func (i *Influx) Before(ctx context.Context, q BucketQuery) ([]Row, error) {
	l, err := i.layout(ctx)
	if err != nil {
		return nil, storeError(ctx, err)
	}
	rows, err := i.beforeIn(ctx, l, q)
	return rows, storeError(ctx, err)
}

func (i *Influx) beforeIn(ctx context.Context, l *layout, q BucketQuery) ([]Row, error) {
	rows, err := i.newestOf(ctx, l, q.Series, q.Edges[0]-1, "")
	if err != nil || q.Parts&Changes == 0 {
		return rows, err
	}
	var lost []Series // those whose newest state says nothing
	var places []int
	for _, row := range rows {
		if !IsKnown(row.State) {
			lost, places = append(lost, q.Series[row.Series]), append(places, row.Series)
		}
	}
	known, err := i.newestOf(ctx, l, lost, q.Edges[0]-1, l.onlyKnown())
	for _, row := range known {
		row.Series = places[row.Series]
		rows = append(rows, row)
	}
	slices.SortFunc(rows, Row.compare)
	return rows, err
}
