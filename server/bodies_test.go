package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for _, test := range []struct {
		contentType string
		status      int
	}{
		{"application/json", 200}, {"application/json; charset=utf-8", 200}, {"Application/JSON", 200}, {"application/vnd.home+json", 200}, {"application/json;", 200},
		{"", 415}, {"text/plain", 415}, {"text/json", 415}, {"application/x-www-form-urlencoded", 415}, {"multipart/form-data; boundary=x", 415},
		{"json", 415}, {"*/*", 415}, {"application/jsonp", 415}, {"application/json, text/plain", 415}, {"application/octet-stream", 415}, {";", 415},
	} {
		for _, noun := range []string{"devices", "entities"} {
			a := c.do("POST", "/internal/"+noun+"/bulk_upsert", "[]", "Content-Type: "+test.contentType)
			if a.status != test.status {
				t.Errorf("%q: %d, want %d", test.contentType, a.status, test.status)
			} else if a.status != 200 {
				a.problem(415)
			}
		}
	}
	c.do("POST", "/internal/devices/bulk_upsert", "[]").problem(415)
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	item, whole := `[{"id":"d"}]`, zipped(`[{"id":"d"}]`)
	broken := []byte(whole)
	broken[len(broken)-5] ^= 1 // the checksum
	for _, test := range []struct {
		encoding, body string
		status         int
	}{
		{"gzip", whole, 200}, {"GZIP", whole, 200}, {"x-gzip", whole, 200}, {"identity", item, 200}, {"", item, 200},
		{"gzip", zipped(`[{"id":"d"}`) + zipped(`]`), 200},
		{"gzip", item, 400}, {"gzip", "", 400}, {"gzip", whole[:9], 400}, {"gzip", whole[:len(whole)-3], 400}, {"gzip", whole + "junk", 400}, {"gzip", string(broken), 400},
		{"gzip", zipped(whole), 400}, {"", whole, 400},
		{"deflate", item, 415}, {"br", item, 415}, {"gzip, gzip", zipped(whole), 415}, {"identity\nContent-Encoding: gzip", whole, 415},
	} {
		headers := append(strings.Split("Content-Encoding: "+test.encoding, "\n"), "Content-Type: application/json")
		a := c.do("POST", "/internal/devices/bulk_upsert", test.body, headers...)
		if a.status != test.status {
			t.Errorf("%q of %.20q: %d, want %d", test.encoding, test.body, a.status, test.status)
		} else if a.status != 200 {
			a.problem(test.status)
		}
	}
}

// TestTooLarge sends more than MAX_BODY_BYTES: with and without a length, and as a bomb of a few bytes.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	const most = 1000
	c := serveDB(t, prepared(t, ":memory:"), func(config *Config) { config.MaxBody = most })
	padded := func(n int) string { return "[" + strings.Repeat(" ", n-2) + "]" }
	for _, test := range []struct {
		size   int
		status int
	}{{most - 1, 200}, {most, 200}, {most + 1, 413}, {20 * most, 413}, {5000 * most, 413}} {
		for name, body := range map[string]string{"plain": padded(test.size), "gzip": zipped(padded(test.size))} {
			for _, chunked := range []bool{true, false} {
				r, _ := http.NewRequest("POST", c.url+"/internal/entities/bulk_upsert", strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				if name == "gzip" {
					r.Header.Set("Content-Encoding", name)
				}
				if chunked {
					r.ContentLength = -1
				}
				if a := c.send(r); a.status != test.status {
					t.Errorf("%s of %d bytes, chunked %v: %d, want %d", name, test.size, chunked, a.status, test.status)
				} else if a.status != 200 {
					a.problem(413)
				}
			}
		}
	}
	c.row("/api/v1/devices")
}

// TestBrokenBodies sends what is no JSON list: nothing is stored, and the answer says where it broke.
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	good := `{"id":"good"}`
	for _, body := range []string{"", " ", "null", "true", "7", `"text"`, "{}", good, `{"devices":[` + good + `]}`, "[", "[" + good, "[" + good + ",", "[" + good + ",]",
		"[,]", "[" + good + "]]", "[" + good + "] x", "[" + good + "]" + good, "[" + good + "][]", "['a']", "[{id:1}]", `[{"id":"a" "b":1}]`, `[{"id":"a"`, `[{"id":"a`,
		`[{"id":"\x"}]`, `[{"id":"\u12"}]`, "[{\"id\":\"a\nb\"}]", "[01]", "[1.]", "[+1]", "[NaN]", "[Infinity]", "[-]", "[1e]", "[tru]", "[/*c*/]", "\ufeff[]", "[\x00]",
		"<xml/>", "a=b&c=d", strings.Repeat("[", 10001) + strings.Repeat("]", 10001), strings.Repeat("[", 1000000), strings.Repeat(`{"a":`, 1000000), "\xff\xfe[\x00]\x00"} {
		p := c.post("devices", body).problem(400)
		if detail, _ := p["detail"].(string); detail == "" || len(detail) > 200 {
			t.Errorf("%.40q: detail %q", body, detail)
		}
	}
	if n := c.row("/api/v1/devices")["count"]; n != 0.0 {
		t.Errorf("%v devices", n)
	}
}

