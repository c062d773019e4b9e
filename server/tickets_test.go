package server

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"dataapi/internal/auth"
)

func (c *caller) ticket(key string) string {
	c.Helper()
	return c.do("POST", "/api/v1/tickets", "", bearer(key)).want(201).json()["ticket"].(string)
}

// A ticket opens a stream, once, with what its key may hear; and nothing else. The stream ends with the key.
func TestTickets(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.server.Guard = guarding(t, c.db).server.Guard
	key, id := c.key("read", "admin")
	plain, _ := c.key("read")
	const events = "Accept: text/event-stream"
	c.do("POST", "/api/v1/tickets", "").wantRefused(401)
	first := c.ticket(key)
	c.get("/api/v1/changes?ticket=" + first).wantRefused(401)
	c.get("/api/v1/home?ticket="+first, events).wantRefused(401)
	c.do("POST", "/internal/devices/bulk_upsert?ticket="+first, "[]", events).wantRefused(401)
	s := c.stream("ticket=" + first)
	c.pushed(t, "heard")
	if e := s.event(); !strings.Contains(e.data, "heard") {
		t.Fatalf("%+v", e)
	}
	c.get("/api/v1/changes?ticket="+first, events).wantRefused(401)
	c.get("/api/v1/changes?kind=preference&ticket="+c.ticket(plain), events).wantRefused(403)
	unused := c.ticket(key)
	c.do("DELETE", "/api/v1/keys/"+id, "", bearer(setting)).want(200)
	c.pushed(t, "not heard")
	for {
		e, err := s.next()
		if err != nil {
			break
		}
		if e.data != "" {
			t.Errorf("heard %+v", e)
		}
	}
	c.get("/api/v1/changes?ticket="+unused, events).wantRefused(401)
	if strings.Contains(c.log.String(), first) || strings.Contains(c.log.String(), unused) {
		t.Error("a ticket is in the log")
	}
}

func TestTicketsGrowOldAndAreBounded(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, _ := c.key("read")
	caller := c.server.Guard.Caller(t.Context(), key, netip.Addr{})
	first, until := c.server.Guard.Ticket(caller)
	if old := c.server.Guard.Redeem(t.Context(), first, until.Add(time.Second)); old.Problem != auth.ErrBadTicket || old.Rights != auth.Anyone {
		t.Errorf("%+v", old)
	}
	first, _ = c.server.Guard.Ticket(caller)
	var last string
	for range 2000 {
		last, _ = c.server.Guard.Ticket(caller)
	}
	if c.server.Guard.Redeem(t.Context(), first, time.Now()).Problem == nil {
		t.Error("the oldest of too many is still good")
	}
	if got := c.server.Guard.Redeem(t.Context(), last, time.Now()); got.Problem != nil || got.KeyID != caller.KeyID || got.Rights != auth.Anyone|auth.Read {
		t.Errorf("%+v", got)
	}
}
