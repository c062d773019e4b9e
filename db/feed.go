package db

import (
	"context"
	"sync"
	"time"
)

// AwaitChanges is ChangesBetween that, where there is nothing yet, waits for up to patience until there is:
// changes by whomever, seen at once where this process makes them. Until must be the zero value. Without
// any, the page is empty, and its Next may still be further on, past changes that are not meant. The error is
// ErrGone also where the log is replaced meanwhile, and ErrUnavailable as soon as Run ends: nobody looks
// before and after.
//
// However many wait, one goroutine looks at the log for all of them, and only while somebody waits.
func (d *DB) AwaitChanges(ctx context.Context, c ChangeQuery, patience time.Duration) (ChangePage, error) {
	patient := time.NewTimer(patience)
	defer patient.Stop()
	for {
		p, err := d.nextChanges(ctx, &c)
		if err != nil || p.More || len(p.Changes) > 0 {
			return *p, err
		}
		switch again, err := d.feed.await(ctx, p.Next, patient.C); {
		case err != nil:
			return ChangePage{}, err
		case !again:
			return *p, nil
		}
		c.Since.Position = p.Next
	}
}

// Newest says where the log ends now. It leaves the reading to the one who looks for all who wait, if there
// is one: thousands may ask at once, and each would need a stack that is large enough for SQLite.
func (d *DB) Newest(ctx context.Context) (Position, error) {
	if looked, err := d.feed.await(ctx, Position{}, time.After(reopenWait)); looked && err == nil {
		if t := d.feed.recent(); t != nil {
			return t.log.Newest, nil
		}
	}
	log, err := d.ChangeLog(ctx)
	return log.Newest, err
}

// nextChanges takes the page from what the feed has at hand, else from the file. It is a pointer, as is the
// query, because those who wait are many: what they keep on their stacks counts.
func (d *DB) nextChanges(ctx context.Context, c *ChangeQuery) (*ChangePage, error) {
	if recent := d.feed.recent(); recent != nil {
		if p, ok := recent.page(c); ok {
			return p, nil
		}
	}
	p, err := d.ChangesBetween(ctx, *c)
	return &p, err
}

// feed tells those who follow the change log when it ends elsewhere.
type feed struct {
	nudges chan struct{} // of one: there is reason to look

	mu      sync.Mutex
	running bool
	waiting map[*waiter]bool
	joined  int64 // how many ever came to wait
	tail    *tail // as of the last look; nil while nobody waits
}

// waiter is somebody who has seen the log up to a position.
type waiter struct {
	seen   Position
	number int64
	over   chan struct{} // closed when there is reason to look again
}

func newFeed() *feed {
	return &feed{nudges: make(chan struct{}, 1), waiting: map[*waiter]bool{}}
}

// await waits until the log ends elsewhere than at seen, or time is up.
func (f *feed) await(ctx context.Context, seen Position, up <-chan time.Time) (again bool, err error) {
	w := &waiter{seen: seen, over: make(chan struct{})}
	if !f.join(w) {
		return false, errNotFollowed
	}
	defer f.leave(w)
	select {
	case <-w.over:
		return true, nil
	case <-up:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

var errNotFollowed = unavailable(Closed, nil, "changes are not followed: data-api is starting or shutting down")

func (f *feed) join(w *waiter) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running {
		f.joined++
		w.number = f.joined
		f.waiting[w] = true
		f.nudge()
	}
	return f.running
}

func (f *feed) leave(w *waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, w)
}

// wanted says how many ever came to wait, and whether any of them still does.
func (f *feed) wanted() (joined int64, now bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.joined, len(f.waiting) > 0
}

func (f *feed) recent() *tail {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tail
}

// nudge has the feed look at once.
func (f *feed) nudge() {
	select {
	case f.nudges <- struct{}{}:
	default:
	}
}

// committed tells the feed of a commit. Where nobody waits for one it costs next to nothing.
func (f *feed) committed() {
	if _, now := f.wanted(); now {
		f.nudge()
	}
}

// run switches the feed on or off. All who wait when it goes off are let go.
func (f *feed) run(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running, f.tail = on, nil
	for w := range f.waiting {
		f.letGo(w)
	}
}

func (f *feed) letGo(w *waiter) {
	close(w.over)
	delete(f.waiting, w)
}

// publish takes in the tail of a look, and lets go all to whom it is news, but not those who came after the
// look began: they may have seen more.
func (f *feed) publish(t *tail, joined int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tail = t
	if t == nil {
		return
	}
	for w := range f.waiting {
		if w.number <= joined && w.seen != t.log.Newest {
			f.letGo(w)
		}
	}
}
