package dispatch

import (
	"context"
	"math"
	"slices"
	"time"

	"dataapi/db"
	"dataapi/internal/history/embedded"
)

// How states are followed.
const (
	lookStates = time.Second           // for those that other processes store
	lookPause  = 2 * time.Millisecond  // between two looks, at least,
	wakePause  = 50 * time.Microsecond // and for each that is woken
	holdEvery  = 10 * time.Second      // each time is a page written to the disk
)

// watcher wakes those who want states when there are some, and has the history keep them until they were sent.
type watcher struct {
	*Dispatcher
	last    db.Position // that it woke them for
	holding bool        // the history knows that it keeps states for us,
	passed  int64       // up to which of them we do not need them any more,
	heldAt  time.Time   // and when it was told that
	asked   bool        // whether it knows us was found out
}

// watch follows the history until ctx ends.
func (d *Dispatcher) watch(ctx context.Context) error {
	w := watcher{Dispatcher: d}
	for ctx.Err() == nil {
		arrived := d.Past.Arrived()
		woken := w.look(ctx)
		pause(ctx, lookPause+time.Duration(woken)*wakePause)
		select {
		case <-ctx.Done():
		case <-arrived:
		case <-time.After(lookStates):
		}
	}
	return nil
}

// look wakes those who can send states, if there are any, and says how many.
func (w *watcher) look(ctx context.Context) (woken int) {
	wanting := w.wanting()
	if len(wanting) > 0 {
		if at, err := w.Past.Newest(ctx); err == nil && at != w.last {
			w.last = at
			for _, e := range wanting {
				if !e.asleep.Load() {
					woken++
					e.wake()
				}
			}
		}
	}
	if len(wanting) > 0 != w.holding || !w.asked || time.Since(w.heldAt) >= holdEvery {
		w.hold(ctx, wanting) // or the next time
	}
	return woken
}

// wanting are those who run and want states.
func (d *Dispatcher) wanting() (all []*endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.running {
		if e.wantsStates {
			all = append(all, e)
		}
	}
	return all
}

// hold has the history keep what is not sent yet, as long as somebody wants states.
func (w *watcher) hold(ctx context.Context, wanting []*endpoint) error {
	if !w.asked {
		names, err := w.Past.Followers(ctx)
		if err != nil {
			return err
		}
		w.asked, w.holding = true, slices.Contains(names, embedded.Webhooks)
	}
	switch {
	case len(wanting) == 0 && w.holding:
		if err := w.Past.Unfollow(ctx, embedded.Webhooks); err != nil {
			return err
		}
		w.holding = false
	case len(wanting) > 0 && !w.holding:
		if err := w.Past.Follow(ctx, embedded.Webhooks, false); err != nil {
			return err
		}
		w.holding, w.passed = true, 0
	}
	w.heldAt = time.Now()
	if least := w.least(wanting); w.holding && least > w.passed && least < math.MaxInt64 {
		if err := w.Past.Pass(ctx, embedded.Webhooks, least); err != nil {
			return err
		}
		w.passed = least
	}
	return nil
}

// least is the first row that is noted to be sent to somebody after it; 0 where that is not known of all.
func (w *watcher) least(wanting []*endpoint) int64 {
	least := int64(math.MaxInt64)
	for _, e := range wanting {
		p := e.place.Load()
		if p == nil {
			return 0
		}
		if p.notedStates.LogID == w.last.LogID { // whoever is in another file has to begin anew
			least = min(least, p.notedStates.Seq)
		}
	}
	return least
}