// TestDeepNesting sends values nested as deep as a JSON reader may go: whatever is done with them, the
// entry beside them is stored, and everything can be read after.
func TestDeepNesting(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{10, 60, 500, 999, 1000, 1001, 4998, 9990, 9996, 9997, 9998} {
		c := inMemory(t)
		arrays := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		objects := strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth)
		for i, member := range []string{"identifiers", "connections", "config_entries_subentries", "sw_version", "unheard_of", "labels", "name"} {
			for j, deep := range []string{arrays, objects, "[" + objects + "]", `{"a":` + arrays + "}"} {
				c.deep(t, "devices", fmt.Sprintf(`{"id":"deep%d%d","%s":%s}`, i, j, member, deep), `{"id":"beside"}`, depth)
			}
		}
		for i, member := range []string{"options", "capabilities", "categories", "aliases_v2", "unheard_of", "unique_id"} {
			for j, deep := range []string{arrays, objects} {
				c.deep(t, "entities", fmt.Sprintf(`{"entity_id":"sensor.deep%d%d","%s":%s}`, i, j, member, deep), `{"entity_id":"sensor.beside"}`, depth)
			}
		}
		for _, path := range []string{"devices?limit=1000", "entities?limit=1000", "labels", "areas", "devices/beside", "entities/sensor.beside"} {
			if a := c.get("/api/v1/" + path); a.status != 200 {
				t.Fatalf("depth %d poisons %s: %d %s", depth, path, a.status, a.body)
			}
		}
	}
}

// deep pushes a deep entry with another beside it.
func (c *caller) deep(t *testing.T, noun, entry, beside string, depth int) {
	a := c.post(noun, "["+entry+","+beside+"]")
	switch {
	case a.status == 400 && depth > 9990: // too deep for the whole
		c.pushOnly(noun, "["+beside+"]")
	case a.status != 200:
		t.Errorf("depth %d: %.60s: %d %s", depth, entry, a.status, a.body)
	case !strings.Contains(string(a.body), `"upserted":2`) && !strings.Contains(string(a.body), `"upserted":1`):
		t.Errorf("depth %d: %.60s: %s", depth, entry, a.body)
	}
}

// TestOddText sends text that is hard to keep: what is stored is valid UTF-8 and JSON, and can be found.
func TestOddText(t *testing.T) {
	t.Parallel()
	c := inMemory(t)
	for i, text := range []string{`\u0000`, `a\u0000b`, "\xff", "a\xc3", "\xed\xa0\x80", `\ud800`, `\udc00\ud800`, `\ud83d\ude00`, `\u2028`, `</script>`, "\u007f", `\"\\\/\b\f\n\r\t`} {
		id := fmt.Sprintf("d%02d", i)
		c.post("devices", fmt.Sprintf(`[{"id":"%s","name":"%s","manufacturer":"%s","model":"%s","labels":["%s"],"area_id":"%s","identifiers":[["%s","x"]],"x-%s":{"%s":"%s"}}]`,
			id, text, text, text, text, text, text, text, text, text)).want(200)
		c.post("devices", fmt.Sprintf(`[{"id":"id-%s"}]`, text)).want(200)
		c.post("entities", fmt.Sprintf(`[{"entity_id":"sensor.s%d","platform":"%s","device_id":"%s","options":{"%s":["%s"]},"unique_id":"%s"},{"entity_id":"a.%s"}]`,
			i, text, text, text, text, text, text)).want(200)
	}
	for _, path := range []string{"devices", "entities", "labels", "areas"} {
		member := strings.Replace(strings.TrimSuffix(path, "s")+"_id", "entitie", "entity", 1)
		a := c.get("/api/v1/" + path + "?limit=1000").want(200)
		if !json.Valid(a.body) || !validText(a.body) {
			t.Errorf("%s: not valid: %q", path, a.body)
		}
		whole := idsIn(a.json(), path, member)
		if got := c.walk("/api/v1/"+path+"?limit=1", path, member, func(int) {}); !slices.Equal(got, whole) {
			t.Errorf("%s: one by one %q, at once %q", path, got, whole)
		}
	}
}

// validText says whether JSON holds valid UTF-8 only.
func validText(body []byte) bool { return bytes.Equal(bytes.ToValidUTF8(body, []byte("!")), body) }
