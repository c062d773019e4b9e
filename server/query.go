package server

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"dataapi/db"
)

// What a parameter may be at most.
const (
	maxText = 255  // characters of a value
	maxList = 1000 // values of a comma list
)

// query parses the query string of a request into typed parameters. Each method names a parameter that
// the route knows; err then names every bad one, and every one that the route does not know.
type query struct {
	values url.Values
	known  map[string]bool
	bad    invalid
	failed error // of what was looked up to read a parameter
}

func parse(r *http.Request) *query {
	q := &query{known: make(map[string]bool, 16)}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		q.refuse("", "the query string is not well-formed")
	}
	return q
}

func (q *query) refuse(field, detail string, args ...any) {
	q.bad = append(q.bad, parameter(field, fmt.Sprintf(detail, args...)))
}

// err is nil, or an invalid with all that was wrong.
func (q *query) err() error {
	for _, name := range slices.Sorted(maps.Keys(q.values)) {
		if !q.known[name] {
			takes := cmp.Or(strings.Join(slices.Sorted(maps.Keys(q.known)), ", "), "none")
			q.refuse(name, "is not a parameter of this route, which takes %s", takes)
		}
	}
	if len(q.bad) == 0 {
		return q.failed
	}
	return q.bad
}

// one is the value of a parameter that may be given once.
func (q *query) one(name string) (value string, given bool) {
	q.known[name] = true
	values := q.values[name]
	switch {
	case len(values) == 0:
		return "", false
	case len(values) > 1:
		q.refuse(name, "is given %d times", len(values))
	case values[0] == "":
		q.refuse(name, "is empty")
	case !isText(values[0]):
		q.refuse(name, "must be UTF-8 text of at most %d characters", maxText)
	default:
		return values[0], true
	}
	return "", false
}

// isText says whether a value is text of no more than maxText characters, as the contract counts them.
func isText(value string) bool {
	return utf8.ValidString(value) && utf8.RuneCountInString(value) <= maxText
}

// text is a parameter that is compared as it is; nil where it is not given.
func (q *query) text(name string) *string {
	if value, given := q.one(name); given {
		return &value
	}
	return nil
}

// list is a comma list, as the JSON list that queries take; nil where it is not given.
func (q *query) list(name string) *string { return q.listOf(name, "") }

// listOrNone is a list in which "none" stands for the absence of a value, a null in the JSON list.
func (q *query) listOrNone(name string) *string { return q.listOf(name, "none") }

func (q *query) listOf(name, none string) *string {
	q.known[name] = true
	given := q.values[name]
	if len(given) == 0 {
		return nil
	}
	var items []*string
	for _, item := range strings.Split(strings.Join(given, ","), ",") {
		switch {
		case item == "" || !isText(item):
			q.refuse(name, "must be ids with commas between them")
			return nil
		case item == none:
			items = append(items, nil)
		default:
			items = append(items, &item)
		}
	}
	if len(items) > maxList {
		q.refuse(name, "holds %d ids; %d are allowed", len(items), maxList)
		return nil
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // strings only
	}
	list := string(text)
	return &list
}

// flag is true or false; nil where it is not given.
func (q *query) flag(name string) *bool {
	value, given := q.one(name)
	if !given {
		return nil
	}
	b := value == "true"
	if !b && value != "false" {
		q.refuse(name, "must be true or false")
		return nil
	}
	return &b
}

// number is a whole number within bounds; fallback where it is not given.
func (q *query) number(name string, fallback, least, most int64) int64 {
	value, given := q.one(name)
	if !given {
		return fallback
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < least || n > most {
		q.refuse(name, "must be a number from %d to %d", least, most)
	}
	return n
}

// word is one of the words that are known; fallback where it is not given.
func (q *query) word(name, fallback string, known []string) string {
	value, given := q.one(name)
	if !given {
		return fallback
	}
	if !slices.Contains(known, value) {
		q.refuse(name, "must be one of %s", strings.Join(known, ", "))
	}
	return value
}

// choice is one of the words that are known; nil where it is not given.
func (q *query) choice(name string, known []string) *string {
	if _, given := q.values[name]; !given {
		q.known[name] = true
		return nil
	}
	word := q.word(name, "", known)
	return &word
}

// words is a comma list of words that are known; nil where it is not given.
func (q *query) words(name string, known []string) []string {
	q.known[name] = true
	given := q.values[name]
	if len(given) == 0 {
		return nil
	}
	var words []string
	for _, word := range strings.Split(strings.Join(given, ","), ",") {
		switch {
		case !slices.Contains(known, word):
			q.refuse(name, "%q is not one of %s", word, strings.Join(known, ", "))
			return nil
		case !slices.Contains(words, word):
			words = append(words, word)
		}
	}
	return words
}

// search is what people look for; the zero value where it is not given.
func (q *query) search(name string) (s db.Search, given bool) {
	value, given := q.one(name)
	if !given {
		return s, false
	}
	if s, given = db.NewSearch(value); !given {
		q.refuse(name, "must hold a letter or a digit")
	}
	return s, given
}

// listing is what all lists take: where the page begins, how long it is, and what it shows.
type listing struct {
	noun   string // the member that holds the items
	after  string // the id that the page begins after
	limit  int64
	total  bool
	fields []string // nil for all
	self   *url.URL
}

// listing parses the parameters of a list of rows of type T.
func listingOf[T any](q *query, r *http.Request, noun string, fallback, most int64) listing {
	l := listing{noun: noun, limit: q.number("limit", fallback, 1, most), self: r.URL}
	l.after = q.cursor(noun)
	if total := q.flag("total"); total != nil {
		l.total = *total
	}
	l.fields = fieldsOf[T](q)
	return l
}

// cursor is the id that the page begins after. Where there is such an id, there is such a cursor: it is
// neither bounded by maxText nor has it to be UTF-8.
func (q *query) cursor(noun string) string {
	q.known["cursor"] = true
	values := q.values["cursor"]
	if len(values) == 0 {
		return ""
	}
	after, ok := openCursor(noun, values[0])
	if !ok || len(values) > 1 {
		q.refuse("cursor", "is not a cursor of this list")
	}
	return after
}

// fieldsOf parses the comma list of members to show of a row of type T; nil means all of them.
func fieldsOf[T any](q *query) []string {
	q.known["fields"] = true
	given := q.values["fields"]
	if len(given) == 0 {
		return nil
	}
	members := membersOf[T]()
	var fields []string
	for _, name := range strings.Split(strings.Join(given, ","), ",") {
		if _, ok := members[name]; !ok {
			q.refuse("fields", "%q is not a member; there are %s", name, strings.Join(slices.Sorted(maps.Keys(members)), ", "))
			return nil
		}
		if !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	return fields
}

// A cursor is the id of the last row of a page, and the noun, so that one of another list is refused.
func sealCursor(noun, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(noun + "/" + id))
}

func openCursor(noun, cursor string) (id string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(text), noun+"/")
}

// pathID is an id in the path, which may hold an escaped slash.
func pathID(r *http.Request, name string) string {
	escaped := mux.Vars(r)[name]
	id, err := url.PathUnescape(escaped)
	if err != nil {
		return escaped
	}
	return id
}
