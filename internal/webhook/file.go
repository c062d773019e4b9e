package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Kept is a webhook as the service before this one kept it.
type Kept struct {
	ID, URL, Secret string
	Events          []string // as they were called there; some may be no events here
	Team            *string
	CreatedAt       *string // RFC 3339 in UTC with six decimals
}

// ParseFile reads a webhooks.json of the service before this one: an object of id -> {url, events, secret, team,
// created_at}, of which the last two may be missing; other members are left out. The error names all that is
// wrong and the line and column of it, and no value, as that may be a secret. Whether a webhook may be where it
// is is judged when it is called.
func ParseFile(text []byte) ([]Kept, error) {
	f := file{text: text}
	if offset, whole := syntaxOf(text); !whole {
		f.refuse(offset, "broken JSON")
		return nil, f.err()
	}
	var all []Kept
	whole := f.members(0, text, func(at int, id string, value jsontext.Value) {
		all = append(all, f.webhook(at, id, value))
	})
	if !whole {
		f.refuse(0, "must be an object of webhooks by their ids")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return all, nil
}

// syntaxOf says whether a text is one JSON value, else where it is broken.
func syntaxOf(text []byte) (offset int, whole bool) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	_, err := d.ReadValue()
	var s *jsontext.SyntacticError
	switch {
	case errors.As(err, &s):
		return int(s.ByteOffset), false
	case err != nil:
		return int(d.InputOffset()), false
	}
	rest := bytes.TrimLeft(text[d.InputOffset():], " \t\r\n")
	return len(text) - len(rest), len(rest) == 0
}

// file is a file that is read, and what is wrong with it.
type file struct {
	text     []byte
	problems []error
}

func (f *file) err() error { return errors.Join(f.problems...) }

// refuse notes what is wrong at an offset.
func (f *file) refuse(offset int, problem string) {
	before := f.text[:min(offset, len(f.text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	f.problems = append(f.problems, fmt.Errorf("line %d, column %d: %s", line, column, problem))
}

// members visits those of an object that begins after offset, with the offsets of their values, and says whether
// it is one.
func (f *file) members(offset int, object jsontext.Value, visit func(at int, name string, value jsontext.Value)) bool {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if d.PeekKind() != '{' {
		return false
	}
	for d.ReadToken(); d.PeekKind() != '}'; {
		name, err := d.ReadToken()
		if err != nil {
			return false
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return false
		}
		visit(offset+int(d.InputOffset())-len(value), key, value.Clone())
	}
	return true
}

func (f *file) webhook(at int, id string, value jsontext.Value) Kept {
	k := Kept{ID: id}
	missing := map[string]bool{"url": true, "events": true, "secret": true}
	whole := f.members(at, value, func(at int, name string, value jsontext.Value) {
		delete(missing, name)
		if err := k.take(name, value); err != nil {
			f.refuse(at, name+" "+err.Error())
		}
	})
	if !whole {
		f.refuse(at, "a webhook must be an object")
		return k
	}
	if id == "" {
		f.refuse(at, "the id must not be empty")
	}
	for _, name := range []string{"url", "events", "secret"} {
		if missing[name] {
			f.refuse(at, name+" is missing")
		}
	}
	return k
}

// everywhere are all addresses.
var everywhere = Targets{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}

// take takes a member over.
func (k *Kept) take(name string, value jsontext.Value) error {
	switch name {
	case "url":
		if json.Unmarshal(value, &k.URL) != nil {
			k.URL = ""
		}
		return everywhere.CheckURL(k.URL)
	case "events":
		if json.Unmarshal(value, &k.Events) != nil || k.Events == nil {
			return errors.New("must be a list of texts")
		}
	case "secret":
		if json.Unmarshal(value, &k.Secret) != nil || k.Secret == "" {
			return errors.New("must be text, and not empty")
		}
	case "team":
		if json.Unmarshal(value, &k.Team) != nil {
			return errors.New("must be text or null")
		}
	case "created_at":
		return k.takeTime(value)
	}
	return nil
}

// takeTime takes a time, in UTC where it names no zone, as Python writes it.
func (k *Kept) takeTime(value jsontext.Value) error {
	var text *string
	if json.Unmarshal(value, &text) != nil {
		return errors.New("must be a time or null")
	}
	if text == nil {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, *text); err == nil {
			at := t.UTC().Format("2006-01-02T15:04:05.000000Z")
			k.CreatedAt = &at
			return nil
		}
	}
	return errors.New("must be a time such as 2026-11-02T18:00:00Z")
}
