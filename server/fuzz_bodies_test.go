package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dataapi/internal/hass"
)

// send has a body answered.
func (c *caller) sendBody(t *testing.T, method, path, contentType string, body []byte) response {
	t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	a := c.call(t, r)
	a.sane(method + " " + path + " " + string(body))
	return a
}

// decoded is JSON with numbers as they are written.
func decoded(t *testing.T, text []byte) (v map[string]any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// FuzzPreferences throws documents and patches at the preferences: what is taken is read back, and a patch does what
// RFC 7396 says, once and again.
func FuzzPreferences(f *testing.F) {
	for _, seed := range [][2]string{{`{}`, `{}`}, {`{"a":{"b":1,"c":[1,{}]},"d":null}`, `{"a":{"b":null,"e":{"f":null,"g":1}},"h":{"i":null}}`}, {`{"a":1}`, `{"a":{"b":null}}`}, {`{"a":{"b":1}}`, `{"a":[null]}`},
		{`{"n":1e400,"m":-0,"o":9223372036854775808,"p":0.1000}`, `{"n":1e400}`}, {`{"":"","\u0000":1,"a.b":2,"$":3,"\"":4}`, `{"":null,"a.b":{"c":1},"\"":null}`}, {`{"\ud800":1}`, `[]`}, {`{"a":1,"a":2}`, `{"b":1,"b":2}`},
		{`{"user_id":"u","updated_at":1,"x":1}`, `{"updated_at":null}`}, {`{"é":"\u00e9\/"}`, `{"\u00e9":{"a":"😀"}}`}} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	c := withPast(f)
	const path = "/api/v1/users/u/preferences"
	own := func(t *testing.T, text []byte) map[string]any {
		v := decoded(t, text)
		delete(v, "user_id")
		delete(v, "updated_at")
		return v
	}
	f.Fuzz(func(t *testing.T, document, patch []byte) {
		a := c.sendBody(t, "PUT", path, "application/json", document)
		if a.status != 200 {
			return
		}
		want := own(t, document)
		if got := own(t, a.body); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q is stored as %s", document, a.body)
		}
		if b := c.sendBody(t, "PATCH", path, "application/merge-patch+json", patch); b.status == 200 {
			want = merged(want, own(t, patch)).(map[string]any)
			if got := own(t, b.body); !reflect.DeepEqual(got, want) {
				t.Errorf("%q patched with %q is %s, want %v", document, patch, b.body, want)
			}
			if again := c.sendBody(t, "PATCH", path, "application/merge-patch+json", patch); again.status != 200 || !bytes.Equal(again.body, b.body) {
				t.Errorf("%q patched with %q again: %d %s, not %s", document, patch, again.status, again.body, b.body)
			}
		}
		if got := own(t, c.sendBody(t, "GET", path, "", nil).body); !reflect.DeepEqual(got, want) {
			t.Errorf("%q, %q: read back as %v, want %v", document, patch, got, want)
		}
	})
}

// merged is MergePatch of RFC 7396, section 2, word by word.
func merged(target, patch any) any {
	members, isObject := patch.(map[string]any)
	if !isObject {
		return patch
	}
	result, ok := target.(map[string]any)
	if !ok {
		result = map[string]any{}
	}
	for name, value := range members {
		if value == nil {
			delete(result, name)
		} else {
			result[name] = merged(result[name], value)
		}
	}
	return result
}

// FuzzWebhooks throws bodies at the registration of webhooks: what is taken is read back, and is the same when it is sent
// back.
func FuzzWebhooks(f *testing.F) {
	for _, seed := range []string{`{"url":"http://nas/","events":["entity.updated","*"],"filter":{"area_id":["kitchen"]},"team":"x","status":"disabled"}`, `{}`, `[]`, `{"url":"http://nas/","events":["device.*"],"secret":"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"}`,
		`{"url":"http://127.0.0.1:1/","events":["*.created"],"filter":null,"team":null}`, `{"url":"http://nas/","url":"http://nas/","events":["*"]}`, `{"url":"http://nas/","events":["\u002a"],"filter":{"model":["\u0000","é"]},"team":"\u0000"}`,
		"{\"url\":\"http://nas/\",\"events\":[\"*\"],\"team\":\"\xff\"}", `{"url":"http://n\u0000s/","events":["*"]}`, `{"webhook_url":"http://nas/","secret":"s","events":["game_started"],"filters":{}}`} {
		f.Add([]byte(seed))
	}
	c := withPast(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range []string{"/api/v1/webhooks", "/api/v1/ha/webhooks/register"} {
			a := c.sendBody(t, "POST", path, "application/json", body)
			if a.status/100 != 2 {
				continue
			}
			id, _ := a.json()["id"].(string)
			at := "/api/v1/webhooks/" + id
			made := c.sendBody(t, "GET", at, "", nil).want(200)
			if want := decoded(t, body); made.json()["url"] != want["url"] && made.json()["url"] != want["webhook_url"] || fmt.Sprint(made.json()["events"]) != fmt.Sprint(want["events"]) {
				t.Errorf("%q is read back as %s", body, made.body)
			}
			if strings.Contains(string(made.body), `"secret"`) {
				t.Errorf("%q shows its secret: %s", body, made.body)
			}
			again := c.sendBody(t, "PATCH", at, "application/json", made.body)
			if path == "/api/v1/webhooks" || again.status == 200 { // events of the predecessor's are none to us
				was, is := again.want(200).json(), made.json()
				was["updated_at"], is["updated_at"] = nil, nil
				if !reflect.DeepEqual(was, is) {
					t.Errorf("%q: sent back it is %s, and was %s", body, again.body, made.body)
				}
			}
			c.sendBody(t, "DELETE", at, "", nil).want(200)
			c.sendBody(t, "GET", at, "", nil).want(404)
		}
	})
}

