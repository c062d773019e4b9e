package dispatch

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// began is when the states of a test begin: seconds are counted from then.
var began = time.Now().Add(-time.Hour).Truncate(time.Second)

// take has entities take states: "second entity state".
func (b *bed) take(texts ...string) {
	b.Helper()
	var points []history.Point
	for _, text := range texts {
		var second int
		var p history.Point
		if _, err := fmt.Sscan(text, &second, &p.EntityID, &p.State); err != nil {
			b.Fatal(err)
		}
		p.Time = history.At(began.Add(time.Duration(second) * time.Second))
		p.Attributes = fmt.Appendf(nil, `{"second":%d}`, second)
		points = append(points, p)
	}
	outcomes, err := history.Take(b.Context(), b.metadata.Queries, b.past, points)
	if err != nil || slices.ContainsFunc(outcomes, func(o history.Outcome) bool { return o.Result != history.Stored }) {
		b.Fatal(outcomes, err)
	}
}

// listens registers a webhook for states, from now on.
func (b *bed) listens(id, url, filter string) {
	b.Helper()
	b.register(id, url, func(p *db.CreateWebhookParams) {
		p.Events, p.StatesSince = `["state.changed","floor.*"]`, b.d.StatesNow(b.Context())
		if filter != "" {
			p.Filter = dbtype.JSON(filter)
		}
	})
}

// states are those that arrived, as "entity old>new", and what else did.
func (r *receiver) states() string {
	var all []string
	for _, c := range r.got() {
		switch {
		case c.event == gapEvent:
			all = append(all, c.Data.Of+" "+c.Data.Reason)
		case c.Data.NewState == nil:
			all = append(all, c.Data.ID)
		case c.Data.OldState == nil:
			all = append(all, c.Data.EntityID+" ->"+c.Data.NewState.State)
		default:
			all = append(all, c.Data.EntityID+" "+c.Data.OldState.State+">"+c.Data.NewState.State)
		}
	}
	return strings.Join(all, ", ")
}

func (b *bed) arrives(r *receiver, want string) {
	b.Helper()
	defer func() {
		if b.Failed() {
			b.Logf("arrived is %s, want %s", r.states(), want)
		}
	}()
	b.eventually("all states arrive", func() bool { return r.states() == want })
}

// What only brings other attributes is no change of the state.
func TestStatesAreSent(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.take("1 light.a off")
	b.listens("w", r.URL, "")
	b.take("2 light.a on", "3 light.a on", "4 light.b on")
	b.take("5 light.a unavailable")
	b.arrives(r, "light.a off>on, light.b ->on, light.a on>unavailable")
	last := r.got()[2]
	var body struct {
		Type, Timestamp string
		Data            map[string]any
	}
	if err := json.Unmarshal([]byte(last.body), &body); err != nil {
		t.Fatal(err)
	}
	at := history.At(began.Add(5 * time.Second))
	if body.Type != "state.changed" || body.Timestamp != timeText(at.Time()) || body.Data["event_type"] != "state_changed" ||
		body.Data["id"] != fmt.Sprintf("%d.light.a", at) || body.Data["complete"] != true || fmt.Sprint(body.Data["attributes"]) != "map[second:5]" {
		t.Errorf("%s", last.body)
	}
	b.eventually("all are noted", func() bool {
		sent := b.deliveries("w")
		return len(sent) == 3 && sent[0].ID == last.id && sent[0].Event == "state.changed"
	})
}

// The order is that in which states came; what was before is that of the time.
func TestLateStates(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.listens("w", r.URL, "")
	b.take("10 light.a on")
	b.take("20 light.a off")
	b.arrives(r, "light.a ->on, light.a on>off")
	b.take("15 light.a dim", "5 light.a off", "16 light.a dim")
	b.arrives(r, "light.a ->on, light.a on>off, light.a on>dim, light.a ->off")
	b.take("30 light.a off", "25 light.a dim", "40 light.a on")
	b.arrives(r, "light.a ->on, light.a on>off, light.a on>dim, light.a ->off, light.a dim>off, light.a off>dim, light.a off>on")
}

// Where an entity is counts as of now, and who is not in the registry is in no area.
func TestStatesOfAnArea(t *testing.T) {
	b := newBed(t)
	in, none := b.receiver(nil), b.receiver(nil)
	b.entity("light.a", "kitchen")
	b.listens("in", in.URL, `{"area_id":["kitchen"],"to":["on"]}`)
	b.listens("none", none.URL, `{"area_id":["none"],"above":20}`)
	b.take("1 light.a on", "2 light.a off", "3 sensor.x 20", "4 sensor.x 21", "5 sensor.x 22", "6 light.a on")
	b.arrives(in, "light.a ->on, light.a off>on")
	b.arrives(none, "sensor.x 20>21")
	b.entity("light.a", "hall")
	b.take("7 light.a off", "8 light.a on", "9 sensor.x 1", "10 sensor.x 50")
	b.arrives(none, "sensor.x 20>21, sensor.x 1>50")
	b.entity("light.a", "kitchen")
	b.take("11 light.a off", "12 light.a on")
	b.arrives(in, "light.a ->on, light.a off>on, light.a off>on")
	if n := len(in.got()); n != 3 {
		t.Errorf("%d calls: %s", n, in.states())
	}
}

