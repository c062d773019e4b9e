package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// handler answers a request with a value that is encoded as JSON, with nothing, a fresh, an incomplete, a stored, a
// lasting, a delayed, a stream or a file, or with an error.
type handler func(r *http.Request) (any, error)

// fresh is an answer about this moment, which nobody may keep.
type fresh struct {
	status int
	value  any
}

// incomplete is an answer that is right, but lacks something: the header Data-Complete says so.
type incomplete struct{ value any }

// nothing is an answer without a body: just headers.
type nothing map[string][]string

// file is an answer that is sent as it is.
type file struct {
	contentType string
	body        []byte
}

// delayed makes an answer that is worth waiting for, for as long as ctx lasts.
type delayed func(ctx context.Context) (any, error)

// stream sends an answer of events as they come (see events), until it returns.
type stream func(*events)

// answer makes a handler an http.Handler. But for streams, all of the answer is ready before its first byte
// is sent.
func (s *Server) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		value, err := s.ask(h, r)
		if err == nil {
			err = s.reply(w, r, value)
		}
		if err != nil && r.Context().Err() != nil && err != errSlowBody {
			err = r.Context().Err() // whatever broke, broke for that
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Server) reply(w http.ResponseWriter, r *http.Request, value any) error {
	header := w.Header()
	last, lasts := value.(lasting)
	if lasts {
		value = last.value
	}
	switch v := value.(type) {
	case fresh:
		return s.sendFresh(w, r, v)
	case incomplete:
		header["Data-Complete"] = []string{"false"}
		return s.reply(w, r, v.value)
	case nothing:
		maps.Copy(header, v)
		w.WriteHeader(http.StatusNoContent)
		return nil
	case stored:
		return s.sendStored(w, r, v)
	case delayed:
		return s.replyLater(w, r, v)
	case stream:
		s.sendEvents(w, r, v)
		return nil
	}
	p, err := representationOf(value)
	if err != nil {
		return err
	}
	if lasts {
		s.keep(w, r, p)
	}
	s.represent(w, r, p)
	return nil
}

func (s *Server) sendFresh(w http.ResponseWriter, r *http.Request, v fresh) error {
	f, ok := v.value.(file)
	if !ok {
		body, err := encode(v.value)
		if err != nil {
			return err
		}
		f = file{contentTypeJSON[0], body}
	}
	header := w.Header()
	header["Content-Type"] = []string{f.contentType}
	header["Cache-Control"] = noStore
	if link := linkOf(v.value); link != nil {
		header["Link"] = link
	}
	s.send(w, r, v.status, f.body)
	return nil
}

// representationOf is what is sent of a file, or of a value as JSON with a link to what follows it.
func representationOf(value any) (*representation, error) {
	if f, ok := value.(file); ok {
		return represented([]string{f.contentType}, f.body), nil
	}
	body, err := encode(value)
	if err != nil {
		return nil, err
	}
	p := represented(contentTypeJSON, body)
	p.link = linkOf(value)
	return p, nil
}

// linkOf is the Link header of what has one, else nil.
func linkOf(value any) []string {
	if l, ok := value.(interface{ link() string }); ok && l.link() != "" {
		return []string{l.link()}
	}
	return nil
}

var (
	contentTypeJSON = []string{"application/json"}
	noStore         = []string{"no-store"}
	revalidate      = []string{"private, no-cache"}
	varyEncoding    = []string{"Accept-Encoding"}
	gzipCoding      = []string{"gzip"}
)

// composed puts together what marshal made. Of any other json.Marshaler, encoding/json checks and compacts the text once
// more, which takes longer than the query.
type composed interface {
	json.Marshaler
	composed()
}

func (page[T]) composed()     {}
func (eventPage) composed()   {}
func (extended) composed()    {}
func (trimmedHome) composed() {}

// encode makes the text of an answer, which is JSON and ends its line.
func encode(value any) ([]byte, error) {
	text, err := marshal(value)
	return append(text, '\n'), err
}

// marshal is the only JSON encoding: members in the order of the SELECT list, no escapes for HTML.
func marshal(value any) ([]byte, error) {
	if c, ok := value.(composed); ok {
		return c.MarshalJSON()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	header := w.Header()
	if s.compresses(r, body) {
		body = compressed(body)
		header["Content-Encoding"] = gzipCoding
		header["Vary"] = s.vary()
	}
	write(w, r, status, body)
}

// write sends a body whole, and of the answer to a HEAD just the header.
func write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // an error means that the client has gone
	}
}

