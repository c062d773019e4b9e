package deliveries_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/db/history"
)

var quiet = slog.New(slog.DiscardHandler)

func opened(t *testing.T) *deliveries.DB {
	t.Helper()
	d := deliveries.Prepare(db.DefaultConfig(db.Memory), quiet)
	t.Cleanup(func() { d.Close() })
	if err := d.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, d *deliveries.DB, fn func(*deliveries.Queries) error) {
	t.Helper()
	if err := d.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// at is a moment of these tests.
func at(n int) string { return fmt.Sprintf("2026-11-01T09:00:%02d.000000Z", n) }

// delivery is one to a webhook that was noted at a moment; due is when it is to be sent again.
func delivery(webhook, message, status string, noted int, due ...int) deliveries.SaveDeliveryParams {
	p := deliveries.SaveDeliveryParams{WebhookID: webhook, MessageID: message, Status: status, Attempts: 1, CreatedAt: at(noted), UpdatedAt: at(noted)}
	if len(due) > 0 {
		next := at(due[0])
		p.NextAt = &next
	}
	return p
}

func save(t *testing.T, d *deliveries.DB, all ...deliveries.SaveDeliveryParams) {
	t.Helper()
	for _, p := range all {
		write(t, d, func(q *deliveries.Queries) error {
			m := deliveries.SaveMessageParams{MessageID: p.MessageID, Event: "entity.updated", Body: `{"of":"` + p.WebhookID + `"}`, CreatedAt: p.CreatedAt}
			return errors.Join(q.SaveMessage(t.Context(), m), q.SaveDelivery(t.Context(), p))
		})
	}
}

// list lists the messages that a webhook was sent.
func list(t *testing.T, d *deliveries.DB, p deliveries.ListDeliveriesParams) string {
	t.Helper()
	rows, err := d.ListDeliveries(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return strings.Join(ids, " ")
}

func all(webhook string, status ...string) deliveries.ListDeliveriesParams {
	p := deliveries.ListDeliveriesParams{WebhookID: webhook, Before: math.MaxInt64, Lim: 100}
	if len(status) > 0 {
		p.Status = &status[0]
	}
	return p
}

func TestFilesOfDeliveriesAreTheirOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhooks.db")
	first := deliveries.Prepare(db.DefaultConfig(path), quiet)
	if err := first.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	save(t, first, delivery("a", "m1", "delivered", 1))
	first.Close()
	var u *db.Unavailable
	metadata, past := db.Prepare(db.DefaultConfig(path), quiet), history.Prepare(db.DefaultConfig(path), quiet)
	defer metadata.Close()
	defer past.Close()
	for _, err := range []error{metadata.Open(t.Context()), past.Open(t.Context())} {
		if !errors.As(err, &u) || u.Reason != db.Foreign {
			t.Errorf("%v, want it refused as foreign", err)
		}
	}
	again := deliveries.Prepare(db.DefaultConfig(path), quiet)
	defer again.Close()
	if err := again.Open(t.Context()); err != nil || list(t, again, all("a")) != "m1" {
		t.Errorf("%v, %q", err, list(t, again, all("a")))
	}
	if s := again.Status(t.Context()); !s.Readable || !s.Writable || s.Schema == "" {
		t.Errorf("%+v", s)
	}
}

func TestListDeliveries(t *testing.T) {
	d := opened(t)
	save(t, d, delivery("a", "m1", "delivered", 1), delivery("a", "m2", "failed", 2), delivery("b", "m1", "delivered", 3),
		delivery("a", "m3", "retrying", 4, 9), delivery("a", "m4", "delivered", 5))
	for _, c := range []struct {
		params deliveries.ListDeliveriesParams
		want   string
	}{
		{all("a"), "m4 m3 m2 m1"},
		{all("b"), "m1"},
		{all("nobody"), ""},
		{all("a", "delivered"), "m4 m1"},
		{all("a", "failed"), "m2"},
		{all("a", "retrying"), "m3"},
		{deliveries.ListDeliveriesParams{WebhookID: "a", Before: math.MaxInt64, Lim: 2}, "m4 m3"},
		{deliveries.ListDeliveriesParams{WebhookID: "a", Before: 4, Lim: 9}, "m2 m1"},
	} {
		if got := list(t, d, c.params); got != c.want {
			t.Errorf("%+v: %q, want %q", c.params, got, c.want)
		}
		n, err := d.CountDeliveries(t.Context(), deliveries.CountDeliveriesParams{WebhookID: c.params.WebhookID, Status: c.params.Status})
		if wanted := len(strings.Fields(list(t, d, all(c.params.WebhookID)))); c.params.Status == nil && (err != nil || n != int64(wanted)) {
			t.Errorf("%+v: %d counted, %v, want %d", c.params, n, err, wanted)
		}
	}
}

func due(t *testing.T, d *deliveries.DB, aside bool) string {
	t.Helper()
	row, err := d.GetDue(t.Context(), deliveries.GetDueParams{WebhookID: "a", Aside: aside})
	if errors.Is(err, sql.ErrNoRows) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(row.MessageID, " ", row.NextAt, " ", row.Attempts, " ", row.Body)
}

func TestDue(t *testing.T) {
	d := opened(t)
	beside := delivery("a", "m2", "retrying", 2, 8)
	beside.Aside = true
	sooner := delivery("a", "m3", "retrying", 2, 7)
	sooner.Aside = true
	save(t, d, delivery("b", "m1", "delivered", 1), delivery("a", "m1", "retrying", 2, 9), beside, sooner, delivery("a", "m4", "failed", 3))
	if got, want := due(t, d, false), "m1 "+at(9)+` 1 {"of":"b"}`; got != want {
		t.Errorf("of the line %s, want %s, with the body that is kept", got, want)
	}
	if got := due(t, d, true); !strings.HasPrefix(got, "m3 ") {
		t.Errorf("aside %s, want m3", got)
	}
	write(t, d, func(q *deliveries.Queries) error {
		return q.HastenDeliveries(t.Context(), deliveries.HastenDeliveriesParams{Now: at(8), WebhookID: "a"})
	})
	if got := due(t, d, false); !strings.HasPrefix(got, "m1 "+at(8)) {
		t.Errorf("of the line %s, want it at once", got)
	}
	if got := due(t, d, true); !strings.HasPrefix(got, "m3 "+at(7)) {
		t.Errorf("aside %s, want what was due", got)
	}
}

func TestReplay(t *testing.T) {
	d := opened(t)
	waiting := delivery("a", "m3", "retrying", 3, 9)
	waiting.Attempts = 4
	save(t, d, delivery("a", "m1", "delivered", 1), delivery("a", "m2", "failed", 2), waiting)
	replay := func(message string) (n int64) {
		write(t, d, func(q *deliveries.Queries) (err error) {
			n, err = q.ReplayDelivery(t.Context(), deliveries.ReplayDeliveryParams{Now: at(5), WebhookID: "a", MessageID: message})
			return err
		})
		return n
	}
	if n := replay("nothing"); n != 0 {
		t.Errorf("%d of nothing", n)
	}
	for message, want := range map[string]string{"m1": "m1 " + at(5) + " 0", "m2": "m2 " + at(5) + " 0"} {
		if n, got := replay(message), due(t, d, true); n != 1 || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %d, aside is %s", message, n, got)
		}
		save(t, d, delivery("a", message, "delivered", 6))
	}
	if n, got := replay("m3"), due(t, d, false); n != 1 || !strings.HasPrefix(got, "m3 "+at(5)+" 4") {
		t.Errorf("%d, in the line is %s; want it to stay there, and due at once", n, got)
	}
}