// FuzzPast throws states at the intake: what is said to be stored is read back, and is a duplicate when it comes again.
func FuzzPast(f *testing.F) {
	at := time.Now().Add(-time.Hour).Truncate(time.Second).UTC()
	stamp := at.Format(time.RFC3339)
	for _, seed := range []string{`{"entity_id":"light.a","state":"on","time":"` + stamp + `"}`, `[{"entity_id":"sensor.a","state":21.50,"time":"` + stamp + `","attributes":{"a":[1]},"context":"c"},7]`,
		fmt.Sprintf(`{"entity_id":"sensor.a","state":"\u0007\"\\x","time":%d.25}`, at.Unix()), `{"event_type":"state_changed","time_fired":"` + stamp + `","data":{"entity_id":"a.b","new_state":{"state":"😀"}}}`} {
		f.Add([]byte(seed), false)
	}
	f.Add(fmt.Appendf(nil, "C,domain=sensor,entity_id=a value=1,x_str=\"y\" %d\nm,entity_id=a.b state=\"x\ny\" %d\nbad", at.UnixMilli(), at.UnixMilli()), true)
	c := withPast(f)
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		var readings []hass.Reading
		path, media := "/api/v1/events", "application/json"
		if lines {
			path, media = "/write?db=x&precision=ms", "text/plain"
			readings = hass.ReadLines(body, time.Millisecond, time.Now())
		} else {
			readings, _ = hass.ReadStates(body)
		}
		a := c.sendBody(t, "POST", path, media, body)
		if lines && a.status == 204 {
			a = response{t, 200, nil, nil}
		}
		if a.status != 200 && !lines {
			return
		}
		for i, r := range readings {
			if r.Problem != nil || r.Ignored || lines && !strings.Contains(string(body), fmt.Sprint(r.Point.Time/1000)) {
				continue
			}
			taken := r.Point.Check(time.Now(), 0) == "" && time.Since(r.Point.Time.Time()) < 24*time.Hour
			last := !slices.ContainsFunc(readings[i+1:], func(o hass.Reading) bool { return o.Point.EntityID == r.Point.EntityID })
			if taken && last && i == 0 {
				c.hasState(t, r, body)
			}
		}
	})
}

// hasState holds the past to have a state, at its time.
func (c *caller) hasState(t *testing.T, r hass.Reading, body []byte) {
	t.Helper()
	at := r.Point.Time.Time().UTC().Format(time.RFC3339Nano)
	a := c.sendBody(t, "GET", "/api/v1/entities/"+r.Point.EntityID+"/state?at="+url.QueryEscape(at), "", nil)
	if a.status != 200 || a.json()["state"] == nil {
		t.Errorf("%q: of %s at %s it is said %d %s", body, r.Point.EntityID, at, a.status, a.body)
	}
}

// FuzzRegistry throws homes at the registry: all of it is taken or none, and a home that was taken is no change.
func FuzzRegistry(f *testing.F) {
	for _, seed := range []string{`{"areas":[{"area_id":"kitchen","name":"Kitchen","floor_id":"g"}],"devices":[{"id":"d","area_id":"kitchen"}],"entities":[{"entity_id":"light.a","device_id":"d"}]}`, `{}`, `[]`, `{"areas":{}}`, `{"floors":[null]}`,
		`{"labels":[{"label_id":"a","name":"A","color":"\u0000"}],"labels":[]}`, `{"config_entries":[{"entry_id":"e","domain":"hue","options":{"x":1}}],"version":1}`, `{"entities":[{"entity_id":"light.a","id":"1"},{"entity_id":"light.b","id":"1"}]}`, `{"Areas":[]}`} {
		f.Add([]byte(seed))
	}
	c := withPast(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		const path = "/api/v1/registry?force=true"
		if c.sendBody(t, "PUT", path, "application/json", body).status != 200 {
			return
		}
		again := c.sendBody(t, "PUT", path, "application/json", body).want(200)
		for kind, outcome := range again.json()["registries"].(map[string]any) {
			of := outcome.(map[string]any)
			if of["created"] != 0.0 || of["updated"] != 0.0 || of["deleted"] != 0.0 {
				t.Errorf("%q again: %s: %v", body, kind, of)
			}
		}
		c.sendBody(t, "PUT", path, "application/json", []byte(`{"floors":[],"labels":[],"areas":[],"config_entries":[],"devices":[],"entities":[]}`)).want(200)
	})
}
