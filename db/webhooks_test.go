package db

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func hook(id string) CreateWebhookParams {
	return CreateWebhookParams{
		WebhookID: id, Url: "http://receiver/" + id, Events: `["entity.*"]`, Filter: `{}`, Secret: "whsec_" + id, Since: "log.0.0",
	}
}

// register registers webhooks, and says how many of them are new.
func register(t *testing.T, d *DB, hooks ...CreateWebhookParams) (created int64) {
	t.Helper()
	for _, h := range hooks {
		err := d.Write(ctx, func(q *Queries) error {
			n, err := q.CreateWebhook(ctx, h)
			created += n
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return created
}

// change changes the webhook a.
func change(t *testing.T, d *DB, fn func(*Queries) (int64, error)) (counted int64) {
	t.Helper()
	err := d.Write(ctx, func(q *Queries) (err error) {
		counted, err = fn(q)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return counted
}

func webhookOf(t *testing.T, d *DB) Webhook {
	t.Helper()
	w, err := d.GetWebhook(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func targetOf(t *testing.T, d *DB) WebhookTarget {
	t.Helper()
	w, err := d.GetWebhookTarget(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestRegisteredOnce(t *testing.T) {
	d := inMemory(t)
	began, long := timeText(time.Now().Add(-time.Second)), "2020-11-01T09:00:00.000000Z"
	b := hook("b")
	b.CreatedAt = &long
	want(t, "created", register(t, d, b, hook("a")), 2)
	again := hook("a")
	again.Url, again.Secret = "http://elsewhere", "whsec_other"
	want(t, "created again", register(t, d, again), 0)
	want(t, "url", webhookOf(t, d).Url, "http://receiver/a")
	want(t, "secret", targetOf(t, d).Secret, "whsec_a")
	rows, err := d.ListWebhooks(ctx, ListWebhooksParams{Lim: 1})
	if err != nil || len(rows) != 1 || rows[0].ID != "a" || rows[0].Status != "active" || rows[0].Reason != nil || rows[0].CreatedAt < began {
		t.Errorf("%+v, %v", rows, err)
	}
	old, err := d.ListHAWebhooks(ctx, ListHAWebhooksParams{After: "a", Lim: 9})
	if err != nil || len(old) != 1 || old[0].WebhookUrl != "http://receiver/b" || old[0].CreatedAt != long {
		t.Errorf("%+v, %v", old, err)
	}
}

// What goes wrong with a webhook is no reason to keep it in the change log, where its secret would be.
func TestWebhooksAreNotLogged(t *testing.T) {
	d := inMemory(t)
	register(t, d, hook("a"))
	change(t, d, func(q *Queries) (int64, error) { return q.DeleteWebhook(ctx, "a") })
	log, err := d.ChangeLog(ctx)
	if err != nil || log.Newest.Seq != 0 {
		t.Errorf("%+v, %v; want an empty log", log, err)
	}
}

func TestWebhookRefusals(t *testing.T) {
	d := inMemory(t)
	for name, spoil := range map[string]func(*CreateWebhookParams){
		"no id":          func(h *CreateWebhookParams) { h.WebhookID = "" },
		"no secret":      func(h *CreateWebhookParams) { h.Secret = "" },
		"no events":      func(h *CreateWebhookParams) { h.Events = "" },
		"events no list": func(h *CreateWebhookParams) { h.Events = `"*"` },
		"filter a list":  func(h *CreateWebhookParams) { h.Filter = `[]` },
		"filter no JSON": func(h *CreateWebhookParams) { h.Filter = `{` },
	} {
		h := hook("a")
		spoil(&h)
		err := d.Write(ctx, func(q *Queries) error { _, err := q.CreateWebhook(ctx, h); return err })
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// updated writes the webhook a as it is, but for what edit changes.
func updated(t *testing.T, d *DB, edit func(*UpdateWebhookParams)) Webhook {
	t.Helper()
	w := webhookOf(t, d)
	p := UpdateWebhookParams{Url: w.Url, Events: w.Events, Filter: w.Filter, Team: w.Team, Status: w.Status, WebhookID: w.ID}
	edit(&p)
	change(t, d, func(q *Queries) (int64, error) { return 0, q.UpdateWebhook(ctx, p) })
	return webhookOf(t, d)
}

func TestStatusOfAWebhook(t *testing.T) {
	d := inMemory(t)
	register(t, d, hook("a"), hook("b"))
	execute(t, d, "UPDATE webhooks SET active_since = 'once', updated_at = 'once'")
	if w := updated(t, d, func(*UpdateWebhookParams) {}); w.UpdatedAt != "once" {
		t.Error("an update that changes nothing is one")
	}
	if w := updated(t, d, func(p *UpdateWebhookParams) { p.Events = `["*"]` }); w.Events != `["*"]` || w.UpdatedAt == "once" {
		t.Errorf("%+v", w)
	}
	want(t, "active since", targetOf(t, d).ActiveSince, "once")
	if w := updated(t, d, func(p *UpdateWebhookParams) { p.Url = "http://new" }); w.Url != "http://new" || targetOf(t, d).ActiveSince == "once" {
		t.Errorf("%+v: another receiver has failed for as long as the one before", w)
	}

	disable := func(url, reason string) int64 {
		return change(t, d, func(q *Queries) (int64, error) {
			return q.DisableWebhook(ctx, DisableWebhookParams{Reason: &reason, WebhookID: "a", Url: url})
		})
	}
	want(t, "disabled, of another URL", disable("http://receiver/a", "gone"), 0)
	want(t, "disabled", disable("http://new", "failing"), 1)
	want(t, "disabled once more", disable("http://new", "gone"), 0)
	states, err := d.CountWebhookStates(ctx)
	if err != nil || states != (CountWebhookStatesRow{Active: 1, Disabled: 1, Failing: 1}) {
		t.Errorf("%+v, %v", states, err)
	}
	active, err := d.ListWebhookTargets(ctx)
	if err != nil || len(active) != 1 || active[0].WebhookID != "b" {
		t.Errorf("%+v, %v; want b alone", active, err)
	}
	disabled := "disabled"
	n, err := d.CountWebhooks(ctx, &disabled)
	if err != nil || n != 1 {
		t.Errorf("%d disabled, %v", n, err)
	}
	if w := updated(t, d, func(p *UpdateWebhookParams) { p.Status = "disabled" }); *w.Reason != "failing" {
		t.Errorf("the reason is %q", *w.Reason)
	}
	if w := updated(t, d, func(p *UpdateWebhookParams) { p.Status = "active" }); w.Status != "active" || w.Reason != nil {
		t.Errorf("%+v", w)
	}
	if w := updated(t, d, func(p *UpdateWebhookParams) { p.Status = "disabled" }); *w.Reason != "user" {
		t.Errorf("the reason is %q", *w.Reason)
	}
}

func TestRotatedSecret(t *testing.T) {
	d := inMemory(t)
	register(t, d, hook("a"))
	before := targetOf(t, d)
	if before.OldSecret != "" || before.OldSecretUntil != "" {
		t.Errorf("%+v", before)
	}
	rotate := func(id string) int64 {
		return change(t, d, func(q *Queries) (int64, error) {
			return q.RotateWebhook(ctx, RotateWebhookParams{Secret: "whsec_new", WebhookID: id})
		})
	}
	want(t, "rotated", rotate("a"), 1)
	want(t, "rotated of nobody", rotate("nobody"), 0)
	after := targetOf(t, d)
	if after.Secret != "whsec_new" || after.OldSecret != "whsec_a" ||
		after.OldSecretUntil < timeText(time.Now().Add(23*time.Hour)) || after.OldSecretUntil > timeText(time.Now().Add(25*time.Hour)) {
		t.Errorf("%+v", after)
	}
	if shown := webhookOf(t, d); *shown.OldSecretUntil != after.OldSecretUntil {
		t.Errorf("%+v", shown)
	}
}

func TestDeletedWebhook(t *testing.T) {
	d := inMemory(t)
	register(t, d, hook("a"), hook("b"))
	remove := func() int64 {
		return change(t, d, func(q *Queries) (int64, error) { return q.DeleteWebhook(ctx, "a") })
	}
	want(t, "deleted", remove(), 1)
	want(t, "deleted again", remove(), 0)
	ids, err := d.GetWebhookIDs(ctx)
	if err != nil || ids != `["b"]` {
		t.Errorf("%s, %v", ids, err)
	}
	if _, err := d.GetWebhook(ctx, "a"); !errors.Is(Classify(err), ErrNotFound) {
		t.Error(err)
	}
}

// Views are public: what anybody may read holds no secret.
func TestViewsOfWebhooksHoldNoSecret(t *testing.T) {
	d := inMemory(t)
	register(t, d, hook("a"))
	for _, view := range []string{"webhooks_view", "ha_webhooks_view"} {
		if rows := rowsOf(t, d.reader.pool, "SELECT * FROM "+view); rows == "" || strings.Contains(rows, "whsec_") {
			t.Errorf("%s: %q", view, rows)
		}
	}
}
