package server

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// nextPage is the path that the Link header gives, which must agree with next_cursor; "" on the last page.
func (c *caller) nextPage(from string, a response) string {
	c.Helper()
	cursor, _ := a.json()["next_cursor"].(string)
	link := a.header.Get("Link")
	if cursor == "" || link == "" {
		if cursor != link {
			c.Fatalf("%s: next_cursor %q, Link %q", from, cursor, link)
		}
		return ""
	}
	next, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	before, _ := url.Parse(from)
	after, err := url.Parse(next)
	if !ok || err != nil || !strings.HasPrefix(next, "/") || after.EscapedPath() != before.EscapedPath() {
		c.Fatalf("%s: Link %q", from, link)
	}
	want, got := before.Query(), after.Query()
	want.Set("cursor", cursor)
	if got.Encode() != want.Encode() {
		c.Fatalf("%s: Link has the parameters %v, want %v", from, got, want)
	}
	return next
}

// walk follows Link from path to the end and returns all ids; between is called after each page.
func (c *caller) walk(path, noun, member string, between func(page int)) []string {
	c.Helper()
	var ids []string
	for page := 1; path != ""; page++ {
		a := c.get(path).want(200)
		list := a.json()
		if list["count"] != float64(len(list[noun].([]any))) {
			c.Fatalf("%s: count %v of %d", path, list["count"], len(list[noun].([]any)))
		}
		ids = append(ids, idsIn(list, noun, member)...)
		path = c.nextPage(path, a)
		between(page)
	}
	return ids
}

func numbered(first, end int, format string) string {
	var items []string
	for i := first; i < end; i++ {
		items = append(items, fmt.Sprintf(format, i))
	}
	return "[" + strings.Join(items, ",") + "]"
}

// TestWalkWhileRowsComeAndGo follows Link while another writer inserts and deletes rows before and after
// the cursor: what is there all the time is seen once, and nothing is seen twice.
func TestWalkWhileRowsComeAndGo(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.pushOnly("devices", numbered(0, 200, `{"id":"d%04d"}`))
	shell := c.shell()
	deleted := map[string]bool{}
	ids := c.walk("/api/v1/devices?limit=7&manufacturer=Unknown&fields=device_id", "devices", "device_id", func(page int) {
		for _, n := range []int{3 * page, 199 - 2*page} {
			id := fmt.Sprintf("d%04d", n)
			deleted[id] = true
			if _, err := shell.Exec("DELETE FROM devices WHERE device_id = ?", id); err != nil {
				t.Fatal(err)
			}
		}
		c.pushOnly("devices", fmt.Sprintf(`[{"id":"a%04d"},{"id":"d%04d+"},{"id":"z%04d"}]`, page, 10*page, page))
	})
	if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("not in order, or twice: %v", ids)
	}
	for i := range 200 {
		id := fmt.Sprintf("d%04d", i)
		if !deleted[id] && !slices.Contains(ids, id) {
			t.Errorf("%s was skipped", id)
		}
	}
}

// TestWalkEveryList walks each list one by one, over ids that need escapes, and compares it with all at once.
func TestWalkEveryList(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	c.pushOnly("devices", `[{"id":"a/b c"},{"id":"ä"},{"id":"Z"},{"id":"😀"},{"id":"<&>\""},{"id":"`+strings.Repeat("l", 4000)+`"}]`)
	c.pushOnly("entities", `[{"entity_id":"sensor.`+strings.Repeat("l", 248)+`"},{"entity_id":"sensor.zz"}]`)
	for _, list := range []string{"floors floors floor_id", "labels labels label_id", "areas areas area_id", "devices devices device_id",
		"entities entities entity_id", "config_entries config_entries entry_id"} {
		var path, noun, member string
		fmt.Sscan(list, &path, &noun, &member)
		whole := idsIn(c.row("/api/v1/"+path+"?limit=1000"), noun, member)
		for limit := 1; limit <= len(whole)+1; limit++ {
			got := c.walk(fmt.Sprintf("/api/v1/%s?limit=%d", path, limit), noun, member, func(int) {})
			if !slices.Equal(got, whole) || !slices.IsSorted(got) {
				t.Errorf("%s by %d: got %q, want %q", path, limit, got, whole)
			}
		}
	}
}

