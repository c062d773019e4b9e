package server

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dataapi/db"
)

const anna = "/api/v1/users/anna/preferences"

// write sends a JSON body.
func (c *caller) write(method, path, body string, headers ...string) response {
	c.Helper()
	return c.do(method, path, body, append(headers, "Content-Type: application/json")...)
}

// wantBody wants a preferences answer: these members between user_id and updated_at, and the ETag that GET has.
func (a response) wantBody(c *caller, user, members string) response {
	a.Helper()
	a.want(200)
	begin, end := fmt.Sprintf(`{"user_id":%q%s,"updated_at":`, user, members), "}\n"
	if !strings.HasPrefix(string(a.body), begin) || !strings.HasSuffix(string(a.body), end) {
		a.Errorf("got %.300s\nwant %.300s…", a.body, begin)
	}
	now := c.get("/api/v1/users/" + user + "/preferences").want(200)
	if tag := a.header.Get("Etag"); tag == "" || tag != now.header.Get("Etag") || string(now.body) != string(a.body) {
		a.Errorf("got %s %s, GET says %s %s", tag, a.body, now.header.Get("Etag"), now.body)
	}
	return a
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	const defaults = `,"selected_teams":{},"notification_settings":{}`
	a := c.get(anna).wantBody(c, "anna", defaults)
	if a.json()["updated_at"] != nil {
		t.Errorf("defaults of %v", a.json()["updated_at"])
	}
	c.write("PUT", anna, `{ "n": 12345678901234567890.10, "z": [1, null, {"é": "\u00e9\ud83d\ude00"}], "a": null, "": false }`).
		wantBody(c, "anna", `,"n":12345678901234567890.10,"z":[1,null,{"é":"\u00e9\ud83d\ude00"}],"a":null,"":false`)
	c.write("PUT", anna, `{}`).wantBody(c, "anna", "")
	c.write("PATCH", anna, `{"b":{"c":1,"d":null}}`, "Content-Encoding: identity").wantBody(c, "anna", `,"b":{"c":1}`)
	c.write("PATCH", "/api/v1/users/ben/preferences", `{"theme":"dark"}`).wantBody(c, "ben", defaults+`,"theme":"dark"`)
	again := c.get(anna).body
	c.write("PUT", anna, string(again)).wantBody(c, "anna", `,"b":{"c":1}`)
	c.write("PATCH", anna, string(again)).wantBody(c, "anna", `,"b":{"c":1}`)
	c.do("DELETE", anna, "").wantBody(c, "anna", defaults)
	c.do("DELETE", anna, "").wantBody(c, "anna", defaults)
	c.get("/api/user/preferences").wantBody(c, "default", defaults)
	c.write("POST", "/api/user/preferences", `{"user_id":"default","selected_teams":{"nfl":["dal"]}}`).
		wantBody(c, "default", `,"selected_teams":{"nfl":["dal"]},"notification_settings":{}`)
	c.get("/api/user/preferences?user_id=ben").wantBody(c, "ben", defaults+`,"theme":"dark"`)
	if user := c.row("/api/v1/users/a%2Fb/preferences")["user_id"]; user != "a/b" {
		t.Errorf("user %v", user)
	}
}

