package relay

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// follower begins the names of those who forward to an InfluxDB. What follows says to which, as another one was
// given nothing.
const follower = "influxdb "

// What is sent when.
const (
	batchPoints = 5000
	batchEvery  = time.Second // where there are fewer points than that
	firstPause  = time.Second // after a failure; then twice as much each time,
	longPause   = time.Minute // until this, and always where somebody has to change a setting
	lookEvery   = 2 * time.Second
	tellEvery   = 10 * time.Second // the embedded store how far we are: each time is a page written to the disk
	restPause   = 30 * time.Second // where nothing is to be forwarded
)

// Run forwards points in the order in which they came until ctx ends, and returns nil. Where it ends in the
// middle of a batch, the same batch is written again the next time, which leaves each point there once.
func (s *Store) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		s.wait(ctx, s.step(ctx))
	}
	return nil
}

// wait waits, and sees meanwhile how much there is to forward.
func (s *Store) wait(ctx context.Context, pause time.Duration) {
	end := time.After(pause)
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-time.After(lookEvery):
		}
	}
}

// step forwards a batch, and says how long to wait for the next.
func (s *Store) step(ctx context.Context) time.Duration {
	writes, err := s.writes(ctx)
	if err == nil && !writes {
		return s.rest(ctx)
	}
	p, out := s.follow(ctx) // what comes is to be kept, also where it is not known yet what for
	if out != nil {
		return batchEvery // the embedded store says by itself what is wrong
	}
	s.see(p)
	n := 0
	if err == nil {
		n, err = s.forward(ctx)
	}
	if err != nil {
		return s.failed(ctx, err)
	}
	s.fine(true)
	if n == s.batch {
		return 0
	}
	return batchEvery
}

// writes says whether points are forwarded, which depends on what is there already.
func (s *Store) writes(ctx context.Context) (bool, error) {
	if s.Write != Auto {
		return s.Write == Always, nil
	}
	return s.Influx.IsOurs(ctx)
}

// follow registers with the embedded store, so that points stay until they are forwarded, and lets go who forwarded
// to another server.
func (s *Store) follow(ctx context.Context) (embedded.Progress, error) {
	p, err := s.Embedded.Progress(ctx, s.name)
	if err != nil || s.follows && p.GivenFrom != history.Forever {
		return p, err
	}
	if err := s.Embedded.Follow(ctx, s.name, false); err != nil {
		return p, err
	}
	if err := leave(ctx, s.Embedded, s.name); err != nil {
		return p, err
	}
	s.follows = true
	return s.Embedded.Progress(ctx, s.name)
}

// rest is what is done where nothing is forwarded: nothing is kept for InfluxDB, and whether it can be asked is seen.
func (s *Store) rest(ctx context.Context) time.Duration {
	if err := leave(ctx, s.Embedded, ""); err != nil {
		return batchEvery
	}
	s.follows = false
	if err := s.Influx.Probe(ctx); err != nil {
		return s.failed(ctx, err)
	}
	s.fine(false)
	return restPause
}

// Leave sees to it that nothing is kept for an InfluxDB any more. It tries until it can, or ctx ends, and returns nil.
func Leave(ctx context.Context, from *embedded.Store) error {
	for leave(ctx, from, "") != nil {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(batchEvery):
		}
	}
	return nil
}

// leave lets go all who forward to an InfluxDB, but for one.
func leave(ctx context.Context, from *embedded.Store, except string) error {
	names, err := from.Followers(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, follower) && name != except {
			err = errors.Join(err, from.Unfollow(ctx, name))
		}
	}
	return err
}

// forward forwards a batch, and returns how many points it had.
func (s *Store) forward(ctx context.Context) (int, error) {
	entries, err := s.Embedded.Entries(ctx, s.passed, s.batch)
	if err != nil {
		return 0, nil // the embedded store says by itself what is wrong
	}
	points := make([]history.Point, len(entries))
	for i, e := range entries {
		points[i] = e.Point
	}
	if err := s.Rename(ctx, points); err != nil {
		return 0, err
	}
	outcomes, err := s.Influx.Overwrite(ctx, points)
	if err != nil {
		return 0, err
	}
	s.tally(points, outcomes)
	if len(entries) > 0 {
		s.passed = entries[len(entries)-1].ID
	}
	s.tell(ctx, len(entries))
	return len(entries), nil
}

// tell tells the embedded store how far we are. What it was not told is forwarded again by the next process.
func (s *Store) tell(ctx context.Context, n int) {
	if s.passed == s.told || n < s.batch && time.Since(s.toldAt) < tellEvery {
		return
	}
	if s.Embedded.Pass(ctx, s.name, s.passed) == nil {
		s.told, s.toldAt = s.passed, time.Now()
	}
}

// fine notes that all is well.
func (s *Store) fine(writing bool) {
	s.tries = 0
	s.note(func(f *Forwarding) {
		if f.Problem != "" {
			s.Log.Info("InfluxDB can be used again")
		}
		f.Writing, f.Problem, f.Since = writing, "", time.Time{}
		if !writing {
			f.Buffered, f.Lag = 0, 0
		}
	})
}

// failed notes why nothing was forwarded, and says for how long not to try.
func (s *Store) failed(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	s.tries++
	s.note(func(f *Forwarding) {
		if f.Since.IsZero() {
			f.Since = time.Now().UTC()
			s.Log.Warn("InfluxDB cannot be used", "error", err)
		}
		f.Problem = err.Error()
	})
	var u *db.Unavailable
	if errors.As(err, &u) && u.Reason == history.InfluxDenied {
		return longPause
	}
	return max(history.RetryAfter(err), pauseAfter(s.tries))
}

// pauseAfter is a pause at random up to one that doubles with each failure, so that many who wait for the same
// server do not come back at once.
func pauseAfter(tries int) time.Duration {
	longest := min(longPause, firstPause<<min(tries-1, 10))
	return time.Duration(rand.Int64N(int64(longest))) + time.Millisecond
}
