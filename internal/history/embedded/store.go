package embedded

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"dataapi/db"
	historydb "dataapi/db/history"
	"dataapi/internal/history"
)

// Config says where the embedded store keeps its file, and for how long what.
type Config struct {
	DB        db.Config
	Retention time.Duration // of points; 30 days if 0
	Hours     time.Duration // of hours, not less than of points; 10 years if 0
	Spill     int64         // rows that recent may have because a follower has not passed them; 5,000,000 if 0
}

// Store is the history.Store that needs nothing installed: a SQLite file of its own. Whatever happens to the
// file, the metadata does not notice.
//
// Points are appended to the table recent, which costs little, and moved to their places once an hour by
// Run, where also the hours that they are in are summed up. So whatever is asked of the past is in up to
// three places: hours, points, and the end of recent (see tail), and answers are the same wherever the
// borders between these are.
type Store struct {
	db     *historydb.DB
	config Config
	log    *slog.Logger
	tail   tail

	arrival signal

	stored, duplicates, rejected, dropped atomic.Int64
	queries, failures, nanoseconds        atomic.Int64

	mu     sync.Mutex
	health history.Health
}

// New returns a store that is usable as soon as Open or Run has opened its file. Until then, and
// whenever the file cannot be used, its errors are db.ErrUnavailable.
func New(config Config, log *slog.Logger) *Store {
	config.Retention = cmp.Or(config.Retention, 30*24*time.Hour)
	config.Hours = max(config.Retention, cmp.Or(config.Hours, 10*365*24*time.Hour))
	config.Spill = cmp.Or(config.Spill, 5_000_000)
	config.DB.KeepLog = cmp.Or(config.DB.KeepLog, keepLog)
	return &Store{db: historydb.Prepare(config.DB, log), config: config, log: log, arrival: newSignal(), health: history.Health{Status: history.Unknown}}
}

// keepLog is how long points may stay in the write-ahead log. Moving them into the file rewrites a page
// for a few points each time, which is what wears out an SD card.
const keepLog = 30 * time.Second

// Open opens the file once, for programs that do not Run.
func (h *Store) Open(ctx context.Context) error { return h.db.Open(ctx) }

// Close ends all connections, after which every call fails.
func (h *Store) Close() error { return h.db.Close() }

// Status is the truth about the file.
func (h *Store) Status(ctx context.Context) db.Status { return h.db.Status(ctx) }

// Run keeps the file open, moves points to their places and deletes what is too old, until ctx ends. It
// returns nil.
func (h *Store) Run(ctx context.Context) error {
	var g errgroup.Group
	g.Go(func() error { return h.db.Run(ctx) })
	g.Go(func() error { return h.keep(ctx) })
	g.Go(func() error { return h.watch(ctx) })
	return g.Wait()
}

// CopyTo makes a copy of the file, as it is now, where nothing may be yet.
func (h *Store) CopyTo(ctx context.Context, destination string) error {
	return h.db.CopyTo(ctx, destination)
}

// oldest is the oldest time that a point may have: whole hours are kept.
func (h *Store) oldest(now time.Time) history.Micros {
	return history.At(now.Add(-h.config.Retention).Truncate(time.Hour))
}

// observe counts a query.
func (h *Store) observe(start time.Time, err error) {
	h.queries.Add(1)
	h.nanoseconds.Add(int64(time.Since(start)))
	if err != nil {
		h.failures.Add(1)
	}
}

// watch looks every few seconds how the store is, so that Health has not to wait: at once when the file is
// open, as a service that has just started is asked.
func (h *Store) watch(ctx context.Context) error {
	for {
		pause := 2 * time.Second
		if h.look(ctx) == history.Unknown {
			pause = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

func (h *Store) look(ctx context.Context) history.Status {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status := h.db.Status(ctx)
	seen := history.Health{Status: history.Healthy, Version: status.Schema, Detail: status.Detail}
	switch {
	case status.Reason == db.Opening:
		seen.Status = history.Unknown
	case !status.Readable || status.Reason == db.Corrupt:
		seen.Status = history.Unhealthy
	case status.Reason != "":
		seen.Status = history.Degraded
	}
	if followers, err := h.db.ListFollowers(ctx); err == nil {
		for _, f := range followers {
			if f.Name == Webhooks {
				continue // they tell of themselves
			}
			seen.Buffered = max(seen.Buffered, f.Buffered)
			seen.Dropped += f.Dropped
			if f.Buffered > 0 {
				seen.Lag = max(seen.Lag, time.Since(history.Micros(f.Since).Time()))
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	seen.Since = h.health.Since
	if seen.Status != h.health.Status {
		seen.Since = time.Now()
	}
	h.health = seen
	return seen.Status
}

// Health tells how the file is, and how far followers are behind.
func (h *Store) Health(context.Context) history.Health {
	h.mu.Lock()
	health := h.health
	h.mu.Unlock()
	health.Stored, health.Duplicates, health.Rejected = h.stored.Load(), h.duplicates.Load(), h.rejected.Load()
	health.Dropped += h.dropped.Load()
	health.Queries, health.Failures = h.queries.Load(), h.failures.Load()
	health.Time = time.Duration(h.nanoseconds.Load())
	return health
}
