package server

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/hass"
)

// setting is API_KEY in these tests.
const setting = "a key of the settings, which may do everything"

// guarding asks for keys in front of a database.
func guarding(t testing.TB, d *db.DB, changes ...func(*Config)) *caller {
	guard := auth.New(auth.Config{DB: d, APIKey: setting, Log: slog.New(slog.DiscardHandler)})
	return serveDB(t, d, append(changes, func(c *Config) { c.Guard = guard })...)
}

// guarded asks for keys in front of an empty database in a file.
func guarded(t testing.TB) *caller {
	return guarding(t, prepared(t, filepath.Join(t.TempDir(), "metadata.db")), func(c *Config) { c.CacheBytes = 1 << 20 })
}

// key stores a key of these scopes, and returns its text and its id.
func (c *caller) key(scopes ...string) (key, id string) {
	c.Helper()
	return c.grant(auth.Grant{Name: "test", Scopes: scopes})
}

func (c *caller) grant(g auth.Grant) (key, id string) {
	c.Helper()
	err := c.db.Write(context.Background(), func(q *db.Queries) error {
		made, row, err := auth.Create(context.Background(), q, g)
		key, id = made, row.ID
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	return key, id
}

func bearer(key string) string { return "Authorization: Bearer " + key }

// needed is what a route is to need, said once more than in the route table: "" for no key.
func needed(rt route) string {
	switch path := rt.path; {
	case path == "/health", path == "/livez", path == "/readyz", path == "/ping":
		return ""
	case strings.HasPrefix(path, "/api/v1/keys"), strings.HasPrefix(path, "/api/v1/admin/"), strings.HasPrefix(path, "/debug/"):
		return "admin"
	case strings.Contains(path, "webhooks"):
		return "webhooks"
	case strings.Contains(path, "/preferences"):
		return "preferences"
	case path == "/write", path == "/api/v2/write", path == "/api/v1/events" && rt.method == "POST":
		return "write:events"
	case strings.HasPrefix(path, "/internal/"), path == "/api/v1/registry":
		return "write:registry"
	}
	return "read"
}

// Each route takes the keys that have its scope, and those of admins, and no other.
func TestEachRouteNeedsItsScope(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	keys := map[string]string{"": ""}
	for _, scope := range auth.Names() {
		keys[scope], _ = c.key(scope)
	}
	for _, rt := range c.server.routes() {
		if rt.scope == 0 {
			t.Errorf("%s %s: no scope", rt.method, rt.path)
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(rt.path)
		for scope, key := range keys {
			headers := []string{"Content-Type: application/json"}
			if key != "" {
				headers = append(headers, bearer(key))
			}
			need := needed(rt)
			want := scope == need || scope == "admin" || need == ""
			a := c.do(rt.method, path, "", headers...)
			if may := a.status != 401 && a.status != 403; may != want {
				t.Errorf("%s %s with %q: %d, want to be let in: %v", rt.method, rt.path, scope, a.status, want)
			}
			if !want {
				a.wantRefused(map[bool]int{true: 401, false: 403}[key == ""])
			}
		}
	}
	if n := c.row("/health")["authentication"].(map[string]any)["enabled"]; n != true {
		t.Errorf("authentication enabled: %v", n)
	}
}

func (a response) wantRefused(status int) {
	a.Helper()
	a.problem(status)
	challenge := a.header.Get("WWW-Authenticate")
	if (status == 401) != strings.HasPrefix(challenge, "Bearer") || a.header.Get("Cache-Control") != "no-store" {
		a.Errorf("%d with %v", status, a.header)
	}
}

// A method that a path does not take, and a path that is none, are the same for all.
func TestWhatIsNotThereNeedsNoKey(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	c.do("POST", "/api/v1/devices", "").problem(405)
	c.get("/nothing").problem(404)
	c.do("HEAD", "/api/v1/devices", "").want(401)
}

// Nobody is let in by a server that was not told whom to let in.
func TestNoGuardLetsNobodyIn(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	c.server.Guard = nil
	c.get("/api/v1/devices", bearer(setting)).wantRefused(401)
	c.get("/livez").want(200)
	if c.row("/health")["authentication"].(map[string]any)["enabled"] != true {
		t.Error("it says that no key is needed")
	}
}

func TestHowAKeyIsSent(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, _ := c.key("read")
	for header, want := range map[string]int{
		"Authorization: Bearer " + key:       200,
		"Authorization: bearer   " + key:     200,
		"X-API-Key: " + key:                  200,
		"Authorization: Bearer " + setting:   200,
		"Authorization: " + key:              401,
		"Authorization: Bearer":              401,
		"Authorization: Bearer " + key + "x": 401,
		"X-API-Key: " + key[:len(key)-1]:     401,
		"X-API-Key: ":                        401,
		"Cookie: key=" + key:                 401,
	} {
		if a := c.get("/api/v1/devices", header); a.status != want {
			t.Errorf("%s: %d, want %d", header, a.status, want)
		}
	}
	c.get("/api/v1/devices?key=" + key).wantRefused(401)
	if log := c.log.String(); strings.Contains(log, key) || strings.Contains(log, setting) {
		t.Error("a key is in the log")
	}
}

// Clients of InfluxDB send keys in their own ways, where they write and nowhere else, and can read why they may not.
func TestHowInfluxClientsSendAKey(t *testing.T) {
	t.Parallel()
	c := remembering(t).caller
	c.server.Guard = auth.New(auth.Config{DB: c.db, Log: c.server.Log})
	key, _ := c.key("write:events")
	reader, _ := c.key("read")
	basic := func(user, password string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, path := range []string{"/write?db=home", "/api/v2/write?org=a&bucket=home"} {
		for header, want := range map[string]int{
			bearer(key): 204, "X-API-Key: " + key: 204,
			"Authorization: Token " + key: 204, "Authorization: token " + key: 204, "Authorization: Token me:" + key: 204,
			basic("homeassistant", key): 204, basic("", key): 204,
			basic(key, ""): 401, basic("root", "root"): 401, "Authorization: Basic x": 401, "Authorization: Token": 401, "": 401,
			"Authorization: Token " + reader: 403,
		} {
			a := c.do("POST", path, "", header)
			if a.status != want {
				t.Errorf("%s with %s: %d, want %d", path, header, a.status, want)
			}
			if want > 400 && (a.json()["error"] == nil || a.json()["error"] != a.json()["detail"]) {
				t.Errorf("%s", a.body)
			}
		}
	}
	c.get("/api/v1/devices", "Authorization: Token "+reader).wantRefused(401)
	c.get("/api/v1/devices", basic("", reader)).wantRefused(401)
	if a := c.do("POST", "/write?db=home&u=me&p="+key, "").problem(401); !strings.Contains(a["error"].(string), "URL") {
		t.Errorf("%v", a)
	}
}

// What was kept for those who may is not given to those who may not; and a key that another process revoked is not
// good any more, though its answer is kept.
func TestKeptAnswersAreForThoseWhoMay(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	reader, id := c.key("read")
	hooks, _ := c.key("webhooks")
	c.get("/api/v1/devices", bearer(reader)).want(200)
	c.get("/api/v1/devices", bearer(reader)).want(200)
	c.get("/api/v1/devices").wantRefused(401)
	c.get("/api/v1/devices", bearer(hooks)).wantRefused(403)
	c.get("/api/v1/devices", bearer(reader+"x")).wantRefused(401)
	if _, err := c.shell().Exec("DELETE FROM api_keys WHERE key_id = ?", id); err != nil {
		t.Fatal(err)
	}
	c.get("/api/v1/devices", bearer(reader)).wantRefused(401)
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, _ := c.grant(auth.Grant{Name: "short", Scopes: []string{"read"}, Expires: time.Now().Add(700 * time.Millisecond)})
	c.get("/api/v1/devices", bearer(key)).want(200)
	eventually(t, "the key to expire", func() bool { return c.get("/api/v1/devices", bearer(key)).status == 401 })
	if detail := fmt.Sprint(c.get("/api/v1/devices", bearer(key)).problem(401)["detail"]); !strings.Contains(detail, "expired") {
		t.Error(detail)
	}
}

// While keys cannot be read nobody can tell who may what: that is said, not that a key is wrong. The key of the settings
// is good all the same, for what needs no database.
func TestWhileKeysCannotBeRead(t *testing.T) {
	t.Parallel()
	d := db.Prepare(db.DefaultConfig(filepath.Join(t.TempDir(), "metadata.db")), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { d.Close() })
	c := guarding(t, d)
	for _, rt := range c.server.routes() {
		path := strings.NewReplacer("{", "", "}", "").Replace(rt.path)
		for _, header := range []string{"", bearer("dak_whatever")} {
			a := c.do(rt.method, path, "", header)
			if rt.scope.Any(anyone) {
				if a.status == 401 || a.status == 403 {
					t.Errorf("%s: %d", rt.path, a.status)
				}
				continue
			}
			if a.problem(503); a.header.Get("Retry-After") == "" {
				t.Errorf("%s: %v", rt.path, a.header)
			}
		}
	}
	c.get("/api/info", bearer(setting)).want(200)
	if err := d.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.get("/api/v1/devices").wantRefused(401)
	c.get("/api/v1/devices", bearer("dak_whatever")).wantRefused(401)
	c.get("/api/v1/devices", bearer(setting)).want(200)
}

// Who has no key is told states, not where things are.
func TestHealthConceals(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "metadata.db")
	c := guarding(t, prepared(t, path), func(c *Config) {
		c.Registries = hass.NewFollower(filepath.Join(folder, "nothing"), c.DB, c.Log)
	})
	reader, _ := c.key("read")
	open := c.get("/health", bearer(reader)).want(200)
	hidden := c.get("/health").want(200)
	if !strings.Contains(string(open.body), folder) {
		t.Fatalf("nothing to hide: %s", open.body)
	}
	if strings.Contains(string(hidden.body), folder) {
		t.Errorf("it tells where things are: %s", hidden.body)
	}
	for _, name := range []string{"status", "version"} {
		if open.json()[name] != hidden.json()[name] {
			t.Errorf("%s differs", name)
		}
	}
}

// What people prefer is only for those who may know it, in whatever way it is asked for.
func TestPreferencesNeedTheirScope(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	reader, _ := c.key("read", "webhooks")
	both, _ := c.key("read", "webhooks", "preferences")
	c.do("PUT", "/api/v1/users/anna/preferences", `{"theme":"dark"}`, bearer(both), "Content-Type: application/json").want(200)
	for _, query := range []string{"kind=preference", "kind=device,preference", "kind=preference&collapse=true", "kind=preference&wait=1"} {
		c.get("/api/v1/changes?"+query, bearer(reader)).wantRefused(403)
		if a := c.get("/api/v1/changes?"+query, bearer(both)).want(200); !strings.Contains(string(a.body), "anna") {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	c.get("/api/v1/changes?kind=preference", bearer(reader), "Accept: text/event-stream").wantRefused(403)
	if a := c.get("/api/v1/changes", bearer(reader)).want(200); strings.Contains(string(a.body), "anna") {
		t.Errorf("%s", a.body)
	}
	c.hooksNeedIt(reader, both)
}

func (c *caller) hooksNeedIt(reader, both string) {
	c.Helper()
	send := func(method, path, key, body string) response {
		return c.do(method, path, body, bearer(key), "Content-Type: application/json")
	}
	const private = `{"url":"http://192.168.1.20:9000/","events":["preference.updated"]}`
	send("POST", "/api/v1/webhooks", reader, private).wantRefused(403)
	send("POST", "/api/v1/ha/webhooks/register", reader, strings.Replace(private, `"url"`, `"secret":"x","webhook_url"`, 1)).wantRefused(403)
	plain := send("POST", "/api/v1/webhooks", reader, strings.Replace(private, "preference", "device", 1)).want(201).json()["id"].(string)
	send("PATCH", "/api/v1/webhooks/"+plain, reader, `{"events":["preference.*"]}`).wantRefused(403)
	id := send("POST", "/api/v1/webhooks", both, private).want(201).json()["id"].(string)
	send("PATCH", "/api/v1/webhooks/"+id, reader, `{"url":"http://192.168.1.66/"}`).wantRefused(403)
	send("PATCH", "/api/v1/webhooks/"+id, reader, `{"events":["device.*"]}`).want(200)
}

// On the loopback address, where no key is asked for, that costs no allocation; and a key costs few.
func TestAllocationsOfWhoAsks(t *testing.T) {
	c := caching(t, 1<<20)
	r, err := http.NewRequest("GET", "/api/v1/devices/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.168.1.7:4711"
	rec := &recorder{}
	h := c.server.identified(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(rec, r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	k := guarded(t)
	key, _ := k.key("read")
	r.Header.Set("X-API-Key", key)
	h = k.server.identified(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(rec, r) }); n > 8 || rec.caller.Problem != nil {
		t.Errorf("with a key: %v allocations, %v", n, rec.caller.Problem)
	}
}
