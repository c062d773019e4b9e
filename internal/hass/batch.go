package hass

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lenient takes what Home Assistant has been seen to write: doubled members (the last counts) and text
// that is not UTF-8 (replaced).
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// ErrSyntax says that a batch as a whole cannot be read: it is not JSON, or not a list. The text says
// where it is broken.
var ErrSyntax = errors.New("not a JSON list")

// Batch is a list of registry entries of one kind, as Home Assistant writes them.
type Batch []jsontext.Value

// ReadBatch splits a JSON list into its elements, which share the memory of text. The error is ErrSyntax.
func ReadBatch(text []byte) (Batch, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(text), lenient)
	if d.PeekKind() != '[' {
		if _, err := d.ReadToken(); err != nil {
			return nil, syntaxError(d, err)
		}
		return nil, fmt.Errorf("%w: it begins with another value", ErrSyntax)
	}
	elements, err := elementsOf(d, text)
	if err != nil {
		return nil, syntaxError(d, err)
	}
	end := d.InputOffset()
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows the list, at byte %d", ErrSyntax, end)
	}
	return elements, nil
}

func syntaxError(d *jsontext.Decoder, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	}
	var s *jsontext.SyntacticError
	if errors.As(err, &s) {
		return fmt.Errorf("%w: broken at byte %d", ErrSyntax, s.ByteOffset)
	}
	return fmt.Errorf("%w: broken after byte %d", ErrSyntax, d.InputOffset())
}

// elementsOf reads the list that comes next, whose elements share the memory of text, which d reads.
func elementsOf(d *jsontext.Decoder, text []byte) ([]jsontext.Value, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var elements []jsontext.Value
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		end := d.InputOffset()
		elements = append(elements, text[end-int64(len(v)):end:end])
	}
	_, err := d.ReadToken()
	return elements, err
}

// member is a name and a value of an object.
type member struct {
	name  string
	value jsontext.Value
}

// names are the names of members that were met, each once: all entries of a registry have the same.
type names map[string]string

// read is the name that a JSON string holds, with what is not UTF-8 replaced.
func (n names) read(text jsontext.Value) string {
	if name, ok := n[string(text)]; ok {
		return name
	}
	unquoted, _ := jsontext.AppendUnquote(nil, text)
	name := string(unquoted)
	if len(n) < mostNames {
		n[string(text)] = name
	}
	return name
}

// mostNames bounds what names take, whatever is sent.
const mostNames = 1000

// membersOf appends the members of an object to into. ok is false where v is not an object.
func (n names) membersOf(v jsontext.Value, into []member) (members []member, ok bool) {
	if v.Kind() != '{' {
		return into, false
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(v), lenient)
	if _, err := d.ReadToken(); err != nil {
		return into, false
	}
	for d.PeekKind() != '}' {
		quoted, err := d.ReadValue()
		if err != nil {
			return into, false
		}
		name := n.read(quoted)
		value, err := d.ReadValue()
		if err != nil {
			return into, false
		}
		end := d.InputOffset()
		into = append(into, member{name: name, value: v[end-int64(len(value)) : end : end]})
	}
	return into, true
}
