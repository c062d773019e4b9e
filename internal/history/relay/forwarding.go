package relay

import (
	"context"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// Forwarding is how far points are forwarded to InfluxDB. Counts are since the start of the process, but for those
// that the embedded store keeps.
type Forwarding struct {
	Writing    bool          // whether points are forwarded at all
	Problem    string        // why they are not now; "" where they are
	Since      time.Time     // since when there is a problem
	Buffered   int64         // points that are yet to be forwarded
	Lag        time.Duration // the age of the oldest of them
	Dropped    int64         // points that were given up, as there were too many; ever
	Forwarded  int64
	Rejected   int64       // points that InfluxDB will not take
	Rejections []Rejection // the first of them
}

// Rejection is a point that InfluxDB refused, and what it said.
type Rejection struct {
	EntityID string
	Time     time.Time
	Reason   string
}

const maxRejections = 10

// Forwarding tells of now, without waiting.
func (s *Store) Forwarding() Forwarding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Store) note(change func(*Forwarding)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
}

// look sees how much there is to forward.
func (s *Store) look(ctx context.Context) {
	if p, err := s.Embedded.Progress(ctx, s.name); err == nil && s.follows {
		s.see(p)
	}
}

// see takes note of how far the embedded store says that we are. Where that is not what it was told, the file is
// another one, or points were given up: we go on from there.
func (s *Store) see(p embedded.Progress) {
	if p.Passed != s.told {
		s.passed, s.told = p.Passed, p.Passed
	}
	buffered := max(0, p.Unpassed-(s.passed-p.Passed))
	var lag time.Duration
	if buffered > 0 {
		lag = max(0, time.Since(p.Since.Time()))
	}
	s.note(func(f *Forwarding) { f.Buffered, f.Dropped, f.Lag = buffered, p.Dropped, lag })
}

// tally counts what became of a batch.
func (s *Store) tally(points []history.Point, outcomes []history.Outcome) {
	var rejected int64
	s.note(func(f *Forwarding) {
		for i, o := range outcomes {
			if o.Result != history.Rejected {
				continue
			}
			rejected++
			if len(f.Rejections) < maxRejections {
				first := f.Rejections[:len(f.Rejections):len(f.Rejections)] // who has the others may go on reading them
				f.Rejections = append(first, Rejection{points[i].EntityID, points[i].Time.Time(), o.Reason})
			}
		}
		f.Rejected += rejected
		f.Forwarded += int64(len(points)) - rejected
	})
	if rejected > 0 {
		s.Log.Warn("points refused by InfluxDB", "count", rejected, "of", len(points))
	}
}
