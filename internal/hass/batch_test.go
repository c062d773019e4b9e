package hass

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestReadBatch(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{`[]`, nil},
		{" [ \n ] \t\r\n", nil},
		{`[1, "a" ,null,true,[2],{"a" : 1}]`, []string{`1`, `"a"`, `null`, `true`, `[2]`, `{"a" : 1}`}},
		{"[\"\xff\",{\"a\":1,\"a\":2},\"\\ud800\"]", []string{"\"\xff\"", `{"a":1,"a":2}`, `"\ud800"`}},
		{`[` + strings.Repeat("{},", 5000) + `{}]`, strings.Split(strings.Repeat("{},", 5000)+"{}", ",")},
	} {
		batch, err := ReadBatch([]byte(c.text))
		if err != nil || len(batch) != len(c.want) {
			t.Errorf("%.60q: %d elements, %v; want %d", c.text, len(batch), err, len(c.want))
			continue
		}
		for i, v := range batch {
			if string(v) != c.want[i] {
				t.Errorf("%.60q: element %d is %q, want %q", c.text, i, v, c.want[i])
			}
		}
	}
}

func TestReadBatchErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                    "it ends too early",
		` `:                   "it ends too early",
		`{}`:                  "it begins with another value",
		`null`:                "it begins with another value",
		`"[]"`:                "it begins with another value",
		`7`:                   "it begins with another value",
		`nul`:                 "it ends too early",
		`hello`:               "broken at byte 0",
		`]`:                   "broken at byte 0",
		` }`:                  "broken at byte 1",
		"\xef\xbb\xbf[]":      "broken at byte 0",
		`[1,,2]`:              "broken at byte 3",
		`[1 2]`:               "broken at byte 3",
		`[1,]`:                "broken at byte 2",
		`[{"a":1,}]`:          "broken at byte 8",
		`[{"a" 1}]`:           "broken at byte 6",
		`[{a:1}]`:             "broken at byte 2",
		`[01]`:                "broken at byte 2",
		`[tru]`:               "broken at byte 4",
		`["a` + "\n" + `"]`:   "broken at byte 3",
		`["\x"]`:              "broken at byte 2",
		`[1}`:                 "broken at byte 2",
		`[]]`:                 "something follows the list, at byte 2",
		`[1] x`:               "something follows the list, at byte 3",
		` [1]  "x"`:           "something follows the list, at byte 4",
		`[] []`:               "something follows the list, at byte 2",
		"[]\x00":              "something follows the list, at byte 2",
		`[NaN]`:               "broken at byte 1",
		`[` + `{"a":[}` + `]`: "broken at byte 7",
	} {
		batch, err := ReadBatch([]byte(text))
		if !errors.Is(err, ErrSyntax) || batch != nil {
			t.Errorf("%q: %d elements, %v; want ErrSyntax", text, len(batch), err)
			continue
		}
		if got := err.Error(); got != "not a JSON list: "+want {
			t.Errorf("%q: %s, want … %s", text, got, want)
		}
	}
}

// A list that was cut off is never taken for a shorter one, wherever the cut is.
func TestReadBatchCutOff(t *testing.T) {
	const text = ` [{"é":"a\u00e9\n","b":[1,-2.5e3,null,true,false,{}]}, "x",{}]`
	if _, err := ReadBatch([]byte(text)); err != nil {
		t.Fatal(err)
	}
	for n := range len(text) {
		if _, err := ReadBatch([]byte(text[:n])); !errors.Is(err, ErrSyntax) || !strings.HasSuffix(err.Error(), "it ends too early") {
			t.Errorf("%q: %v, want one that says that it ends too early", text[:n], err)
		}
	}
}

func TestReadBatchDepth(t *testing.T) {
	for _, depth := range []int{100, 9_990, 100_000} {
		text := strings.Repeat("[", depth) + strings.Repeat("]", depth)
		if _, err := ReadBatch([]byte(text)); (err == nil) != (depth < 10_000) {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

// FuzzReadBatch holds ReadBatch to encoding/json: the same texts are lists, of the same elements, which
// are the same bytes; and whatever is in them can be taken apart and put in order.
func FuzzReadBatch(f *testing.F) {
	for _, seed := range []string{
		``, `[]`, `[1,2]`, ` [ {"a":1} , null ] `, `[{"a":"\u00e9\ud83d\ude00\ud800"}]`, "[\"\xff\xfe\"]", `[[[[]]]]`, `[1}`, `[] x`,
		`[{"b":1,"a":[{"d":1e5,"c":-0}],"a":{}}]`, `[""]`, `["\/\b\f\n\r\t\"\\"]`, "[1\n,\t2\r]", `[{"":""}]`, `[{"\u0061":1,"a":2}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		original := bytes.Clone(text)
		batch, err := ReadBatch(text)
		want, isList := listOf(original)
		if (err == nil) != isList {
			t.Fatalf("error %v, but encoding/json finds a list: %v", err, isList)
		}
		if !bytes.Equal(text, original) {
			t.Fatal("the text was changed")
		}
		if len(batch) != len(want) {
			t.Fatalf("%d elements, want %d", len(batch), len(want))
		}
		for i, v := range batch {
			if !bytes.Equal(v, want[i]) {
				t.Fatalf("element %d is %q, want %q", i, v, want[i])
			}
			takeApart(t, v)
		}
	})
}

func listOf(text []byte) (elements []json.RawMessage, ok bool) {
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	ok = len(trimmed) > 0 && trimmed[0] == '[' && json.Unmarshal(text, &elements) == nil
	return elements, ok
}

func takeApart(t *testing.T, v jsontext.Value) {
	t.Helper()
	before := string(v)
	members, ok := names{}.membersOf(v, nil)
	if ok != (v.Kind() == '{') {
		t.Fatalf("%q is an object: %v", v, ok)
	}
	once := canonical(v)
	if !json.Valid(once) || string(canonical(once)) != string(once) {
		t.Fatalf("canonical form of %q is %q, of which it is %q", v, once, canonical(once))
	}
	if object := merged("", members); !json.Valid([]byte(object)) {
		t.Fatalf("%q merged into nothing is %q", v, object)
	}
	if string(v) != before {
		t.Fatalf("%q became %q", before, v)
	}
}
