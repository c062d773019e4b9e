package server

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/db"
)

// followed returns a caller of a server whose database is watched, as that of the service is.
func followed(t *testing.T) *caller {
	t.Helper()
	c := inFile(t)
	c.follow()
	eventually(t, "the log is followed", func() bool {
		_, err := c.db.AwaitChanges(t.Context(), db.ChangeQuery{Limit: 1}, time.Millisecond)
		return err == nil
	})
	return c
}

// follow runs the database until the test ends.
func (c *caller) follow() {
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.db.Run(ctx) }()
	c.Cleanup(func() {
		end()
		if err := <-done; err != nil {
			c.Error("Run:", err)
		}
	})
}

// pageOfChanges is a page of the feed as clients read it.
func (c *caller) changes(query string) (page struct {
	changes    []string // "kind.action id"
	next, link string
	more       bool
	last       float64
}) {
	c.Helper()
	a := c.get("/api/v1/changes?" + query).want(200)
	list := a.json()
	for _, item := range list["changes"].([]any) {
		change := item.(map[string]any)
		page.changes = append(page.changes, fmt.Sprintf("%s.%s %s", change["kind"], change["action"], change["id"]))
	}
	page.next, page.more, page.last = list["next_cursor"].(string), list["more"].(bool), list["last_seq"].(float64)
	if page.link = a.header.Get("Link"); page.more != (page.link != "") || page.more && !strings.Contains(page.link, url.QueryEscape(page.next)) {
		c.Errorf("%s: more is %v, Link is %q", query, page.more, page.link)
	}
	return page
}

// allChanges collects all pages from a query on.
func (c *caller) allChanges(query string) (all []string, next string) {
	c.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		c.Fatal(err)
	}
	for {
		page := c.changes(values.Encode())
		all, next = append(all, page.changes...), page.next
		if !page.more {
			return all, next
		}
		values.Set("since", next)
	}
}

func (c *caller) wantChanges(query string, want ...string) (next string) {
	c.Helper()
	got, next := c.allChanges(query)
	if !slices.Equal(got, want) {
		c.Errorf("%s: got %v, want %v", query, got, want)
	}
	return next
}

