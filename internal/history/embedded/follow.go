package embedded

import (
	"context"
	"errors"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Entry is a point in the order in which points came. IDs rise, with gaps.
type Entry struct {
	ID int64
	history.Point
}

// Follow registers a follower, who is to see every point that comes from now on, or also those that are
// there already. Points stay until each follower has passed them, or there are more than Config.Spill.
// Who is registered already goes on where it was.
func (h *Store) Follow(ctx context.Context, name string, fromNow bool) error {
	p := historydb.AddFollowerParams{Name: name}
	if fromNow {
		p.FromNow = 1
	}
	return h.db.Write(ctx, func(q *historydb.Queries) error { return q.AddFollower(ctx, p) })
}

// Unfollow lets a follower go.
func (h *Store) Unfollow(ctx context.Context, name string) error {
	return h.db.Write(ctx, func(q *historydb.Queries) error { return q.RemoveFollower(ctx, name) })
}

// Unpassed returns the first entries that a follower has not passed. Attributes are not among them.
func (h *Store) Unpassed(ctx context.Context, name string, limit int) ([]Entry, error) {
	rows, err := h.db.ListUnpassed(ctx, historydb.ListUnpassedParams{Name: name, Lim: int64(limit)})
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = Entry{r.ID, history.Point{
			EntityID: r.EntityID, RegistryID: r.RegistryID, Time: history.Micros(r.At), State: r.State, Context: value(r.Context)}}
	}
	return entries, err
}

// Pass notes that a follower has done with the entries up to id.
func (h *Store) Pass(ctx context.Context, name string, id int64) error {
	return h.db.Write(ctx, func(q *historydb.Queries) error {
		return q.PassFollower(ctx, historydb.PassFollowerParams{Name: name, ID: id})
	})
}

func reasonOf(err error) db.Reason {
	var u *db.Unavailable
	if errors.As(db.Classify(err), &u) {
		return u.Reason
	}
	return ""
}
