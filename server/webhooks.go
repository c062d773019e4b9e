package server

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/db/deliveries"
	"dataapi/internal/webhook"
)

// webhookStates and deliveryStates are what the filter status may be.
var (
	webhookStates  = []string{"active", "disabled"}
	deliveryStates = []string{"retrying", "delivered", "failed"}
)

func (s *Server) listWebhooks(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[db.Webhook](q, r, "webhooks", 100, 1000)
	p := db.ListWebhooksParams{After: l.after, Status: q.choice("status", webhookStates), Lim: l.limit + 1}
	if err := q.err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListWebhooks(r.Context(), p)
	return listed(l, rows, err, func(w *db.Webhook) string { return w.ID }, func() (int64, error) {
		return s.DB.CountWebhooks(r.Context(), p.Status)
	})
}

// webhookParts are what include may name.
var webhookParts = []string{"lag"}

// getWebhook answers with the webhook, and with how far it is behind, as of now, where include asks for that.
func (s *Server) getWebhook(r *http.Request) (any, error) {
	q := parse(r)
	include := q.words("include", webhookParts)
	row, err := parsedSingle(q, r, "webhook", "webhook_id", s.DB.GetWebhook)
	if err != nil || include == nil {
		return row, err
	}
	lag, err := s.Webhooks.Lag(r.Context(), pathID(r, "webhook_id"))
	return fresh{http.StatusOK, extended{row, []addition{{"lag", lag}}}}, ofWebhook(pathID(r, "webhook_id"), err)
}

// createWebhook registers a webhook for what happens from now on. Its secret is in this answer and in no other.
func (s *Server) createWebhook(r *http.Request) (any, error) {
	input, err := s.webhookIn(r, webhookMembers, nil)
	if err != nil {
		return nil, err
	}
	input.keep()
	w, err := s.register(r.Context(), input)
	return fresh{http.StatusCreated, extended{w, []addition{{"secret", input.secret}}}}, err
}

// register stores a webhook, and starts to tell it. Where many register at a time, they share a commit: what each
// of them writes is a row of its own, under an id that nobody else has.
func (s *Server) register(ctx context.Context, input webhookInput) (w db.Webhook, err error) {
	states := s.statesNow(ctx, wantsStates(input.Events))
	err = s.DB.WriteRow(ctx, func(q *db.Queries) error {
		log, err := q.ChangeLog(ctx)
		if err != nil {
			return err
		}
		_, err = q.CreateWebhook(ctx, db.CreateWebhookParams{
			WebhookID: input.ID, Url: input.Url, Events: input.Events, Filter: input.Filter, Team: input.Team,
			Secret: input.secret, Since: log.Newest.String(), StatesSince: states,
		})
		if err == nil && input.Status == "disabled" {
			err = q.UpdateWebhook(ctx, input.update())
		}
		if err == nil {
			w, err = q.GetWebhook(ctx, input.ID)
		}
		return err
	})
	s.Webhooks.Registered()
	return w, err
}

// statesNow is from where on a webhook is told of states that begins to want them. It is "" where it does not, or that
// cannot be seen now: the dispatcher sees it later.
func (s *Server) statesNow(ctx context.Context, wanted bool) string {
	if !wanted {
		return ""
	}
	return s.Webhooks.StatesNow(ctx)
}

func wantsStates(text dbtype.JSON) bool {
	var events webhook.Events
	return json.Unmarshal([]byte(text), &events) == nil && events.WantStates()
}

func (s *Server) patchWebhook(r *http.Request) (any, error) {
	var after db.Webhook
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	members, err := s.object(r, maxWebhook)
	if err != nil {
		return nil, err
	}
	states := s.statesNow(r.Context(), true)
	err = s.changeWebhook(r, func(q *db.Queries, before db.Webhook) error {
		input, err := s.overlay(r, members, changeableMembers, &before)
		if err == nil {
			err = q.UpdateWebhook(r.Context(), input.update())
		}
		if err == nil && !wantsStates(before.Events) && wantsStates(input.Events) {
			err = q.BeginStates(r.Context(), db.BeginStatesParams{StatesSince: states, WebhookID: before.ID})
		}
		if err == nil {
			after, err = q.GetWebhook(r.Context(), before.ID)
		}
		return err
	})
	return stored{status: http.StatusOK, value: after}, err
}

// deleteWebhook answers with what is no more.
func (s *Server) deleteWebhook(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	var gone db.Webhook
	err := s.changeWebhook(r, func(q *db.Queries, before db.Webhook) error {
		gone = before
		_, err := q.DeleteWebhook(r.Context(), before.ID)
		return err
	})
	if err == nil {
		s.Webhooks.Forget(r.Context(), gone.ID) // or its deliveries are forgotten as they grow old
	}
	return fresh{http.StatusOK, gone}, err
}