func TestChangesInPages(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"a","name":"A","area_id":"hall"},{"id":"b","name":"B"}]`)
	c.pushOnly("entities", `[{"entity_id":"light.a","device_id":"a"}]`)
	middle := c.wantChanges("kind=device", "device.created a", "device.created b")
	c.pushOnly("devices", `[{"id":"b","name":"Bee"}]`)
	c.shell().Exec("DELETE FROM devices WHERE device_id = 'b'")
	all := []string{"area.created hall", "device.created a", "device.created b", "entity.created light.a", "device.updated b", "device.deleted b"}
	for limit := 1; limit <= 7; limit++ {
		end := c.wantChanges(fmt.Sprint("limit=", limit), all...)
		if again := c.changes("since=" + end); len(again.changes) > 0 || again.next != end || again.last != 6 {
			t.Errorf("after the end: got %+v", again)
		}
	}
	c.wantChanges("since="+middle, all[4:]...)
	c.wantChanges("until="+middle, all[:4]...)
	c.wantChanges("kind=area,entity&limit=1", all[0], all[3])
	c.wantChanges("id=b&limit=2", all[2], all[4], all[5])
	c.wantChanges("id=b&kind=entity")
	c.wantChanges("since=-1h", all...)
	c.wantChanges("until=-1h")
	c.wantChanges("since="+time.Now().Add(time.Hour).Format(time.RFC3339), []string{}...)
	c.wantChanges(fmt.Sprint("since=", time.Now().Add(-time.Minute).UnixMilli()), all...)
}

func TestNetChanges(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", `[{"id":"stays","name":"1"},{"id":"same","name":"1"},{"id":"goes","name":"1"}]`)
	begin := c.changes("").next
	c.pushOnly("devices", `[{"id":"same","name":"2"},{"id":"new","name":"1"},{"id":"brief","name":"1"},{"id":"stays","name":"2"}]`)
	c.shell().Exec("DELETE FROM devices WHERE device_id IN ('goes', 'brief'); UPDATE devices SET name = '1' WHERE device_id = 'same'; UPDATE devices SET name = '3' WHERE device_id IN ('stays', 'new')")
	want := []string{"device.deleted goes", "device.updated stays", "device.created new"}
	if got, _ := c.allChanges("collapse=true&since=" + begin); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("got %v, want %v", got, want)
	}
	got, next := []string{}, "&since="+begin
	for more := true; more; {
		page := c.changes("collapse=true&limit=1" + next)
		c.pushOnly("devices", fmt.Sprintf(`[{"id":"stays","name":"later %d"}]`, len(got))) // which is no matter of this difference
		got, more, next = append(got, page.changes...), page.more, "&since="+url.QueryEscape(page.next)
	}
	if !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("page by page: got %v, want %v", got, want)
	}
	c.wantChanges("limit=1"+next, "device.updated stays", "device.updated stays", "device.updated stays")
	whole := c.get("/api/v1/changes?collapse=true&id=stays").want(200).json()["changes"].([]any)
	if after := whole[0].(map[string]any); len(whole) != 1 || after["before"] != nil || after["after"].(map[string]any)["name"] != "later 2" {
		t.Errorf("got %v", whole)
	}
}

func TestWaitingForChanges(t *testing.T) {
	t.Parallel()
	c := followed(t)
	end := c.changes("").next
	if page := c.changes("wait=1&since=" + end); len(page.changes) > 0 || page.next != end {
		t.Errorf("nothing came: got %+v", page)
	}
	for name, write := range map[string]func(){
		"by this process": func() { c.pushOnly("devices", `[{"id":"mine"}]`) },
		"by another":      func() { c.shell().Exec("INSERT INTO devices (device_id) VALUES ('theirs')") },
	} {
		answer := make(chan []string, 1)
		go func() { answer <- c.changes("wait=60&kind=device&since=" + end).changes }()
		select {
		case got := <-answer:
			t.Errorf("%s: got %v before it was written", name, got)
		case <-time.After(50 * time.Millisecond):
		}
		write()
		if got := <-answer; len(got) != 1 || !strings.HasPrefix(got[0], "device.created ") {
			t.Errorf("%s: got %v", name, got)
		}
		end = c.changes("since=" + end).next
	}
}

// A cursor that cannot be followed is told so at once, also by whoever would wait.
func TestGoneCursors(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.pushOnly("devices", `[{"id":"a"},{"id":"b"},{"id":"c"}]`)
	first, err := c.db.ChangesBetween(context.Background(), db.ChangeQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	p := first.Log.Newest
	c.shell().Exec("UPDATE change_log SET pruned_seq = 2, pruned_at = (SELECT at FROM changes WHERE seq = 2); DELETE FROM changes WHERE seq <= 2")
	for since, reason := range map[string]string{
		first.Next.String(): "pruned",
		"-7d":               "pruned",
		db.Position{LogID: "000000000000", Seq: p.Seq, At: p.At}.String():  "other_log",
		db.Position{LogID: p.LogID, Seq: p.Seq, At: p.At + 1}.String():     "other_log",
		db.Position{LogID: p.LogID, Seq: p.Seq + 1, At: p.At + 1}.String(): "beyond",
	} {
		for _, query := range []string{"since=" + since, "wait=60&since=" + since, "collapse=true&since=" + since, "until=" + since} {
			if got := c.get("/api/v1/changes?" + query).problem(410)["reason"]; got != reason {
				t.Errorf("%s: got %v, want %s", query, got, reason)
			}
		}
		if got := c.get("/api/v1/devices/a/changes?since=" + since).problem(410)["reason"]; got != reason {
			t.Errorf("of a device, since %s: got %v, want %s", since, got, reason)
		}
	}
	c.wantChanges("", "device.created c")
}

func TestBadRequestsForChanges(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for query, want := range map[string][]string{
		"since=yesterday&until=1.2&kind=devices&limit=0&wait=61&collapse=1": {"collapse", "kind", "limit", "since", "until", "wait"},
		"since=": {"since"}, "since=-7d&since=-8d": {"since"}, "since=--7d": {"since"}, "since=-99999999d": {"since"}, "since=9223372036854775808": {"since"},
		"since=99999999999999999": {"since"}, "kind=": {"kind"}, "kind=device,": {"kind"}, "id=": {"id"}, "cursor=a": {"cursor"},
		"wait=1&until=-1h": {"wait"}, "wait=1&collapse=true": {"wait"}, "since=a.1.1~a.1.1~1": {"since"}, "collapse=true&since=a.1.1~a.1.1": {"since"},
	} {
		if got := c.get("/api/v1/changes?" + query).badFields(); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	for _, path := range []string{"/api/v1/devices/a/changes?wait=1", "/api/v1/entities/a.b/changes?kind=device"} {
		c.get(path).problem(422)
	}
}

// The changes of a row are those under all of its ids, whichever is asked for.
func TestChangesOfARow(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("entities", `[{"entity_id":"light.old","id":"r1"},{"entity_id":"light.other","id":"r2"}]`)
	c.shell().Exec("UPDATE entities SET entity_id = 'light.new' WHERE entity_id = 'light.old'; DELETE FROM entities WHERE entity_id = 'light.new'")
	for _, id := range []string{"light.old", "light.new"} {
		var got []string
		for _, item := range c.row("/api/v1/entities/" + id + "/changes?since=-1h")["changes"].([]any) {
			got = append(got, item.(map[string]any)["action"].(string))
		}
		if want := []string{"created", "updated", "deleted"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
	}
	for _, path := range []string{"/api/v1/entities/light.nobody/changes", "/api/v1/devices/light.old/changes"} {
		c.get(path).problem(404)
	}
	c.pushOnly("devices", `[{"id":"a/b"}]`)
	c.shell().Exec("DELETE FROM changes")
	if list := c.row("/api/v1/devices/a%2Fb/changes"); len(list["changes"].([]any)) > 0 {
		t.Errorf("of a row that the log does not know: got %v", list)
	}
}
