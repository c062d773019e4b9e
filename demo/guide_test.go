package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// livedIn serves the demo home with a day of past, as make demo does.
func livedIn(t *testing.T) feeder {
	t.Helper()
	f, ctx := served(t), t.Context()
	if err := f.open(ctx, filepath.Join(demoHome, "states.json")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if _, err := f.send(ctx, f.past(now.Add(-24*time.Hour), now)); err != nil {
		t.Fatal(err)
	}
	return f
}

// example is a command that a document shows, and what it says comes back: "" if it does not.
type example struct{ file, command, answer string }

// TestGuide runs each curl command of README and docs/ that asks data-api, and compares the answers that they show.
// What is shown without an answer must be taken.
func TestGuide(t *testing.T) {
	t.Parallel()
	f := livedIn(t)
	asked, compared := 0, 0
	for _, e := range examples(t) {
		q, err := requestOf(e.command, f.url)
		if err != nil {
			t.Errorf("%s: %s: %v", e.file, e.command, err)
		}
		if q == nil || err != nil {
			continue
		}
		asked++
		if e.answer != "" {
			compared++
		}
		e.hold(t, q)
	}
	if asked < 40 || compared < 15 {
		t.Errorf("%d commands, %d of them with answers", asked, compared)
	}
}

// hold asks, and compares the answer. A stream is answered when it has begun.
func (e example) hold(t *testing.T, q *http.Request) {
	t.Helper()
	response, err := http.DefaultClient.Do(q.WithContext(t.Context()))
	if err != nil {
		t.Errorf("%s: %s: %v", e.file, e.command, err)
		return
	}
	defer response.Body.Close()
	if e.answer == "" && response.StatusCode/100 != 2 {
		t.Errorf("%s: %s: %s", e.file, e.command, response.Status)
	}
	if e.answer == "" {
		return
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if json := strings.Contains(response.Header.Get("Content-Type"), "json"); !same(e.answer, string(body), json) {
		t.Errorf("%s: %s\nshows %s\n  got %.3000s", e.file, e.command, e.answer, body)
	}
}

// examples finds commands in blocks: in those of consoles what comes after a $ is one, and the answer follows.
// Elsewhere each line that begins with curl is one.
func examples(t *testing.T) (all []example) {
	t.Helper()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, examplesIn(file, strings.ReplaceAll(string(text), "\\\n", " "))...)
	}
	return all
}

func examplesIn(file, text string) (all []example) {
	console := false
	for line := range strings.Lines(text) {
		command, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			console = strings.HasPrefix(line, "```console")
		case console && prompt:
			all = append(all, example{file: file, command: strings.TrimSpace(command)})
		case console:
			all[len(all)-1].answer += line
		case strings.HasPrefix(strings.TrimLeft(line, " "), "curl "):
			all = append(all, example{file: file, command: strings.TrimSpace(line)})
		}
	}
	return all
}

var (
	volatileTime  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`)
	volatileValue = regexp.MustCompile(`"value":-?[\d.]+`)
	fraction      = regexp.MustCompile(`-?\d+\.\d+`)
)

// same tells whether an answer is what is shown. An ellipsis stands for anything, times and measured values for
// others of their kind; in JSON space does not count.
func same(shown, got string, json bool) bool {
	shown, got = strings.TrimSpace(shown), strings.TrimSpace(got)
	if json {
		shown, got = compact(shown), compact(got)
	}
	for _, text := range []*string{&shown, &got} {
		*text = volatileTime.ReplaceAllLiteralString(*text, "TIME")
		*text = volatileValue.ReplaceAllLiteralString(*text, `"value":0.5`)
		*text = fraction.ReplaceAllLiteralString(*text, "FRACTION")
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(shown), "…", ".*")
	return regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(got)
}

// compact leaves out space that is not in a text.
func compact(json string) string {
	var out strings.Builder
	quoted, escaped := false, false
	for _, r := range json {
		switch {
		case escaped:
			escaped = false
		case r == '\\':
			escaped = true
		case r == '"':
			quoted = !quoted
		}
		if quoted || !strings.ContainsRune(" \n\t\r", r) {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// The comparison itself must be able to fail.
func TestSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shown, got string
		json, want bool
	}{
		{`{"a": 1}`, `{"a":1}`, true, true},
		{`{"a":"x y"}`, `{"a":"xy"}`, true, false},
		{`{"a":1,…}`, `{"a":1,"b":[2,3]}`, true, true},
		{`{"a":1,…}`, `{"a":2,"b":[2,3]}`, true, false},
		{`{"at":"2026-01-01T00:00:00Z","value":5}`, `{"at":"2026-02-03T04:05:06.789Z","value":7.25}`, true, true},
		{`{"n":5}`, `{"n":7}`, true, false},
		{"a\n…\n  c\n", "a\nb\nb\n  c\n", false, true},
		{"a\n…\n  c\n", "a\nb\nb\nc\n", false, false},
		{"name,value\nx,1.5\n", "name,value\nx,2.25\n", false, true},
		{"name,value\nx,1.5\n", "name,value\ny,2.25\n", false, false},
	} {
		if got := same(c.shown, c.got, c.json); got != c.want {
			t.Errorf("%s and %s: %t", c.shown, c.got, got)
		}
	}
}
