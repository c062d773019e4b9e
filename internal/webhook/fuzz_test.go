package webhook

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"dataapi/db"
	"dataapi/db/dbtype"
)

// FuzzFile throws text at the reader of the predecessor's webhooks: what is taken has all that a webhook needs, and what
// is refused is named by its place, without a value.
func FuzzFile(f *testing.F) {
	const good = `{"a":{"url":"http://nas:8123/x","events":["game_live"],"secret":"canary","team":"nyy","created_at":"2026-01-02T03:04:05.123456"}}`
	for _, seed := range []string{good, ``, `{}`, `[]`, `null`, `{"a":7}`, `{"":{}}`, `{"a":{"url":"ftp://x","events":null,"secret":""}}`, good + "x", good[:40], strings.Replace(good, `"nyy"`, "null", 1),
		"{\n\n  \"ü\": {\"url\": 5,\n\"secret\": \"canary\"}}", `{"a":{"secret":"canary","secret":"b"}}`, "{\"a\":{\"secret\":\"canary\xff\"}}", `{"a":{"url":"http://\u0000canary/"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := string(text)
		all, err := ParseFile(text)
		if string(text) != before {
			t.Fatal("the text was changed")
		}
		if err != nil {
			if all != nil || strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("%q: %v, %v", text, all, err)
			}
			return
		}
		if !json.Valid(text) {
			t.Errorf("%q is no JSON, and was taken", text)
		}
		for _, k := range all {
			u, err := url.Parse(k.URL)
			if k.ID == "" || k.Secret == "" || k.Events == nil || err != nil || u.Hostname() == "" {
				t.Errorf("%q: %+v", text, k)
			}
			if k.CreatedAt != nil {
				if _, err := time.Parse("2006-01-02T15:04:05.000000Z", *k.CreatedAt); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
	})
}

// FuzzFilter throws filters at their reader: what is taken is the same when it is written and read again, wants each row
// that has what it asks for, and not one that has nothing.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`{}`, `{"area_id":["kitchen","none"]}`, `{"area_id":"none"}`, `{"id":["a"],"domain":["light"],"label_id":["x"]}`, `null`, `[]`, `{"colour":["red"]}`, `{"area_id":[]}`,
		`{"area_id":[1]}`, `{"area_id":null}`, `{"AREA_ID":["x"]}`, "{\"model\":[\"\xff\"]}", `{"model":["\ud800"]}`, `{"model":["a"],"model":["b"]}`, `{"from":["off"],"to":"on","above":1,"below":-1e300}`, `{"above":null}`, `{"above":1e400}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		filter, problems := ParseFilter(text)
		if problems != nil {
			return
		}
		again, err := json.Marshal(filter)
		if err != nil {
			t.Fatal(err)
		}
		if f, problems := ParseFilter(again); problems != nil || !reflect.DeepEqual(f, filter) {
			t.Errorf("%q is %v, which is written %s and read %v, %v", text, filter, again, f, problems)
		}
		has, none := map[string]any{}, map[string]any{"labels": []any{}}
		for name, values := range filter.Rows {
			has[name] = values[0]
			if name == "label_id" {
				has["labels"] = []any{values[0]}
			}
			if name == "area_id" && values[0] == "none" {
				has[name] = nil
			}
		}
		row, _ := json.Marshal(has)
		c := db.Change{Kind: "entity", Action: "updated", After: dbtype.JSON(row)}
		if ids := filter.Rows["id"]; ids != nil {
			c.ID = ids[0]
		}
		if !filter.Want(c) {
			t.Errorf("%q does not want %s", text, row)
		}
		row, _ = json.Marshal(none)
		if c := (db.Change{Kind: "entity", Action: "updated", ID: "\x00", After: dbtype.JSON(row)}); filter.Want(c) != (len(filter.Rows) == 0) {
			t.Errorf("%q on %s: %v", text, row, filter.Want(c))
		}
	})
}

// FuzzTargets throws URLs at what says whether a webhook may be there: one that may be is called at the host that was
// looked at, and this machine is never called by an address.
func FuzzTargets(f *testing.F) {
	for _, seed := range []string{"http://nas:8123/api", "http://127.0.0.1/", "http://[::1]/", "http://0x7f.1/", "http://2130706433/", "http://user:pw@h/", "http://h:0/", "http://h:99999/", "http:///x", "//h/", "http://[::ffff:127.0.0.1]/",
		"http://h\\@127.0.0.1/", "http://127.1/", "http://localhost./", "HTTP://H/", "http://[fe80::1%25eth0]/", "http://①②⑦.0.0.1/", "http://h/\r\nX: 1", "http://h/#f", "http://h?q", "http://h:/", "http://h%00/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if (Targets{}).CheckURL(text) != nil {
			return
		}
		q, err := http.NewRequest("POST", text, nil)
		if err != nil {
			t.Errorf("%q was taken, and cannot be called: %v", text, err)
			return
		}
		u, err := url.Parse(q.URL.String())
		if err != nil || u.Host != q.URL.Host || strings.ContainsAny(q.URL.Host, " \r\n\x00") {
			t.Errorf("%q is called at %q: %v", text, q.URL.Host, err)
		}
	})
}

// FuzzSecret throws secrets at what says whether they are good: those that are sign so that a receiver who has the same
// secret finds it right, and one who has another does not.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{NewSecret(), "whsec_", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\n", "secret", "", "WHSEC_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"} {
		f.Add(seed, `{"type":"x"}`)
	}
	f.Fuzz(func(t *testing.T, secret, body string) {
		if CheckSecret(secret) != nil {
			return
		}
		header := http.Header{}
		if err := sign(header, []string{secret}, Message{ID: "msg_1", Body: body}, time.Now()); err != nil {
			t.Fatalf("%q: %v", secret, err)
		}
		for _, c := range []struct {
			secret string
			good   bool
		}{{secret, true}, {NewSecret(), false}} {
			hook, err := standardwebhooks.NewWebhook(c.secret)
			if err != nil {
				t.Fatalf("%q: %v", secret, err)
			}
			if err := hook.Verify([]byte(body), header); (err == nil) != c.good {
				t.Errorf("%q, checked with %q: %v", secret, c.secret, err)
			}
		}
	})
}

// FuzzPrefixes throws lists of networks at their reader: what is taken is the same when it is written and read again.
func FuzzPrefixes(f *testing.F) {
	for _, seed := range []string{"", "127.0.0.0/8, ::1", "10.0.0.1", "::ffff:10.0.0.0/104", "::ffff:0:0/0", "fe80::1%eth0", "0.0.0.0/0", "10.0.0.0/33", ",,"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParsePrefixes(text)
		if err != nil {
			return
		}
		var words []string
		for _, p := range all {
			if !p.IsValid() || p != p.Masked() {
				t.Errorf("%q: %v", text, p)
			}
			words = append(words, p.String())
		}
		if again, err := ParsePrefixes(strings.Join(words, ",")); err != nil || !slices.Equal(again, all) {
			t.Errorf("%q is %v, read again %v, %v", text, all, again, err)
		}
	})
}