// worthwhile is the size from which a body is compressed: below it, it would travel in one packet anyhow.
const worthwhile = 1400

func (s *Server) compresses(r *http.Request, body []byte) bool {
	if !s.Compress || len(body) < worthwhile {
		return false
	}
	return acceptsGzip(strings.Join(r.Header.Values("Accept-Encoding"), ","))
}

// acceptsGzip reads an Accept-Encoding (RFC 9110, section 12.5.3), in which what is said of gzip by name
// counts more than what is said of all by a star.
func acceptsGzip(header string) bool {
	accepted, named := false, false
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			accepted, named = !isZero(weight), true
		case "*":
			accepted = named && accepted || !named && !isZero(weight)
		}
	}
	return accepted
}

func isZero(weight string) bool {
	_, value, _ := strings.Cut(weight, "=")
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return err == nil && q == 0
}

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	return w
}}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	w := gzips.Get().(*gzip.Writer)
	w.Reset(&b)
	w.Write(body)
	w.Close()
	gzips.Put(w)
	return b.Bytes()
}

// page is one page of a list: the items under the noun, how many they are, and where the next begins.
type page[T any] struct {
	listing
	items []T
	next  string
	count *int64 // of all that match, where it was asked for
}

// pageOf makes a page of rows of which one more than the limit was read; id gives a row's page key.
func pageOf[T any](l listing, rows []T, id func(*T) string) page[T] {
	p := page[T]{listing: l, items: rows}
	if int64(len(rows)) > l.limit {
		p.items = rows[:l.limit]
		p.next = sealCursor(l.noun, id(&p.items[l.limit-1]))
	}
	return p
}

// link is the Link header to the next page (RFC 8288), or "".
func (p page[T]) link() string {
	if p.next == "" {
		return ""
	}
	return nextLink(p.self, "cursor", p.next)
}

// nextLink is a Link header to what self answers with another value of a parameter.
func nextLink(self *url.URL, name, value string) string {
	values := self.Query()
	values.Set(name, value)
	next := url.URL{Path: self.Path, RawPath: self.RawPath, RawQuery: values.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// MarshalJSON writes {"NOUN": […], "count": N, "limit": L, "next_cursor": C, "total": T}; total is there
// only where it was asked for.
func (p page[T]) MarshalJSON() ([]byte, error) {
	items, err := marshal(trim(p.items, p.fields))
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(items)+128)
	b = append(b, `{"`...)
	b = append(b, p.noun...)
	b = append(b, `":`...)
	b = append(b, items...)
	b = append(b, `,"count":`...)
	b = strconv.AppendInt(b, int64(len(p.items)), 10)
	b = append(b, `,"limit":`...)
	b = strconv.AppendInt(b, p.limit, 10)
	b = append(b, `,"next_cursor":`...)
	if p.next == "" {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendQuote(b, p.next)
	}
	if p.count != nil {
		b = append(b, `,"total":`...)
		b = strconv.AppendInt(b, *p.count, 10)
	}
	return append(b, '}'), nil
}

// trim returns rows with only the fields; nil keeps all.
func trim[T any](rows []T, fields []string) any {
	if fields == nil {
		return rows
	}
	trimmed := make([]trimmedRow, len(rows))
	for i := range rows {
		trimmed[i] = trimOne(rows[i], fields)
	}
	return trimmed
}

func trimOne[T any](row T, fields []string) trimmedRow {
	return trimmedRow{reflect.ValueOf(row), membersOf[T](), fields}
}

// trimmedRow is a row of which some members are shown.
type trimmedRow struct {
	row     reflect.Value
	members map[string]int
	fields  []string
}

// MarshalJSON writes the fields in the order in which they were asked for.
func (t trimmedRow) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range t.fields {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := marshal(t.row.Field(t.members[name]).Interface())
		if err != nil {
			return nil, err
		}
		b = append(append(strconv.AppendQuote(b, name), ':'), value...)
	}
	return append(b, '}'), nil
}

var memberTables sync.Map // reflect.Type -> map[string]int

// membersOf maps the JSON members of a row type to its fields.
func membersOf[T any]() map[string]int {
	t := reflect.TypeFor[T]()
	if known, ok := memberTables.Load(t); ok {
		return known.(map[string]int)
	}
	members := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			members[name] = i
		}
	}
	memberTables.Store(t, members)
	return members
}
