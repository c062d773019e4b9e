// Package relay puts the embedded store in front of InfluxDB. Points are taken by the embedded store, which needs
// nobody, and forwarded from there, so that an outage of InfluxDB loses none; and questions are answered from
// both as if they were one.
package relay

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// Config is what a Store is made of.
type Config struct {
	Embedded *embedded.Store
	Influx   *history.Influx
	// Rename gives points the names that their entities had at their times, as the embedded store has only the
	// last ones. Where the metadata cannot be asked, that is no error.
	Rename func(context.Context, []history.Point) error
	Write  Write
	Log    *slog.Logger
}

// Write says whether points are forwarded.
type Write string

// Auto forwards only what would come among our own: it leaves data that others write as they write it.
const (
	Auto   Write = ""
	Always Write = "true"
	Never  Write = "false"
)

// Store is a history.Store on both. What was forwarded is asked from InfluxDB, and the embedded store only for
// the times of which it has points that were not.
//
// Where InfluxDB cannot be asked, what the embedded store has is the answer, with a *history.Partial as its
// error; and where it has nothing, the answer is the error. The other way round it is the same.
type Store struct {
	Config
	name  string // as a follower of the embedded store
	batch int    // points that are forwarded at once

	mu    sync.Mutex
	state Forwarding

	// Of Run alone.
	follows bool
	tries   int   // that failed in a row
	passed  int64 // the last entry that InfluxDB was given,
	told    int64 // and the last one of which the embedded store knows that
	toldAt  time.Time
}

var _ history.Store = (*Store)(nil)

// New returns a store that forwards while Run runs.
func New(c Config) *Store {
	return &Store{Config: c, name: follower + c.Influx.Target(), batch: batchPoints}
}

// Append appends to the embedded store; Run forwards.
func (s *Store) Append(ctx context.Context, points []history.Point) ([]history.Outcome, error) {
	return s.Embedded.Append(ctx, points)
}

// Health is that of the embedded store, which takes the points. InfluxDB's own is beside it (history.Influx,
// Store.Forwarding).
func (s *Store) Health(ctx context.Context) history.Health { return s.Embedded.Health(ctx) }

// Status is the truth about the file of the embedded store.
func (s *Store) Status(ctx context.Context) db.Status { return s.Embedded.Status(ctx) }
