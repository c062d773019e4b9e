package hass

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db/dbtype"
)

// field takes one wire value into a row and reports whether that changed the row. A value of the wrong
// type changes nothing; the error then says what it should have been.
type field[R any] func(row *R, value jsontext.Value) (changed bool, err error)

// timeLayout is how times are stored: RFC 3339 in UTC with six decimals, so that text order is time order.
const timeLayout = "2006-01-02T15:04:05.000000Z"

var (
	errText    = errors.New("must be a string or null")
	errFlag    = errors.New("must be true, false or null")
	errInteger = errors.New("must be a whole number or null")
	errTime    = errors.New("must be an ISO 8601 time, seconds since 1970, or null")
	errList    = errors.New("must be a list or null")
	errStrings = errors.New("must be a list of strings or null")
	errObject  = errors.New("must be an object or null")
	errDeep    = fmt.Errorf("must not be nested more than %d levels deep", deepest)
)

// set stores next where it differs from what is there.
func set[T comparable](at *T, next T) bool {
	changed := *at != next
	*at = next
	return changed
}

// setPointer is set for a column that may be null.
func setPointer[T comparable](at **T, next *T) bool {
	if *at == next || *at != nil && next != nil && **at == *next {
		return false
	}
	*at = next
	return true
}

// text is a string or null.
func text[R any](column func(*R) **string) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch v.Kind() {
		case 'n':
			return setPointer(column(row), nil), nil
		case '"':
			s := unquote(v)
			return setPointer(column(row), &s), nil
		}
		return false, errText
	}
}

// reference is the id of something else, or null; empty text is no id, and means null.
func reference[R any](column func(*R) **string) field[R] {
	take := text(column)
	return func(row *R, v jsontext.Value) (bool, error) {
		if string(v) == `""` {
			return setPointer(column(row), nil), nil
		}
		return take(row, v)
	}
}

// version is text that old files hold as a number or a list, which is then kept as it is written.
func version[R any](column func(*R) **string) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		if v.Kind() == 'n' {
			return setPointer(column(row), nil), nil
		}
		s := written(v)
		return setPointer(column(row), &s), nil
	}
}

// name is text that is never empty in a row: null empties it, finish then fills it, and filled tells
// whether it changed in the end.
func name[R any](column func(*R) *string) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch v.Kind() {
		case 'n':
			*column(row) = ""
		case '"':
			*column(row) = unquote(v)
		default:
			return false, errText
		}
		return false, nil
	}
}

// flag is a boolean; null means false.
func flag[R any](column func(*R) *bool) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch v.Kind() {
		case 't':
			return set(column(row), true), nil
		case 'f', 'n':
			return set(column(row), false), nil
		}
		return false, errFlag
	}
}

// maybe is a boolean or null.
func maybe[R any](column func(*R) **bool) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch k := v.Kind(); k {
		case 'n':
			return setPointer(column(row), nil), nil
		case 't', 'f':
			b := k == 't'
			return setPointer(column(row), &b), nil
		}
		return false, errFlag
	}
}

// integer is a whole number or null.
func integer[R any](column func(*R) **int64) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		if v.Kind() == 'n' {
			return setPointer(column(row), nil), nil
		}
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			f, err := strconv.ParseFloat(string(v), 64)
			if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
				return false, errInteger
			}
			n = int64(f)
		}
		return setPointer(column(row), &n), nil
	}
}

// moment is a time or null.
func moment[R any](column func(*R) **string) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		s, err := parseTime(v)
		if err != nil {
			return false, err
		}
		return setPointer(column(row), s), nil
	}
}

// quiet takes a value without calling it a change: Home Assistant touches modified_at for nothing.
func quiet[R any](f field[R]) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		_, err := f(row, v)
		return false, err
	}
}

// created is a time that is kept where Home Assistant does not know it: null, or 1970 in a file that was
// migrated from before there were such times.
func created[R any](column func(*R) *string) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		s, err := parseTime(v)
		if err != nil || s == nil || *s < "1971" {
			return false, err
		}
		return set(column(row), *s), nil
	}
}

// parseTime takes ISO 8601 text (the files) or seconds (the WebSocket API) and returns it in timeLayout.
func parseTime(v jsontext.Value) (*string, error) {
	var t time.Time
	switch v.Kind() {
	case 'n':
		return nil, nil
	case '0':
		seconds, err := strconv.ParseFloat(string(v), 64)
		if err != nil || math.Abs(seconds) > 1e11 {
			return nil, errTime
		}
		t = time.UnixMicro(int64(math.Round(seconds * 1e6)))
	case '"':
		var err error
		if t, err = time.Parse(time.RFC3339Nano, unquote(v)); err != nil {
			return nil, errTime
		}
	default:
		return nil, errTime
	}
	if t = t.UTC().Round(time.Microsecond); t.Year() < 0 || t.Year() > 9999 {
		return nil, errTime // text of such a year would sort elsewhere
	}
	s := t.Format(timeLayout)
	return &s, nil
}

