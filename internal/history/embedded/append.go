package embedded

import (
	"context"
	"database/sql"
	"errors"
	"time"

	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Append stores points in one transaction. Batches of hundreds are the cheapest, per point.
func (h *Store) Append(ctx context.Context, points []history.Point) ([]history.Outcome, error) {
	now := time.Now()
	outcomes := make([]history.Outcome, len(points))
	for i := range points {
		outcomes[i] = history.Outcome{Result: history.Stored}
		if reason := points[i].Check(now, h.oldest(now)); reason != "" {
			outcomes[i] = history.Outcome{Result: history.Rejected, Reason: reason}
		}
	}
	err := h.db.Write(ctx, func(q *historydb.Queries) error {
		a := appender{ctx: ctx, q: q, rows: map[[2]string]*rows{}, attributes: map[int64]*history.Point{}}
		for i := range points {
			if outcomes[i].Result == history.Rejected {
				continue
			}
			var err error
			if outcomes[i].Result, err = a.add(&points[i]); err != nil {
				return err
			}
		}
		return a.saveAttributes()
	})
	if err != nil {
		return nil, err
	}
	h.arrival.tell()
	h.count(outcomes)
	return outcomes, nil
}

func (h *Store) count(outcomes []history.Outcome) {
	counts := map[history.Result]int64{}
	for _, o := range outcomes {
		counts[o.Result]++
	}
	h.stored.Add(counts[history.Stored])
	h.duplicates.Add(counts[history.Duplicate])
	h.rejected.Add(counts[history.Rejected])
}

// appender appends the points of one transaction.
type appender struct {
	ctx  context.Context // of the transaction, which the appender does not outlive
	q    *historydb.Queries
	rows map[[2]string]*rows // by registry id and name

	attributes map[int64]*history.Point // the newest point, by row, with or without some
}

// rows are the rows in series of one entity.
type rows struct {
	e      int64   // that new points go to
	others []int64 // that may have some of them already
}

func (a *appender) add(p *history.Point) (history.Result, error) {
	key := [2]string{p.RegistryID, p.EntityID}
	r := a.rows[key]
	if r == nil {
		var err error
		if r, err = a.find(p); err != nil {
			return "", err
		}
		a.rows[key] = r
	}
	if p.Attributes != nil {
		a.note(r.e, p)
	}
	for _, e := range r.others {
		if found, err := a.q.PointExists(a.ctx, historydb.PointExistsParams{E: e, At: int64(p.Time)}); err != nil || found != 0 {
			return history.Duplicate, err
		}
	}
	var cause *string
	if p.Context != "" {
		cause = &p.Context
	}
	n, err := a.q.AppendPoint(a.ctx, historydb.AppendPointParams{E: r.e, At: int64(p.Time), State: p.State, Context: cause})
	if err == nil && n == 0 {
		return history.Duplicate, nil
	}
	a.note(r.e, p)
	return history.Stored, err
}

// note notes the attributes of a point, or that it came without any, so that those before are not taken for its own.
func (a *appender) note(e int64, p *history.Point) {
	if before := a.attributes[e]; before == nil || before.Time <= p.Time {
		a.attributes[e] = p
	}
}

// find finds the rows of an entity, or makes one.
func (a *appender) find(p *history.Point) (*rows, error) {
	if p.RegistryID == "" {
		return a.findName(p)
	}
	// What came under the name before the registry id was known belongs to it from now on.
	if _, err := a.q.BindSeries(a.ctx, historydb.BindSeriesParams{RegistryID: p.RegistryID, EntityID: p.EntityID}); err != nil {
		return nil, err
	}
	delete(a.rows, [2]string{"", p.EntityID})
	found, err := a.q.ListSeriesOfID(a.ctx, p.RegistryID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return a.make(p)
	}
	r := &rows{e: found[0].E}
	for _, f := range found {
		if f.E != r.e {
			r.others = append(r.others, f.E)
		}
		if f.EntityID != p.EntityID && history.Micros(f.NamedAt) <= p.Time {
			delete(a.rows, [2]string{"", f.EntityID})
			err = errors.Join(err, a.q.RenameSeries(a.ctx, historydb.RenameSeriesParams{E: f.E, EntityID: p.EntityID, NamedAt: int64(p.Time)}))
		}
	}
	return r, err
}

func (a *appender) findName(p *history.Point) (*rows, error) {
	found, err := a.q.ListSeriesOfName(a.ctx, p.EntityID)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return a.make(p)
	}
	r := &rows{e: found[0].E}
	for _, f := range found[1:] {
		r.others = append(r.others, f.E)
	}
	return r, nil
}

func (a *appender) make(p *history.Point) (*rows, error) {
	e, err := a.q.AddSeries(a.ctx, historydb.AddSeriesParams{EntityID: p.EntityID, RegistryID: p.RegistryID, NamedAt: int64(p.Time)})
	return &rows{e: e}, err
}

func (a *appender) saveAttributes() error {
	for e, p := range a.attributes {
		var err error
		if p.Attributes == nil {
			err = a.q.ForgetAttributes(a.ctx, historydb.ForgetAttributesParams{E: e, At: int64(p.Time)})
		} else {
			err = a.q.SaveAttributes(a.ctx, historydb.SaveAttributesParams{E: e, At: int64(p.Time), Document: string(p.Attributes)})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// none says whether a query found nothing, and leaves other errors.
func none(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return false, err
}