// rotateWebhook gives a webhook a new secret, which is in this answer and in no other.
func (s *Server) rotateWebhook(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	var after db.Webhook
	secret := webhook.NewSecret()
	err := s.changeWebhook(r, func(q *db.Queries, before db.Webhook) error {
		_, err := q.RotateWebhook(r.Context(), db.RotateWebhookParams{Secret: secret, WebhookID: before.ID})
		if err == nil {
			after, err = q.GetWebhook(r.Context(), before.ID)
		}
		return err
	})
	return fresh{http.StatusOK, extended{after, []addition{{"secret", secret}}}}, err
}

// changeWebhook changes the webhook in the path, if it is what If-Match says.
func (s *Server) changeWebhook(r *http.Request, change func(*db.Queries, db.Webhook) error) error {
	id := pathID(r, "webhook_id")
	err := s.DB.Write(r.Context(), func(q *db.Queries) error {
		before, err := q.GetWebhook(r.Context(), id)
		if err == nil {
			err = ifMatch(r, before)
		}
		if err == nil {
			err = change(q, before)
		}
		return err
	})
	s.Webhooks.Registered()
	return ofWebhook(id, err)
}

// ofWebhook names the webhook that is missing.
func ofWebhook(id string, err error) error {
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		return missing{noun: "webhook", id: id}
	}
	return err
}

// testWebhook sends a message that is of no change, and answers with what came of it.
func (s *Server) testWebhook(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	id := pathID(r, "webhook_id")
	d, err := s.Webhooks.Test(r.Context(), id)
	return fresh{http.StatusOK, d}, ofWebhook(id, err)
}

func (s *Server) replayDelivery(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	id, message := pathID(r, "webhook_id"), pathID(r, "delivery_id")
	if _, err := s.DB.GetWebhook(r.Context(), id); err != nil {
		return nil, ofWebhook(id, err)
	}
	d, err := s.Webhooks.Replay(r.Context(), id, message)
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		err = missing{noun: "delivery of this webhook", id: message}
	}
	return fresh{http.StatusAccepted, d}, err
}

// listDeliveries lists what a webhook was sent, the newest first.
func (s *Server) listDeliveries(r *http.Request) (any, error) {
	q := parse(r)
	l := listingOf[deliveries.Delivery](q, r, "deliveries", 100, 1000)
	before, err := strconv.ParseInt(l.after, 10, 64)
	if l.after == "" {
		before, err = math.MaxInt64, nil
	}
	if err != nil {
		q.refuse("cursor", "is not a cursor of this list")
	}
	status := q.choice("status", deliveryStates)
	if err := q.err(); err != nil {
		return nil, err
	}
	id := pathID(r, "webhook_id")
	if _, err := s.DB.GetWebhook(r.Context(), id); err != nil {
		return nil, ofWebhook(id, err)
	}
	rows, err := s.Webhooks.Deliveries.ListDeliveries(r.Context(), deliveries.ListDeliveriesParams{
		WebhookID: id, Status: status, Before: before, Lim: l.limit + 1,
	})
	return listed(l, rows, err, func(d *deliveries.Delivery) string { return fmt.Sprint(d.Key) }, func() (int64, error) {
		return s.Webhooks.Deliveries.CountDeliveries(r.Context(), deliveries.CountDeliveriesParams{WebhookID: id, Status: status})
	})
}

// haWebhooks are webhooks as the service before this one listed them.
type haWebhooks struct {
	Webhooks []db.HAWebhook `json:"webhooks"`
	Count    int            `json:"count"`
}

func (s *Server) listHAWebhooks(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	rows, err := s.DB.ListHAWebhooks(r.Context(), db.ListHAWebhooksParams{Lim: -1})
	return haWebhooks{rows, len(rows)}, err
}

// registerHAWebhook registers a webhook as the service before this one did: its sender chose the secret.
func (s *Server) registerHAWebhook(r *http.Request) (any, error) {
	input, err := s.webhookIn(r, haWebhookMembers, nil)
	if err != nil {
		return nil, err
	}
	input.keep()
	if _, err = s.register(r.Context(), input); err != nil {
		return nil, err
	}
	w, err := s.DB.GetHAWebhook(r.Context(), input.ID)
	return fresh{http.StatusOK, w}, err
}

// webhookInput is what a webhook is to be.
type webhookInput struct {
	db.Webhook
	secret string
}

// keep makes up what was not given.
func (w *webhookInput) keep() {
	w.ID = rand.Text()
	if w.secret == "" {
		w.secret = webhook.NewSecret()
	}
}

func (w webhookInput) update() db.UpdateWebhookParams {
	return db.UpdateWebhookParams{Url: w.Url, Events: w.Events, Filter: w.Filter, Team: w.Team, Status: w.Status, WebhookID: w.ID}
}

// newWebhook is one of which nothing has been said.
var newWebhook = db.Webhook{Filter: dbtype.JSON("{}"), Status: "active"}