// TestMergePatch has the examples of RFC 7396, appendix A, whose target and patch are objects.
func TestMergePatch(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `,"a":"c"`},
		{`{"a":"b"}`, `{"b":"c"}`, `,"a":"b","b":"c"`},
		{`{"a":"b"}`, `{"a":null}`, ``},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `,"b":"c"`},
		{`{"a":["b"]}`, `{"a":"c"}`, `,"a":"c"`},
		{`{"a":"c"}`, `{"a":["b"]}`, `,"a":["b"]`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `,"a":{"b":"d"}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `,"a":[1]`},
		{`{"e":null}`, `{"a":1}`, `,"e":null,"a":1`},
		{`{"a":"foo"}`, `{}`, `,"a":"foo"`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `,"a":{"bb":{}}`},
		{`{"ä":{"x":1}}`, `{"\u00e4":{"y":2}}`, `,"ä":{"x":1,"y":2}`},
	} {
		c.write("PUT", anna, test.target).want(200)
		c.do("PATCH", anna, test.patch, "Content-Type: application/merge-patch+json").wantBody(c, "anna", test.want)
	}
}

func TestPreferencesRefused(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", anna, `{"kept":1}`).want(200)
	tag := c.get(anna).header.Get("Etag")
	nested := func(n int) string { return `{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}` }
	text := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	for _, test := range []struct {
		body   string
		status int
	}{
		{``, 400}, {`[]`, 400}, {`null`, 400}, {`7`, 400}, {`{`, 400}, {`{"a":1`, 400}, {`{"a":1}}`, 400}, {`{"a":1} {}`, 400}, {`{"a":1,"a":2}`, 400}, {`{"a":{"b":1,"b":2}}`, 400},
		{"{\"a\":\"\xff\"}", 400}, {"{\"\xc3\":1}", 400}, {`{"a":"\ud800"}`, 400}, {`{"a":01}`, 400}, {`{'a':1}`, 400}, {`{"a":NaN}`, 400},
		{nested(100), 400}, {nested(5000), 400}, {strings.Repeat(`{"a":`, 20000), 400}, {text(maxPreferences + 1), 413}, {text(1 << 20), 413},
		{`{"user_id":"ben"}`, 422}, {`{"user_id":null}`, 422}, {`{"user_id":7}`, 422},
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			if a := c.write(method, anna, test.body); a.status != test.status {
				t.Errorf("%s %.40q: got %d, want %d", method, test.body, a.status, test.status)
			} else if detail, _ := a.problem(test.status)["detail"].(string); detail == "" || len(detail) > 200 {
				t.Errorf("%s %.40q: detail %q", method, test.body, detail)
			}
		}
	}
	c.get(anna, "If-None-Match: "+tag).want(304)
	c.write("PUT", anna, nested(99)).want(200)
	c.write("PUT", anna, text(maxPreferences)).want(200)
	c.write("PATCH", anna, `{"b":1}`).problem(413)
	c.do("PUT", anna, `{}`, "Content-Type: text/plain").problem(415)
	if got := c.get("/api/v1/users/" + strings.Repeat("x", 256) + "/preferences").badFields(); got[0] != "user_id" {
		t.Error(got)
	}
	if got := c.write("POST", "/api/user/preferences?user=x", `{}`).badFields(); got[0] != "user" {
		t.Error(got)
	}
}

func TestIfMatch(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	tag := strings.Trim(c.write("PUT", anna, `{"a":"`+strings.Repeat("x", 3000)+`"}`, "Accept-Encoding: gzip").want(200).header.Get("Etag"), `"`)
	if !strings.HasSuffix(tag, "-gzip") {
		t.Fatalf("tag of a compressed answer: %s", tag)
	}
	tag = strings.TrimSuffix(tag, "-gzip")
	for _, test := range []struct {
		header string
		status int
	}{
		{`"TAG"`, 200}, {`"TAG-gzip"`, 200}, {`"other", "TAG"`, 200}, {"\"other\"\nIf-Match: \"TAG\"", 200}, {`*`, 200},
		{`W/"TAG"`, 412}, {`"other"`, 412}, {`"TAG-br"`, 412}, {``, 412}, {`W/*`, 412}, {`""`, 412},
	} {
		headers := strings.Split("If-Match: "+strings.ReplaceAll(test.header, "TAG", tag), "\n")
		for _, method := range []string{"PUT", "PATCH"} {
			body := string(c.get(anna).body)
			if a := c.write(method, anna, body, headers...); a.status != test.status {
				t.Errorf("%s with %s: got %d, want %d", method, test.header, a.status, test.status)
			}
		}
	}
	before := c.get(anna).body
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		c.write(method, anna, `{"b":1}`, `If-Match: "stale"`).problem(412)
	}
	if now := c.get(anna).body; string(now) != string(before) {
		t.Errorf("changed all the same: %.100s", now)
	}
	c.do("DELETE", anna, "", `If-Match: "`+tag+`"`).want(200)
}

// TestPreferencesOfTwoTabs patches and counts from many clients at once: nothing is lost.
func TestPreferencesOfTwoTabs(t *testing.T) {
	t.Parallel()
	c := inFile(t)
	c.write("PUT", anna, `{"count":0}`).want(200)
	var tabs sync.WaitGroup
	for tab := range 20 {
		tabs.Go(func() {
			for n := range 50 {
				c.write("PATCH", anna, fmt.Sprintf(`{"m%d":%d}`, 50*tab+n, n)).want(200)
			}
		})
		tabs.Go(func() {
			for done := 0; done < 3; {
				a := c.get(anna).want(200)
				body := fmt.Sprintf(`{"count":%d}`, int(a.json()["count"].(float64))+1)
				if c.write("PATCH", anna, body, "If-Match: "+a.header.Get("Etag")).status == 200 {
					done++
				}
			}
		})
	}
	tabs.Wait()
	now := c.row(anna)
	if len(now) != 1003 || now["count"] != 60.0 {
		t.Errorf("%d members, count %v", len(now), now["count"])
	}
}

// preferenceChanges are what the log has of preferences, as "action before after".
func preferenceChanges(t *testing.T, d *db.DB) (all []string) {
	t.Helper()
	p, err := d.ChangesBetween(context.Background(), db.ChangeQuery{Kinds: []string{"preference"}, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Changes {
		all = append(all, fmt.Sprint(c.Kind, " ", c.ID, " ", c.Action, " ", c.Before, " ", c.After))
	}
	return all
}

func TestPreferencesAreLogged(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("PUT", anna, `{"a":null}`).want(200)
	c.write("PUT", anna, `{"a":null}`).want(200)
	c.write("PATCH", anna, `{"b":2}`).want(200)
	c.write("PATCH", anna, `{"b":2}`).want(200)
	c.do("DELETE", anna, "").want(200)
	c.do("DELETE", anna, "").want(200)
	want := []string{`preference anna created  {"a":null,"user_id":"anna"}`,
		`preference anna updated {"a":null,"user_id":"anna"} {"a":null,"b":2,"user_id":"anna"}`,
		`preference anna deleted {"a":null,"b":2,"user_id":"anna"} `}
	if got := preferenceChanges(t, c.db); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPreferencesAreForThoseWhoAsk holds the log to leave preferences out where no kind is asked for.
func TestPreferencesAreForThoseWhoAsk(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.pushOnly("devices", `[{"id":"anna"}]`)
	c.write("PUT", anna, `{"a":1}`).want(200)
	for _, id := range []string{"", "anna"} {
		for name, list := range map[string]func(context.Context, db.ChangeQuery) (db.ChangePage, error){
			"all": c.db.ChangesBetween, "collapsed": c.db.CollapsedChanges,
		} {
			p, err := list(context.Background(), db.ChangeQuery{ID: id, Limit: 100})
			if err != nil || len(p.Changes) != 1 || p.Changes[0].Kind != "device" {
				t.Errorf("%s of %q: %v %v", name, id, p.Changes, err)
			}
		}
	}
}

// TestPreferencesAreFollowed holds that also for those who wait for changes.
func TestPreferencesAreFollowed(t *testing.T) {
	t.Parallel()
	c := running(t, filepath.Join(t.TempDir(), "metadata.db"), time.Second).ready()
	from, err := c.db.ChangesBetween(context.Background(), db.ChangeQuery{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]chan string{"": make(chan string), "preference": make(chan string)}
	for kind, kinds := range map[string][]string{"": nil, "preference": {"preference"}} {
		go func() {
			q := db.ChangeQuery{Since: db.Bound{Position: from.Until}, Kinds: kinds, Limit: 1}
			p, err := c.db.AwaitChanges(context.Background(), q, 10*time.Second)
			if err != nil || len(p.Changes) == 0 {
				got[kind] <- fmt.Sprint("nothing, ", err)
				return
			}
			got[kind] <- p.Changes[0].Kind
		}()
	}
	c.write("PUT", anna, `{"a":1}`).want(200)
	if kind := <-got["preference"]; kind != "preference" {
		t.Errorf("who asked for preferences got %s", kind)
	}
	c.pushOnly("devices", `[{"id":"lamp"}]`)
	if kind := <-got[""]; kind != "device" {
		t.Errorf("who asked for nothing special got %s", kind)
	}
}

func TestPreferencesSurvive(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "metadata.db")
	d := prepared(t, path)
	c := serveDB(t, d)
	body := fmt.Sprintf(`{"random":%d}`, rand.Int())
	before := c.write("PUT", anna, body).want(200)
	d.Close()
	after := serveDB(t, prepared(t, path)).get(anna).want(200)
	if string(before.body) != string(after.body) || before.header.Get("Etag") != after.header.Get("Etag") {
		t.Errorf("before %s, after %s", before.body, after.body)
	}
}
