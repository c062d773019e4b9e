package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// curl is what a curl command asks.
type curl struct {
	method, target, body string
	header               http.Header
}

// curlOf reads a command, with those options that documents need.
func curlOf(command string) (c curl, err error) {
	c.header = http.Header{}
	args, err := words(command)
	if err != nil || len(args) == 0 || args[0] != "curl" {
		return c, err
	}
	for args = args[1:]; len(args) > 0 && err == nil; args = args[1:] {
		option, value := args[0], ""
		if slices.Contains([]string{"-X", "-H", "-d", "--data-urlencode"}, option) && len(args) > 1 {
			value, args = args[1], args[1:]
		}
		err = c.set(option, value)
	}
	return c, err
}

func (c *curl) set(option, value string) error {
	switch option {
	case "-X":
		c.method = value
	case "-H":
		name, text, _ := strings.Cut(value, ":")
		c.header.Add(name, strings.TrimSpace(text))
	case "-d", "--data-urlencode":
		c.method, c.body = cmp.Or(c.method, http.MethodPost), value
	case "-N", "-s", "-i":
	default:
		if strings.HasPrefix(option, "-") || c.target != "" {
			return fmt.Errorf("this test does not know %s", option)
		}
		c.target = option
	}
	return nil
}

// requestOf is what a command asks of data-api on its own port, sent to another address; nil if it asks something
// else. In place of CURSOR is one of the change log, and of $(date -Is) the time.
func requestOf(command, base string) (*http.Request, error) {
	c, err := curlOf(strings.ReplaceAll(command, "$(date -Is)", time.Now().Format(time.RFC3339)))
	path, ours := strings.CutPrefix(strings.TrimPrefix(c.target, "http://"), "localhost:8006")
	if err != nil || !ours {
		return nil, err
	}
	if strings.Contains(path, "CURSOR") {
		cursor, err := cursorOf(base)
		if err != nil {
			return nil, err
		}
		path = strings.ReplaceAll(path, "CURSOR", cursor)
	}
	q, err := http.NewRequest(c.method, base+path, strings.NewReader(c.body))
	if err == nil {
		q.Header = c.header
	}
	return q, err
}

// cursorOf is where the change log goes on after its first change.
func cursorOf(base string) (string, error) {
	response, err := http.Get(base + "/api/v1/changes?limit=1")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var changes struct {
		Next string `json:"next_cursor"`
	}
	return changes.Next, json.NewDecoder(response.Body).Decode(&changes)
}

// words splits a command as a shell does, as far as documents need it: quotes, and a comment at the end.
func words(command string) (all []string, err error) {
	word, open, quote := "", false, rune(0)
	for _, r := range command + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' && (open || word != ""):
			all, word, open = append(all, word), "", false
		case r == ' ':
		case r == '#' && word == "" && !open:
			return all, nil
		case strings.ContainsRune("$`\\|;&<>()", r):
			return nil, fmt.Errorf("this test does not know %c", r)
		default:
			word += string(r)
		}
	}
	if quote != 0 {
		err = errors.New("a quote is not closed")
	}
	return all, err
}

func TestWords(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		`curl  'a b'   c`:          "curl|a b|c",
		`curl 'a?b&c' # and so on`: "curl|a?b&c",
		`curl -d '{"a":"'x'"}' ""`: `curl|-d|{"a":"x"}|`,
		`curl 'a`:                  "!",
		`curl a?b&c`:               "!", // a shell would run it in the background
		`curl $(date)`:             "!",
	} {
		got, err := words(command)
		if s := strings.Join(got, "|"); (err != nil) != (want == "!") || err == nil && s != want {
			t.Errorf("%s: %q, %v", command, s, err)
		}
	}
}
