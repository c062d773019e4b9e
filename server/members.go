package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// deepest is how many levels of a body may be nested in one another.
const deepest = 100

// member is a member of a JSON object.
type member struct {
	name  string
	value jsontext.Value
}

// object reads a body that is a JSON object of at most limit bytes, in UTF-8, with each member once.
func (s *Server) object(r *http.Request, limit int64) ([]member, error) {
	body, err := s.body(r, limit)
	if err != nil {
		return nil, err
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	members, err := readMembers(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, syntax(fmt.Sprintf("something follows it, at byte %d", d.InputOffset()))
	}
	return members, nil
}

func readMembers(d *jsontext.Decoder) (members []member, err error) {
	switch begin, err := d.ReadToken(); {
	case err != nil:
		return nil, brokenAt(d, err)
	case begin.Kind() != '{':
		return nil, syntax("it begins with another value")
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, brokenAt(d, err)
		}
		m := member{name: name.String()}
		value, err := d.ReadValue()
		if err != nil {
			return nil, brokenAt(d, err)
		}
		m.value = value.Clone()
		if depthOf(m.value) >= deepest {
			return nil, syntax(fmt.Sprintf("%q is nested more than %d levels deep", m.name, deepest))
		}
		if strings.ContainsRune(m.name, 0) || hasNulName(m.value) {
			return nil, syntax(fmt.Sprintf("%q is, or holds, a member with U+0000 in its name", m.name))
		}
		members = append(members, m)
	}
	_, err = d.ReadToken()
	return members, err
}

// brokenAt says where a decoder found that its input is no JSON.
func brokenAt(d *jsontext.Decoder, err error) error {
	var s *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return syntax("it ends too early")
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &s):
		return syntax(fmt.Sprintf("a member is there twice, at byte %d", s.ByteOffset))
	case errors.As(err, &s):
		return syntax(fmt.Sprintf("broken at byte %d", s.ByteOffset))
	}
	return syntax(fmt.Sprintf("broken after byte %d", d.InputOffset()))
}

// depthOf is how many levels a value is nested; 0 of one that is no list and no object.
func depthOf(v jsontext.Value) (deepest int) {
	d := jsontext.NewDecoder(bytes.NewReader(v))
	for {
		if _, err := d.ReadToken(); err != nil {
			return deepest
		}
		deepest = max(deepest, d.StackDepth())
	}
}

// hasNulName says whether a member of a value, however deep, has U+0000 in its name: SQLite takes such a name for the one
// that ends there, and merges or removes another member than the one that is meant.
func hasNulName(v jsontext.Value) bool {
	if !bytes.Contains(v, []byte(`\u0000`)) {
		return false
	}
	for d := jsontext.NewDecoder(bytes.NewReader(v)); ; {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		kind, index := d.StackIndex(d.StackDepth())
		if kind == '{' && index%2 == 1 && token.Kind() == '"' && strings.ContainsRune(token.String(), 0) {
			return true
		}
	}
}
