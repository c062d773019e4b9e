package dispatch

import (
	"context"
	"time"

	"dataapi/db/deliveries"
)

// What is kept of deliveries, and how it is forgotten.
const (
	keepFor     = 30 * 24 * time.Hour
	keepEvery   = time.Hour
	forgetAtOne = 500 // rows; so short a transaction is not in the way of others
	forgetPause = 100 * time.Millisecond
)

// keep forgets deliveries as they become old enough, until ctx ends. What fails is tried again later.
func (d *Dispatcher) keep(ctx context.Context) error {
	for ctx.Err() == nil {
		more, err := d.forgetSome(ctx)
		switch {
		case err != nil:
			pause(ctx, time.Minute)
		case more:
			pause(ctx, forgetPause)
		default:
			pause(ctx, keepEvery)
		}
	}
	return nil
}

// forgetSome forgets the oldest deliveries, and says whether there may be more to forget. What webhooks are
// still to be sent is kept, however old.
func (d *Dispatcher) forgetSome(ctx context.Context) (more bool, err error) {
	ids, err := d.Metadata.GetWebhookIDs(ctx)
	if err != nil {
		return false, err
	}
	before := timeText(d.now().Add(-keepFor))
	err = d.Deliveries.Write(ctx, func(q *deliveries.Queries) error {
		n, err := q.PruneDeliveries(ctx, deliveries.PruneDeliveriesParams{Before: before, Ids: ids, Lim: forgetAtOne})
		if err != nil {
			return err
		}
		m, err := q.PruneMessages(ctx, deliveries.PruneMessagesParams{Before: before, Lim: forgetAtOne})
		if err != nil {
			return err
		}
		more = max(n, m) == forgetAtOne
		_, err = q.PruneLines(ctx, deliveries.PruneLinesParams{Before: before, Ids: ids})
		return err
	})
	return more, err
}