// stringSet is a set of strings, as Home Assistant keeps aliases: null means none, order means nothing.
func stringSet[R any](column func(*R) *dbtype.JSON) field[R] {
	return list(column, func(v jsontext.Value) (bool, error) {
		if v.Kind() != '"' {
			return false, errStrings
		}
		return true, nil
	})
}

// references is a set of ids of something else; empty text is none.
func references[R any](column func(*R) *dbtype.JSON) field[R] {
	return list(column, func(v jsontext.Value) (bool, error) {
		if v.Kind() != '"' {
			return false, errStrings
		}
		return string(v) != `""`, nil
	})
}

// anySet is a set of whatever, such as the [domain, id] pairs of identifiers.
func anySet[R any](column func(*R) *dbtype.JSON) field[R] {
	return list(column, func(jsontext.Value) (bool, error) { return true, nil })
}

// list stores a list sorted and without doubles: Home Assistant writes its sets in any order, and the
// order must not look like a change. takes says whether an element belongs into it.
func list[R any](column func(*R) *dbtype.JSON, takes func(jsontext.Value) (bool, error)) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		if v.Kind() == 'n' {
			return set(column(row), "[]"), nil
		}
		if v.Kind() != '[' {
			return false, errList
		}
		if string(v) == "[]" {
			return set(column(row), "[]"), nil
		}
		elements, err := elementsOf(jsontext.NewDecoder(bytes.NewBuffer(v), lenient), v)
		if err != nil {
			return false, errList
		}
		kept := elements[:0]
		for _, e := range elements {
			keep, err := takes(e)
			if err != nil {
				return false, err
			}
			if keep {
				kept = append(kept, canonical(e))
			}
		}
		elements = kept
		slices.SortFunc(elements, func(a, b jsontext.Value) int { return bytes.Compare(a, b) })
		elements = slices.CompactFunc(elements, func(a, b jsontext.Value) bool { return bytes.Equal(a, b) })
		joined := make([]byte, 0, len(v))
		joined = append(joined, '[')
		for i, e := range elements {
			if i > 0 {
				joined = append(joined, ',')
			}
			joined = append(joined, e...)
		}
		return set(column(row), dbtype.JSON(append(joined, ']'))), nil
	}
}

// object is a JSON object; null is stored as empty.
func object[R any](column func(*R) *dbtype.JSON, empty dbtype.JSON) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch v.Kind() {
		case 'n':
			return set(column(row), empty), nil
		case '{':
			return set(column(row), dbtype.JSON(canonical(v))), nil
		}
		return false, errObject
	}
}

// sequence is a list whose order means something; null is stored as such.
func sequence[R any](column func(*R) *dbtype.JSON) field[R] {
	return func(row *R, v jsontext.Value) (bool, error) {
		switch v.Kind() {
		case 'n':
			return set(column(row), ""), nil
		case '[':
			return set(column(row), dbtype.JSON(canonical(v))), nil
		}
		return false, errList // a bare number would come back from SQLite as one, not as JSON
	}
}

// deepest is how many levels a value may be nested. SQLite's JSON functions, which the triggers use, fail
// beyond 1000.
const deepest = 500

func tooDeep(v jsontext.Value) bool {
	if len(v) <= 2*deepest {
		return false // a level takes two bytes
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(v), lenient)
	for {
		if _, err := d.ReadToken(); err != nil {
			return false
		}
		if d.StackDepth() > deepest {
			return true
		}
	}
}

// canonical returns the value without white space and with its members in order, so that equal values
// are equal text. Numbers stay as they are written.
func canonical(v jsontext.Value) jsontext.Value {
	if string(v) == "{}" || string(v) == "[]" {
		return v
	}
	v = v.Clone()
	if err := v.Format(jsontext.ReorderRawObjects(true), lenient); err != nil {
		return jsontext.Value(fmt.Sprintf("%q", string(v))) // not reached: the batch was checked as a whole
	}
	return v
}

// unquote returns the text of a JSON string.
func unquote(v jsontext.Value) string {
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	s, _ := jsontext.AppendUnquote(nil, v)
	return string(s)
}

// written returns the text of a JSON string, or another value as it is written.
func written(v jsontext.Value) string {
	if v.Kind() == '"' {
		return unquote(v)
	}
	return string(v)
}

// identified is a member that identity has read already.
func identified[R any](*R, jsontext.Value) (bool, error) { return false, nil }

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
