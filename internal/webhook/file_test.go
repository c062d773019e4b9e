package webhook

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseFile(t *testing.T) {
	got, err := ParseFile([]byte(`{
  "a": {"url": "http://127.0.0.1:8123/x", "events": ["game_start", "entity.*"], "secret": "s", "total_calls": 7},
  "b": {"url": "https://h/", "events": [], "secret": "t", "team": "dal", "created_at": "2026-11-02T18:00:00.5+01:00"},
  "c": {"url": "http://h", "events": ["*"], "secret": "u", "team": null, "created_at": "2026-11-02T18:00:00.123456"}
}
`))
	if err != nil {
		t.Fatal(err)
	}
	team, b, c := "dal", "2026-11-02T17:00:00.500000Z", "2026-11-02T18:00:00.123456Z"
	want := []Kept{
		{ID: "a", URL: "http://127.0.0.1:8123/x", Events: []string{"game_start", "entity.*"}, Secret: "s"},
		{ID: "b", URL: "https://h/", Events: []string{}, Secret: "t", Team: &team, CreatedAt: &b},
		{ID: "c", URL: "http://h", Events: []string{"*"}, Secret: "u", CreatedAt: &c},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, err := ParseFile([]byte("{}")); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %+v, %v", got, err)
	}
}

// A file is refused as a whole, with the places of all that is wrong, and none of what may be a secret.
func TestParseFileRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "line 1, column 1: broken JSON",
		"{\n  \"a\": {\"url\": ":   "line 2, column 16: broken JSON",
		"{\n\"é\": hush}":          "line 2, column 6: broken JSON",
		"{}\n{}":                   "line 2, column 1: broken JSON",
		"{\"a\": {},\n \"a\": {}}": "line 2, column 2: broken JSON",
		"{\"a\": {}\n":             "line 2, column 1: broken JSON",
		"\n []":                    "line 1, column 1: must be an object of webhooks by their ids",
		"null":                     "line 1, column 1: must be an object of webhooks by their ids",
		`{"a": "hush"}`:            "line 1, column 7: a webhook must be an object",
		`{"": {"url":"http://h","events":[],"secret":"hush"}}`: "line 1, column 6: the id must not be empty",
		`{"a": {}}`: "line 1, column 7: url is missing\nline 1, column 7: events is missing\nline 1, column 7: secret is missing",
		"{\"a\": {\"url\": 7,\n\"events\": [7],\n\"secret\": \"\", \"team\": 7,\n \"created_at\": \"hush\"}}": "line 1, column 15: url must be the URL of a receiver, such as http://homeassistant.local:8123/api/webhook/abc, of at most 2000 bytes\n" +
			"line 2, column 11: events must be a list of texts\nline 3, column 11: secret must be text, and not empty\n" +
			"line 3, column 23: team must be text or null\nline 4, column 16: created_at must be a time such as 2026-11-02T18:00:00Z",
	} {
		got, err := ParseFile([]byte(text))
		if err == nil || err.Error() != want || got != nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q:\n%v, %+v; want\n%s", text, err, got, want)
		}
	}
}