func TestPrune(t *testing.T) {
	d := opened(t)
	save(t, d, delivery("a", "m1", "delivered", 1), delivery("a", "m2", "failed", 2), delivery("a", "m3", "retrying", 2, 30),
		delivery("b", "m1", "delivered", 9), delivery("a", "m4", "delivered", 9), delivery("gone", "m5", "retrying", 3, 30))
	for _, webhook := range []string{"a", "gone", "gone since"} {
		noted := at(1)
		if webhook == "gone since" {
			noted = at(9)
		}
		write(t, d, func(q *deliveries.Queries) error {
			return q.SaveLine(t.Context(), deliveries.SaveLineParams{WebhookID: webhook, UpdatedAt: noted})
		})
	}
	for range 3 {
		write(t, d, func(q *deliveries.Queries) error {
			_, err := q.PruneDeliveries(t.Context(), deliveries.PruneDeliveriesParams{Before: at(5), Ids: `["a","b"]`, Lim: 2})
			return err
		})
	}
	write(t, d, func(q *deliveries.Queries) error {
		messages, err := q.PruneMessages(t.Context(), deliveries.PruneMessagesParams{Before: at(5), Lim: 9})
		if messages != 2 || err != nil {
			t.Errorf("%d messages, %v; want m2 and m5 to be forgotten", messages, err)
		}
		lines, err := q.PruneLines(t.Context(), deliveries.PruneLinesParams{Before: at(5), Ids: `["a","b"]`})
		if lines != 1 || err != nil {
			t.Errorf("%d lines, %v; want the one that is long gone", lines, err)
		}
		return nil
	})
	for webhook, want := range map[string]string{"a": "m4 m3", "b": "m1", "gone": ""} {
		if got := list(t, d, all(webhook)); got != want {
			t.Errorf("%s: %q, want %q", webhook, got, want)
		}
	}
}

func TestForgottenWebhook(t *testing.T) {
	d := opened(t)
	save(t, d, delivery("a", "m1", "delivered", 1), delivery("b", "m1", "delivered", 1))
	since := at(3)
	write(t, d, func(q *deliveries.Queries) error {
		for _, webhook := range []string{"a", "b"} {
			err := q.SaveLine(t.Context(), deliveries.SaveLineParams{WebhookID: webhook, Cursor: "log.1.1", FailingSince: &since, UpdatedAt: at(1)})
			if err != nil {
				return err
			}
		}
		return errors.Join(q.ForgetDeliveries(t.Context(), "a"), q.ForgetLine(t.Context(), "a"))
	})
	if got := list(t, d, all("a")) + list(t, d, all("b")); got != "m1" {
		t.Errorf("%q, want that of b", got)
	}
	if _, err := d.GetLine(t.Context(), "a"); !errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
	failing, err := d.CountFailing(t.Context(), `["a","b","c"]`)
	if err != nil || failing != (deliveries.CountFailingRow{Failing: 1, Since: since}) {
		t.Errorf("%+v, %v", failing, err)
	}
	if none, err := d.CountFailing(t.Context(), `["c"]`); err != nil || none != (deliveries.CountFailingRow{}) {
		t.Errorf("%+v, %v", none, err)
	}
}

// Statuses are three, and what is retried has a time.
func TestRefusals(t *testing.T) {
	d := opened(t)
	for _, p := range []deliveries.SaveDeliveryParams{
		delivery("a", "m1", "sent", 1), delivery("a", "m1", "retrying", 1), delivery("a", "m1", "delivered", 1, 2),
	} {
		err := d.Write(t.Context(), func(q *deliveries.Queries) error { return q.SaveDelivery(t.Context(), p) })
		if !errors.Is(err, db.ErrConflict) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if list(t, d, all("a")) != "" {
		t.Error("something was stored")
	}
}
