package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
)

// withPast serves an empty home and an empty past, both open and in memory.
func withPast(t testing.TB) *caller {
	t.Helper()
	past := embedded.New(embedded.Config{DB: db.DefaultConfig(db.Memory)}, slog.New(slog.DiscardHandler))
	t.Cleanup(func() { past.Close() })
	if err := past.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return serveDB(t, prepared(t, db.Memory), func(c *Config) { c.History = past })
}

// call has a request answered without a connection in between, so that fuzzing is fast.
func (c *caller) call(t *testing.T, r *http.Request) response {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	w := httptest.NewRecorder()
	c.server.ServeHTTP(w, r.WithContext(ctx))
	a := response{t, w.Code, w.Header(), w.Body.Bytes()}
	if len(a.body) > 0 && strings.HasSuffix(a.header.Get("Content-Type"), "json") && !json.Valid(a.body) {
		t.Errorf("%s %s: %q is no JSON", r.Method, r.URL, a.body)
	}
	if a.status >= 400 && r.Method != http.MethodHead {
		a.problem(a.status)
	}
	return a
}

// sane holds an answer to be of whoever asked, not of us.
func (a response) sane(asked string) {
	a.Helper()
	if a.status >= 500 {
		a.Errorf("%q: %d %s", asked, a.status, a.body)
	}
}

// FuzzRoutes throws query strings and headers at every route that can be read: whatever they are, the answer is one, and
// what is wrong with them is not the fault of the service.
func FuzzRoutes(f *testing.F) {
	c := furnish(withPast(f))
	now := history.At(time.Now().Add(-time.Minute))
	c.server.History.Append(context.Background(), []history.Point{{EntityID: "light.lamp", Time: now, State: "on"}, {EntityID: "light.lamp", Time: now + 1, State: "21.5"}})
	var paths []string
	for _, rt := range c.server.Routes() {
		if rt.Method == "GET" {
			paths = append(paths, strings.NewReplacer("{device_id}", "lamp", "{entity_id}", "light.lamp", "{area_id}", "kitchen", "{", "", "}", "").Replace(rt.Path))
		}
	}
	for i, seed := range []string{"start=-1h&end=0&every=1m&fn=mean&group_by=area", "start=2026-01-01T00:00:00Z&tz=Europe/Berlin&every=1mo&format=csv", "since=-24h&collapse=true", "since=a.1.1~a.2.2~1", "depth=areas&include=state",
		"format=text&exposed=conversation", "q=a&kind=device,area", "at=-1h", "period=24h&limit=5", "offset=10000&event_type=state_changed", "start=0&every=all", "every=1m&start=0", "start=9999-12-31T23:59:59Z", "start=-292y&every=1y", "tz=Local", "tz=../x",
		"tz=", "fields=entity_id,state", "cursor=" + sealCursor("events", "1.a.b"), "limit=0", "entity_id=light.lamp&start=0001-01-01T00:00:00Z", "area_id=none&fn=sum&every=1d", "fn=time_in_state&state=on", "unit=%C2%B0F&device_class=temperature"} {
		f.Add(uint8(i), seed, "*/*")
		f.Add(uint8(3*i+17), seed, `W/"x", "y"`)
		f.Add(uint8(5*i+3), seed, "*")
	}
	f.Fuzz(func(t *testing.T, n uint8, text, header string) {
		if strings.Contains(text, "wait") {
			return // and so it would
		}
		path := paths[int(n)%len(paths)]
		r := httptest.NewRequest("GET", path, nil)
		r.URL.RawQuery = text
		for _, name := range []string{"If-None-Match", "Accept-Encoding", "X-Request-ID", "Range", "If-Modified-Since"} {
			r.Header.Set(name, header)
		}
		c.call(t, r).sane(path + "?" + text)
		r.Method = "HEAD"
		c.call(t, r).sane(path + "?" + text)
	})
}