// entity puts an entity into an area.
func (b *bed) entity(id, area string) {
	b.Helper()
	err := b.metadata.Write(b.Context(), func(q *db.Queries) error {
		const at = "2026-01-01T00:00:00.000000Z"
		room, err := q.GetArea(b.Context(), area)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = q.SaveArea(b.Context(), db.SaveAreaParams{Key: room.Key, AreaID: area, Name: area, Aliases: "[]", Labels: "[]", Extra: "{}", CreatedAt: at, UpdatedAt: at})
		if err != nil {
			return err
		}
		there, err := q.GetEntity(b.Context(), id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return q.SaveEntity(b.Context(), db.SaveEntityParams{
			Key: there.Entity.Key, EntityID: id, Platform: "test", AreaID: &area, Labels: "[]", Aliases: "[]", AliasesV2: "[]",
			Categories: "{}", Capabilities: "{}", Options: "{}", Extra: "{}", CreatedAt: at, UpdatedAt: at,
		})
	})
	if err != nil {
		b.Fatal(err)
	}
}

// What came while nobody ran is sent, and what a receiver does not take holds the line of both.
func TestStatesWait(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(503))
	b.listens("w", r.URL, "")
	b.take("1 light.a on")
	b.failing("w", 1)
	b.halt()
	b.take("2 light.a off")
	b.floors("f1")
	b.start()
	b.take("3 light.a on")
	b.halt()
	b.start()
	r.become(nil)
	b.eventually("all arrive", func() bool { b.pass(6 * time.Second); return len(b.deliveries("w")) == 4 && len(r.got()) >= 5 })
	got := slices.CompactFunc(r.got(), func(x, y call) bool { return x.id == y.id && x.body == y.body })
	var states []string
	for _, c := range got {
		if c.Data.NewState != nil {
			states = append(states, c.Data.NewState.State)
		}
	}
	if len(got) != 4 || fmt.Sprint(states) != "[on off on]" {
		t.Errorf("arrived is %s", r.states())
	}
}

// What was given up, as a webhook was too far behind, is told, and what is kept follows.
func TestLostStatesAreTold(t *testing.T) {
	b := newBed(t)
	r := b.receiver(of(503))
	b.listens("w", r.URL, "")
	b.take("0 light.a 0")
	b.failing("w", 1)
	for n := range 3 * spill {
		b.take(fmt.Sprintf("%d light.a %d", n+1, n+1))
	}
	if err := b.past.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.become(nil)
	b.eventually("the last one arrives", func() bool { b.pass(6 * time.Second); return strings.HasSuffix(r.states(), ">30") })
	want := "light.a ->0, states pruned, light.a 20>21, light.a 21>22"
	if got := strings.TrimPrefix(r.states(), "light.a ->0, "); !strings.HasPrefix(got, want) || len(b.deliveries("w")) < 1+spill {
		t.Errorf("arrived is %s", got)
	}
	if !strings.Contains(b.log.String(), "states are lost to a webhook") {
		t.Errorf("the log is %s", b.log)
	}
}

// A history that is another one is told, too, and the change log goes on whatever the history is like.
func TestOtherHistoryIsTold(t *testing.T) {
	b := newBed(t)
	r := b.receiver(nil)
	b.take("1 light.a off")
	b.listens("w", r.URL, "")
	b.take("2 light.a on")
	b.arrives(r, "light.a off>on")
	b.halt()
	b.past.Close()
	b.start()
	b.floors("f1")
	b.arrives(r, "light.a off>on, f1")
	b.halt()
	b.past = embedded.New(embedded.Config{DB: db.DefaultConfig(filepath.Join(t.TempDir(), "history.db"))}, b.d.Log)
	t.Cleanup(func() { b.past.Close() })
	if err := b.past.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.arrives(r, "light.a off>on, f1, states "+string(db.OtherLog))
	b.take("3 light.a on")
	b.arrives(r, "light.a off>on, f1, states "+string(db.OtherLog)+", light.a ->on")
}

// Where nobody knows from when on a webhook wants states, it begins with those that come from now on, and that stays.
func TestStatesBeginNow(t *testing.T) {
	b := newBed(t)
	b.take("1 light.a off")
	r := b.receiver(nil)
	b.register("w", r.URL, func(p *db.CreateWebhookParams) { p.Events = `["state.*"]` })
	b.eventually("it has begun", func() bool {
		line, err := b.sent.GetLine(t.Context(), "w")
		return err == nil && line.States != ""
	})
	b.halt()
	b.take("2 light.a on")
	b.start()
	b.arrives(r, "light.a off>on")
}

// The history keeps what is not sent as long as somebody wants it, and no longer.
func TestStatesAreHeld(t *testing.T) {
	b := newBed(t)
	follows := func() bool {
		names, err := b.past.Followers(t.Context())
		return err == nil && slices.Contains(names, embedded.Webhooks)
	}
	r := b.receiver(of(http.StatusServiceUnavailable))
	b.listens("w", r.URL, "")
	b.eventually("states are kept", follows)
	b.edit("w", func(p *db.UpdateWebhookParams) { p.Status = "disabled" })
	b.eventually("they are not kept", func() bool { return !follows() })
}
