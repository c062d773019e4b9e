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

// Webhooks is the name of the follower for webhooks, each of which knows by itself how far it is.
const Webhooks = "webhooks"

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
	p, err := h.Progress(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.Entries(ctx, p.Passed, limit)
}

// Entries returns the first entries after one, for followers who know by themselves where they are, and say it now
// and then.
func (h *Store) Entries(ctx context.Context, after int64, limit int) ([]Entry, error) {
	rows, err := h.db.ListEntries(ctx, historydb.ListEntriesParams{After: after, Lim: int64(limit)})
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

// Followers are the names of all who are registered, in order.
func (h *Store) Followers(ctx context.Context) ([]string, error) {
	rows, err := h.db.ListFollowers(ctx)
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	return names, err
}

// Progress is how far a follower is.
type Progress struct {
	GivenFrom history.Micros // points from then on were all given to it, if they are not Unpassed; Forever where it is not registered
	Passed    int64          // the last entry that it has passed
	Unpassed  int64          // how many came after that,
	Since     history.Micros // and the time of the first of them
	Dropped   int64          // how many were given up before it had passed them
	Empty     bool           // whether nothing ever came, to any follower
}

// Progress tells how far a follower is, who need not be registered.
func (h *Store) Progress(ctx context.Context, name string) (Progress, error) {
	f, err := h.db.GetFollowing(ctx, name)
	return Progress{
		GivenFrom: history.Micros(f.GivenFrom), Passed: f.ID, Unpassed: max(f.Newest-f.ID, 0), Since: history.Micros(f.Since),
		Dropped: f.Dropped, Empty: f.Newest == 0,
	}, err
}

// After returns of what time the entries after id are: from <= Time < until, which is no time at all where there
// are none.
func (h *Store) After(ctx context.Context, id int64) (from, until history.Micros, err error) {
	span, err := h.db.SpanAfter(ctx, id)
	return history.Micros(span.Earliest), history.Micros(span.Latest) + 1, err
}

func reasonOf(err error) db.Reason {
	var u *db.Unavailable
	if errors.As(db.Classify(err), &u) {
		return u.Reason
	}
	return ""
}