// FuzzPaths throws paths at the service: nothing but a route is one.
func FuzzPaths(f *testing.F) {
	c := furnish(withPast(f))
	for _, seed := range append(append([]string{"/api/v1/devices/lamp", "/api/v1/devices/a%2Fb", "/api/v1/devices/..%2f..%2fetc", "/%00", "/a b", "/api/v1/devices/lamp;x=1"}, nowhere...), nobody...) {
		f.Add("GET", seed)
	}
	f.Add("DELETE", "/api/v1/webhooks/a%2F..")
	f.Add("PUT", "/api/v1/users/%FF/preferences")
	f.Fuzz(func(t *testing.T, method, text string) {
		u, err := url.ParseRequestURI(text)
		if err != nil || !strings.HasPrefix(text, "/") || strings.Contains(text, "wait") {
			return
		}
		r, err := http.NewRequest(method, "http://x/", strings.NewReader("{}"))
		if err != nil {
			return
		}
		u.Scheme, u.Host = "http", "x"
		r.URL, r.RequestURI = u, text
		r.Header.Set("Content-Type", "application/json")
		if a := c.call(t, r); a.status != 501 {
			a.sane(method + " " + text)
		}
	})
}

// FuzzIDs gives things whatever ids and names: what is taken is found by them, by path, by filter and page by page.
func FuzzIDs(f *testing.F) {
	for _, seed := range oddIDs {
		f.Add(seed)
	}
	c := withPast(f)
	f.Fuzz(func(t *testing.T, id string) {
		item, _ := json.Marshal([]map[string]any{{"id": id, "name": id, "manufacturer": id, "model": id, "area_id": id, "labels": []string{id}}, {"id": "beside"}})
		json.Unmarshal([]byte(mustQuote(id)), &id) // as JSON can say it
		own := &caller{TB: t, db: c.db, server: c.server, url: c.url, log: c.log}
		var taken struct{ Upserted int }
		json.Unmarshal(own.post("devices", string(item)).want(200).body, &taken)
		defer func() { own.do("DELETE", "/internal/devices/clear", "").want(200) }()
		if taken.Upserted == 1 && id != "beside" {
			return // it was refused
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = &url.URL{Path: "/api/v1/devices/" + id, RawPath: "/api/v1/devices/" + url.PathEscape(id)}
		if row := c.call(t, r).want(200).json(); row["device_id"] != id || row["name"] == "" {
			t.Errorf("%q: %v", id, row)
		}
		if found := own.walk("/api/v1/devices?limit=1", "devices", "device_id", func(int) {}); id != "beside" && len(found) != 2 {
			t.Errorf("%q: page by page %q", id, found)
		}
		if strings.ContainsAny(id, ",") || id == "none" || !isText(id) || id == "" {
			return // which mean something else in a filter
		}
		for _, name := range []string{"device_id", "manufacturer", "model", "area_id", "label_id"} {
			if a := own.get("/api/v1/devices?limit=1000&" + url.Values{name: {id}}.Encode()); a.status == 200 && !strings.Contains(string(a.body), `"device_id":`) {
				t.Errorf("%q is not found by %s: %s", id, name, a.body)
			} else {
				a.sane(name + "=" + id)
			}
		}
	})
}

func mustQuote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // of a string there is none
	}
	return string(quoted)
}

// FuzzTimes throws times and durations at their readers: one that is read is the same when it is written and read again.
func FuzzTimes(f *testing.F) {
	for _, seed := range []string{"2026-11-25T10:16:37Z", "-1y1d1h", "1764065797250", "99999999999", "0", "-292y", "2026-11-25T10:16:37 01:00", "-65535d2000000h", "9999-12-31T23:59:59.999999999-23:59", "0000-01-01T00:00:00+23:59", "-1.5h", "-0s"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 25, 10, 16, 37, 500e6, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseDuration(text); err == nil && d >= 0 {
			if again, err := ParseDuration(d.String()); err != nil || again != d {
				t.Errorf("%q is %v, and that is %v, %v", text, d, again, err)
			}
		}
		at, ok := parseMoment(text, now)
		if !ok {
			return
		}
		utc := at.UTC()
		if again, ok := parseMoment(utc.Format(time.RFC3339Nano), now); 0 <= utc.Year() && utc.Year() <= 9999 && (!ok || !again.Equal(at)) {
			t.Errorf("%q is %v, and that is %v, %v", text, at, again, ok)
		}
		if m := history.At(at); !m.Time().Equal(at.Truncate(time.Microsecond)) && at.UnixNano() >= 0 {
			t.Errorf("%q is %v, in microseconds %v", text, at, m)
		}
	})
}

