package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/internal/history"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const hooks = "/api/v1/webhooks"

// receiver is called by webhooks. It notes what it is sent, and answers with a status.
type receiver struct {
	*httptest.Server
	status chan int
	calls  chan call
}

type call struct {
	header http.Header
	body   string
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: make(chan int, 100), calls: make(chan call, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.calls <- call{q.Header.Clone(), string(body)}
		select {
		case status := <-r.status:
			w.WriteHeader(status)
		default:
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// next is the next call, whose signature must be good.
func (r *receiver) next(t *testing.T, secret string) call {
	t.Helper()
	select {
	case c := <-r.calls:
		hook, err := standardwebhooks.NewWebhook(secret)
		if err == nil {
			err = hook.Verify([]byte(c.body), c.header)
		}
		if err != nil {
			t.Errorf("signature: %v of %v", err, c.header)
		}
		return c
	case <-time.After(15 * time.Second):
		t.Fatal("no call came")
		return call{}
	}
}

// calling has the webhooks of a server called until the test ends.
func calling(t *testing.T) *caller {
	t.Helper()
	c := inFile(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 2)
	go func() { done <- c.db.Run(ctx) }()
	go func() { done <- c.server.Webhooks.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

// A webhook is registered, told of what it wants, changed, given a new secret, and deleted.
func TestWebhook(t *testing.T) {
	t.Parallel()
	c, r := calling(t), receive(t)
	a := c.write("POST", hooks, `{"url":"`+r.URL+`","events":["area.*"],"filter":{"area_id":"kitchen"},"team":"home"}`).want(201).json()
	id, secret := a["id"].(string), a["secret"].(string)
	if !strings.HasPrefix(secret, "whsec_") || a["status"] != "active" || a["team"] != "home" {
		t.Errorf("registered: %v", a)
	}
	path := hooks + "/" + id
	for _, answer := range []response{c.get(path), c.get(hooks), c.get("/api/v1/ha/webhooks")} {
		if strings.Contains(string(answer.want(200).body), strings.TrimPrefix(secret, "whsec_")) {
			t.Errorf("the secret is shown again: %s", answer.body)
		}
	}
	c.write("PATCH", registryPath, `{"areas":[{"area_id":"hall","name":"Hall"},{"area_id":"kitchen","name":"Kitchen"}]}`)
	if got := r.next(t, secret); !strings.Contains(got.body, `"area.created"`) || !strings.Contains(got.body, `"kitchen"`) {
		t.Errorf("called with %s", got.body)
	}
	rotated := c.do("POST", path+"/rotate", "").want(200).json()["secret"].(string)
	test := c.do("POST", path+"/test", "").want(200).json()
	if test["status"] != "delivered" || test["event"] != "webhook.test" || test["status_code"] != 200.0 {
		t.Errorf("test: %v", test)
	}
	got := r.next(t, rotated)
	if hook, _ := standardwebhooks.NewWebhook(secret); hook.Verify([]byte(got.body), got.header) != nil {
		t.Error("the old secret does not sign any more")
	}
	eventually(t, "both are noted", func() bool { return len(c.row(path + "/deliveries?status=delivered")["deliveries"].([]any)) == 2 })
	c.write("PATCH", path, `{"status":"disabled"}`).want(200)
	if row := c.row(path); row["status"] != "disabled" || row["reason"] != "user" {
		t.Errorf("disabled: %v", row)
	}
	c.do("DELETE", path, "").want(200)
	c.get(path).problem(404)
	if strings.Contains(c.log.String(), strings.TrimPrefix(rotated, "whsec_")) || strings.Contains(c.log.String(), strings.TrimPrefix(secret, "whsec_")) {
		t.Error("a secret is in the log")
	}
}

// What failed is listed with its answer, and can be sent once more.
func TestWebhookReplay(t *testing.T) {
	t.Parallel()
	c, r := calling(t), receive(t)
	a := c.write("POST", hooks, `{"url":"`+r.URL+`","events":["floor.created"]}`).want(201).json()
	path, secret := hooks+"/"+a["id"].(string), a["secret"].(string)
	r.status <- 500
	c.write("PATCH", registryPath, `{"floors":[{"floor_id":"f","name":"F"}]}`)
	first := r.next(t, secret)
	var d map[string]any
	eventually(t, "the failure is noted", func() bool {
		rows := c.row(path + "/deliveries?status=retrying")["deliveries"].([]any)
		if len(rows) == 1 {
			d = rows[0].(map[string]any)
		}
		return len(rows) == 1
	})
	if d["status_code"] != 500.0 || d["attempts"] != 1.0 || d["next_at"] == nil || d["id"] != first.header.Get("webhook-id") {
		t.Errorf("delivery: %v", d)
	}
	c.do("POST", path+"/deliveries/"+d["id"].(string)+"/replay", "").want(202)
	if again := r.next(t, secret); again.header.Get("webhook-id") != first.header.Get("webhook-id") || again.body != first.body {
		t.Errorf("replayed: %v %s", again.header, again.body)
	}
	eventually(t, "it is delivered", func() bool {
		return len(c.row(path + "/deliveries?status=delivered&total=true")["deliveries"].([]any)) == 1
	})
	c.do("POST", path+"/deliveries/none/replay", "").problem(404)
	c.do("POST", hooks+"/none/deliveries/none/replay", "").problem(404)
	c.get(path + "/deliveries?status=lost&cursor=x").problem(422)
}

// What a webhook may not be is named, all at once, and nothing is stored.
func TestWebhookRefuses(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct {
		body string
		want []string
	}{
		{`{}`, []string{"/events", "/url"}},
		{`{"url":"ftp://x","events":[],"filter":{"colour":"red"},"team":7,"status":"on","secret":"short","id":"x","a/b":1}`,
			[]string{"/a~1b", "/events", "/filter", "/id", "/secret", "/status", "/team", "/url"}},
		{`{"url":"http://169.254.169.254/latest","events":["entity.exploded","*"]}`, []string{"/events", "/url"}},
		{`{"url":"http://[::1]/","events":["*"]}`, []string{"/url"}},
		{`{"url":"http://192.168.1.9/","events":["*","entity.*"],"filter":{"to":"on"}}`, []string{"/filter"}}, // no states
		{`{"url":"http://192.168.1.9/","events":["state.*"],"filter":{"above":"1","below":[2],"from":[]}}`, []string{"/filter", "/filter", "/filter"}},
	} {
		got := c.write("POST", hooks, test.body).pointers()
		if slices.Sort(got); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.body, got, test.want)
		}
	}
	if rows := c.row(hooks)["webhooks"].([]any); len(rows) > 0 {
		t.Errorf("webhooks: %v", rows)
	}
	for _, step := range []struct{ method, path string }{
		{"GET", ""}, {"PATCH", ""}, {"DELETE", ""}, {"POST", "/test"}, {"POST", "/rotate"}, {"GET", "/deliveries"},
	} {
		c.write(step.method, hooks+"/none"+step.path, "{}").problem(404)
	}
}

// Conditions for states are kept as they were given, and only where there are states.
func TestWebhookConditions(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.write("POST", "/api/v1/ha/webhooks/register", `{"webhook_url":"http://192.168.1.9/","events":["x"],"filters":{"above":1}}`).problem(422)
	row := c.write("POST", hooks, `{"url":"http://192.168.1.9/","events":["state.changed"],"filter":{"area_id":"hall","from":"off","to":["on"],"above":1,"below":2.5}}`).want(201).json()
	want := map[string]any{"area_id": []any{"hall"}, "from": []any{"off"}, "to": []any{"on"}, "above": 1.0, "below": 2.5}
	if got := row["filter"]; !reflect.DeepEqual(got, want) {
		t.Errorf("the filter is %v, want %v", got, want)
	}
	path := hooks + "/" + row["id"].(string)
	c.write("PATCH", path, `{"events":["entity.*"]}`).problem(422)
	c.write("PATCH", path, `{"events":["entity.*"],"filter":{}}`).want(200)
	c.write("PATCH", path, `{"filter":{"to":["on"]}}`).problem(422)
}

// Whoever comes to want states is told of those from then on.
func TestWebhookBeginsStates(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	since := func(id string) string {
		target, err := c.db.GetWebhookTarget(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return target.StatesSince
	}
	plain := c.write("POST", hooks, `{"url":"http://192.168.1.9/","events":["*"]}`).want(201).json()["id"].(string)
	states := c.write("POST", hooks, `{"url":"http://192.168.1.9/","events":["state.*"]}`).want(201).json()["id"].(string)
	begun := since(states)
	if since(plain) != "" || begun == "" {
		t.Errorf("states from %q and %q", since(plain), begun)
	}
	point := history.Point{EntityID: "light.a", Time: history.At(time.Now()), State: "on"}
	if _, err := c.server.Webhooks.Past.Append(t.Context(), []history.Point{point}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{plain, states} {
		c.write("PATCH", hooks+"/"+id, `{"events":["state.changed","entity.*"]}`).want(200)
	}
	if since(plain) == begun || since(plain) == "" || since(states) != begun {
		t.Errorf("states from %q and %q, before from %q", since(plain), since(states), begun)
	}
}

// How far a webhook is behind is of this moment, so that it is not in the answer that may be kept.
func TestWebhookLag(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	id := c.write("POST", hooks, `{"url":"http://192.168.1.9/","events":["floor.*","state.*"]}`).want(201).json()["id"].(string)
	furnish(c) // nobody runs who would tell it
	point := history.Point{EntityID: "light.a", Time: history.At(time.Now()), State: "on"}
	if _, err := c.server.Webhooks.Past.Append(t.Context(), []history.Point{point}); err != nil {
		t.Fatal(err)
	}
	a := c.get(hooks + "/" + id + "?fields=id&include=lag").want(200)
	row := a.json()
	lag, _ := row["lag"].(map[string]any)
	changes, _ := lag["changes"].(map[string]any)
	states, _ := lag["states"].(map[string]any)
	if len(row) != 2 || row["id"] != id || changes["events"].(float64) < 5 || states["events"] != 1.0 || a.header.Get("Etag") != "" {
		t.Errorf("%s %v", a.body, a.header)
	}
	if row := c.row(hooks + "/" + id); row["lag"] != nil {
		t.Errorf("%v", row)
	}
	behind := c.row("/health")["dependencies"].(map[string]any)["webhooks"].(map[string]any)["behind"].([]any)
	if first := behind[0].(map[string]any); len(behind) != 1 || first["id"] != id || first["states"].(map[string]any)["events"] != 1.0 {
		t.Errorf("%v", behind)
	}
	c.get(hooks + "/nobody?include=lag").problem(404)
	c.get(hooks + "/" + id + "?include=all").problem(422)
}

// Two who change the same webhook do not lose each other's change.
func TestWebhookIfMatch(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	path := hooks + "/" + c.write("POST", hooks, `{"url":"http://192.168.1.9/x","events":["*"]}`).want(201).json()["id"].(string)
	tag := c.get(path).want(200).header.Get("Etag")
	changed := c.write("PATCH", path, `{"team":"a"}`, "If-Match: "+tag).want(200)
	if now := c.get(path).header.Get("Etag"); now == tag || changed.header.Get("Etag") != now {
		t.Errorf("tags: %s, then %s, GET says %s", tag, changed.header.Get("Etag"), now)
	}
	c.write("PATCH", path, `{"team":"b"}`, "If-Match: "+tag).problem(412)
	c.do("DELETE", path, "", "If-Match: "+tag).problem(412)
	c.do("POST", path+"/rotate", "", "If-Match: "+tag).problem(412)
	again := c.get(path).body
	if row := c.write("PATCH", path, string(again)).want(200); string(row.body) != string(again) {
		t.Errorf("what GET showed, sent back: %s, was %s", row.body, again)
	}
}

// The paths of the service before this one.
func TestHAWebhooks(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	a := c.write("POST", "/api/v1/ha/webhooks/register",
		`{"webhook_url":"http://192.168.1.9/x","secret":"chosen","team":"dal","events":["game_started"],"filters":null}`).want(200).json()
	want := map[string]any{"webhook_url": "http://192.168.1.9/x", "team": "dal", "status": "active"}
	for name, value := range want {
		if a[name] != value {
			t.Errorf("%s: got %v, want %v", name, a[name], value)
		}
	}
	if list := c.row("/api/v1/ha/webhooks"); list["count"] != 1.0 {
		t.Errorf("list: %v", list)
	}
	c.do("DELETE", "/api/v1/ha/webhooks/"+a["id"].(string), "").want(200)
	if list := c.row("/api/v1/ha/webhooks"); list["count"] != 0.0 {
		t.Errorf("list: %v", list)
	}
}