func TestPageOfAliases(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	got := c.walk("/api/integrations?limit=1&total=true", "integrations", "entry_id", func(int) {})
	if want := []string{"e1", "e2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestLinkKeepsParameters walks with values that need escapes, and with one that would begin a new header.
func TestLinkKeepsParameters(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	maker := "ä &+%;=\r\nX-Evil: 1>"
	c.pushOnly("devices", numbered(0, 5, `{"id":"d%d","manufacturer":"ä &+%%;=\r\nX-Evil: 1>"}`))
	path := "/api/devices?total=true&fields=device_id&fields=name&limit=2&manufacturer=" + url.QueryEscape(maker)
	if got := c.walk(path, "devices", "device_id", func(int) {}); len(got) != 5 {
		t.Errorf("got %v", got)
	}
	if a := c.get(path); a.header.Get("X-Evil") != "" {
		t.Errorf("header %v", a.header)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.pushOnly("devices", numbered(0, 1001, `{"id":"d%04d"}`))
	c.pushOnly("entities", numbered(0, 10001, `{"entity_id":"sensor.s%05d"}`))
	for _, test := range []struct {
		path         string
		limit, count float64
	}{
		{"/api/v1/devices", 100, 100},
		{"/api/v1/devices?limit=1", 1, 1},
		{"/api/devices?limit=1000", 1000, 1000},
		{"/api/v1/entities", 100, 100},
		{"/api/entities?limit=10000", 10000, 10000},
		{"/api/v1/devices?limit=1000&cursor=" + sealCursor("devices", "d0999"), 1000, 1},
		{"/api/v1/devices?cursor=" + sealCursor("devices", "d1000"), 100, 0},
	} {
		list := c.row(test.path)
		if list["limit"] != test.limit || list["count"] != test.count {
			t.Errorf("%s: limit %v, count %v, want %v and %v", test.path, list["limit"], list["count"], test.limit, test.count)
		}
		if _, has := list["total"]; has {
			t.Errorf("%s: a total that nobody asked for", test.path)
		}
	}
	if total := c.row("/api/v1/entities?total=true&limit=3")["total"]; total != 10001.0 {
		t.Errorf("total %v", total)
	}
	for _, bad := range []string{"devices?limit=1001", "entities?limit=10001", "devices?limit=0", "devices?limit=-1", "devices?limit=1e2",
		"devices?limit=", "devices?limit=9999999999999999999999", "devices?limit=1&limit=2", "areas?limit=1001", "devices?limit=5%00"} {
		if got := c.get("/api/v1/" + bad).badFields(); !slices.Equal(got, []string{"limit"}) {
			t.Errorf("%s: fields %v", bad, got)
		}
	}
}

func TestBadCursors(t *testing.T) {
	t.Parallel()
	c := furnish(inMemory(t))
	good := sealCursor("devices", "bare")
	for _, bad := range []string{"", "x", "!!!!", "bare", good[1:], sealCursor("entities", "light.lamp"), sealCursor("device", "s/bare"),
		base64.StdEncoding.EncodeToString([]byte("devices/bare?>")), good + "&cursor=" + good} {
		if got := c.get("/api/v1/devices?cursor=" + bad).badFields(); !slices.Equal(got, []string{"cursor"}) {
			t.Errorf("%q: fields %v", bad, got)
		}
	}
	if got := c.get("/api/integrations?cursor=" + sealCursor("config_entries", "e1")).badFields(); len(got) != 1 {
		t.Errorf("fields %v", got)
	}
}

// TestNoRows holds empty lists to be lists.
func TestNoRows(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, rt := range c.server.Routes() {
		if noun, ok := strings.CutPrefix(rt.Path, "/api/v1/"); ok && rt.Method == "GET" && !strings.ContainsAny(noun, "{/") && !slices.Contains([]string{"changes", "history", "home", "search"}, noun) && !aboutThePast(rt.Path) {
			want := fmt.Sprintf(`{"%s":[],"count":0,"limit":100,"next_cursor":null,"total":0}`+"\n", noun)
			if got := string(c.get(rt.Path + "?total=true").want(200).body); got != want {
				t.Errorf("%s: got %s, want %s", rt.Path, got, want)
			}
		}
	}
}