// FuzzCursors throws cursors at their reader: the one that is taken is the one that would be handed out for it.
func FuzzCursors(f *testing.F) {
	for _, seed := range []string{"", "ZGV2aWNlcy9h", "ZGV2aWNlcy8", "ZGV2aWNlcw", "ZGV2aWNlcy9hCg==", "ZGV2aWNlcy9\nh", "ZGV2aWNlcy9i", "ZGV2aWNlcy9-_w"} {
		f.Add("devices", seed)
	}
	f.Fuzz(func(t *testing.T, id, cursor string) {
		if got, ok := openCursor("devices", sealCursor("devices", id)); !ok || got != id {
			t.Errorf("%q comes back as %q, %v", id, got, ok)
		}
		if _, ok := openCursor("events", sealCursor("devices", id)); ok {
			t.Errorf("%q of a list is taken by another", id)
		}
		if got, ok := openCursor("devices", cursor); ok {
			if again, ok := openCursor("devices", sealCursor("devices", got)); !ok || again != got {
				t.Errorf("%q is %q, and that %q", cursor, got, again)
			}
		}
		if at, entity, ok := openEventID(cursor); ok {
			if again, same, ok := openEventID(fmt.Sprintf("%d.%s", at, entity)); !ok || again != at || same != entity {
				t.Errorf("event %q is %d of %s", cursor, at, entity)
			}
		}
	})
}

// FuzzCached asks a service that keeps its answers and one that does not: they say the same, whatever was asked before,
// and whatever changed in between.
func FuzzCached(f *testing.F) {
	for _, seed := range []string{"limit=1", "limit=2", "fields=name", "fields=name&limit=1", "total=true", "q=lamp", "a=b", "limit=1&", "limit=%31", "LIMIT=1", "limit=1;x", "area_id=kitchen,hall", "area_id=hall,kitchen", "#limit=1", "limit=1%00", "\x00"} {
		f.Add(uint8(0), seed, "limit=1")
		f.Add(uint8(7), "", seed)
	}
	plain := furnish(withPast(f))
	keeping := serveDB(f, plain.db, func(c *Config) { c.CacheBytes = 1 << 16 })
	var paths []string
	for _, rt := range plain.server.Routes() {
		if rt.Method == "GET" && !aboutThePast(rt.Path) && rt.SQL != "-" && !strings.HasSuffix(rt.Path, "/state") && !strings.HasSuffix(rt.Path, "/history") && !strings.Contains(rt.Path, "analytics") {
			paths = append(paths, strings.NewReplacer("{device_id}", "lamp", "{entity_id}", "light.lamp", "{area_id}", "kitchen", "{", "", "}", "").Replace(rt.Path))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, first, second string) {
		if strings.Contains(first+second, "wait") || strings.Contains(first+second, "include") {
			return // states are of another file
		}
		path := paths[int(n)%len(paths)]
		for i, text := range []string{first, second, first, first} {
			if i == 3 { // whatever is kept is of the past now
				plain.sendBody(t, "POST", "/internal/devices/bulk_upsert", "application/json", fmt.Appendf(nil, `[{"id":"lamp","name":%s}]`, mustQuote(second+time.Now().String())))
			}
			var answers []response
			for _, c := range []*caller{plain, keeping} {
				r := httptest.NewRequest("GET", path, nil)
				r.URL.RawQuery = text
				r.Header.Set("X-Request-ID", "same")
				answers = append(answers, c.call(t, r))
			}
			if a, b := answers[0], answers[1]; a.status != b.status || string(a.body) != string(b.body) || a.header.Get("Etag") != b.header.Get("Etag") {
				t.Errorf("%s?%q after %q: %d %s\nkept: %d %s", path, text, first, a.status, a.body, b.status, b.body)
			}
		}
	})
}
