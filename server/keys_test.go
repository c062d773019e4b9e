package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// A key is made, shown once, used, listed and revoked, by an admin and nobody else.
func TestLifeOfAKey(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	admin := []string{bearer(setting), "Content-Type: application/json"}
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	made := c.do("POST", "/api/v1/keys", fmt.Sprintf(`{"name":"büro","scopes":["write:events","read"],"expires_at":%q}`, expires.Format(time.RFC3339Nano)), admin...).want(201)
	if cache := made.header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control %q", cache)
	}
	row := made.json()
	key, id := row["key"].(string), row["id"].(string)
	if row["name"] != "büro" || fmt.Sprint(row["scopes"]) != "[read write:events]" || row["starts_with"] != key[:8] || row["last_used_at"] != nil {
		t.Errorf("%s", made.body)
	}
	if at, err := time.Parse(time.RFC3339, row["expires_at"].(string)); err != nil || !at.Equal(expires) {
		t.Errorf("expires %v, %v", row["expires_at"], err)
	}
	c.get("/api/v1/devices", bearer(key)).want(200)
	if detail := c.get("/api/v1/keys", bearer(key)).problem(403)["detail"]; !strings.HasSuffix(detail.(string), "needs the scope admin") {
		t.Error(detail)
	}
	list := c.get("/api/v1/keys?total=true", admin...).want(200)
	if ids := idsIn(list.json(), "keys", "id"); !slices.Equal(ids, []string{id}) || strings.Contains(string(list.body), key) {
		t.Errorf("%s", list.body)
	}
	if one := c.get("/api/v1/keys/"+id+"?fields=name,id", admin...).want(200); one.json()["name"] != "büro" {
		t.Errorf("%s", one.body)
	}
	if gone := c.do("DELETE", "/api/v1/keys/"+id, "", admin...).want(200); gone.json()["id"] != id || strings.Contains(string(gone.body), key) {
		t.Errorf("%s", gone.body)
	}
	c.get("/api/v1/devices", bearer(key)).wantRefused(401)
	c.do("DELETE", "/api/v1/keys/"+id, "", admin...).problem(404)
	c.get("/api/v1/keys/"+id, admin...).problem(404)
	if strings.Contains(c.log.String(), key) || len(c.log.with("key_id", id)) != 2 {
		t.Errorf("the log has the key, or not who used it: %s", c.log)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	for body, want := range map[string]string{
		`{}`:                             "/name /scopes",
		`{"name":"","scopes":[]}`:        "/name /scopes",
		`{"name":"a","scopes":["root"]}`: "/scopes",
		`{"name":"a","scopes":"read"}`:   "/scopes",
		`{"name":1,"scopes":["read",1]}`: "/name /scopes",
		`{"name":"a","scopes":["read"],"hash":1,"id":"x","key":"dak_x"}`:                  "/hash /id /key",
		`{"name":"a","scopes":["read"],"expires_at":"2020-01-01T00:00:00Z"}`:              "/expires_at",
		`{"name":"a","scopes":["read"],"expires_at":"0001-01-01T00:00:00Z"}`:              "/expires_at",
		`{"name":"a","scopes":["read"],"expires_at":"soon"}`:                              "/expires_at",
		`{"name":"a","scopes":["read"],"expires_at":"9999-12-31T23:59:59.999-14:00"}`:     "/expires_at",
		`{"name":"` + strings.Repeat("x", 256) + `","scopes":["read"],"expires_at":null}`: "/name",
	} {
		a := c.do("POST", "/api/v1/keys", body, bearer(setting), "Content-Type: application/json")
		var pointers []string
		for _, e := range a.problem(422)["errors"].([]any) {
			pointers = append(pointers, fmt.Sprint(e.(map[string]any)["pointer"]))
		}
		slices.Sort(pointers)
		if got := strings.Join(pointers, " "); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
	c.do("POST", "/api/v1/keys", `{"name":"a","name":"b"}`, bearer(setting), "Content-Type: application/json").problem(400)
	c.do("POST", "/api/v1/keys", strings.Repeat(" ", maxKey+1), bearer(setting), "Content-Type: application/json").problem(413)
	c.do("POST", "/api/v1/keys", `{}`, bearer(setting)).problem(415)
	if n := len(c.get("/api/v1/keys", bearer(setting)).want(200).json()["keys"].([]any)); n != 0 {
		t.Errorf("%d keys", n)
	}
}

// A stream that a key opened ends when the key is revoked, and tells nothing that comes later; as a long poll does.
func TestRevokedKeysHearNoMore(t *testing.T) {
	t.Parallel()
	c := followed(t)
	c.server.Guard = guarding(t, c.db).server.Guard
	key, id := c.key("read")
	s := c.stream("", bearer(key))
	c.pushed(t, "before")
	if e := s.event(); !strings.Contains(e.data, "before") {
		t.Fatalf("%+v", e)
	}
	poll := make(chan response, 1)
	go func() { poll <- c.get("/api/v1/changes?wait=30&since="+s.last, bearer(key)) }()
	time.Sleep(200 * time.Millisecond) // so that it waits
	c.do("DELETE", "/api/v1/keys/"+id, "", bearer(setting)).want(200)
	c.pushed(t, "after")
	for {
		e, err := s.next()
		if err != nil {
			break
		}
		if e.data != "" {
			t.Errorf("heard %+v", e)
		}
	}
	(<-poll).wantRefused(401)
}

// pushed pushes a device by the key of the settings.
func (c *caller) pushed(t *testing.T, id string) {
	t.Helper()
	c.post("devices", `[{"id":"`+id+`"}]`, bearer(setting)).want(200)
}
