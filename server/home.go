package server

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
)

// What the home is asked for by. The assistants are those that Home Assistant has settings for, the depths
// those of package db in their order.
var (
	depths     = []string{"floors", "areas", "devices", "entities"}
	assistants = []string{"conversation", "cloud.alexa", "cloud.google_assistant"}
)

func (s *Server) getHome(r *http.Request) (any, error) {
	q := parse(r)
	f := q.home()
	if err := q.err(); err != nil {
		return nil, err
	}
	h, err := s.DB.Home(r.Context(), f.HomeQuery)
	switch {
	case err != nil:
		return nil, err
	case f.text:
		return file{"text/plain; charset=utf-8", plan(h)}, nil
	case f.fields != nil:
		return trimmedHome{h, f.fields}, nil
	}
	return h, nil
}

// homeForm is what the home is asked for, and in which form.
type homeForm struct {
	db.HomeQuery
	text   bool
	fields []string // nil for all
}

// home parses the parameters of the home. A plan is for reading: it shows what can be used, unless it is
// told to show all.
func (q *query) home() (f homeForm) {
	f.Depth = db.Depth(slices.Index(depths, q.word("depth", "entities", depths)))
	f.text = q.word("format", "json", []string{"json", "text"}) == "text"
	include := "all"
	if f.text {
		include = "visible"
	}
	f.Everything = q.word("include", include, []string{"all", "visible"}) == "all"
	if assistant := q.word("exposed", "", assistants); assistant != "" {
		f.Exposed = &assistant
	}
	f.fields = q.words("fields", homeMembers())
	if f.text && f.fields != nil {
		q.refuse("fields", "does not go with format=text")
	}
	return f
}

// homeMembers are the members of floors, areas, devices and entities that fields may name: all but those
// that hold the next level.
func homeMembers() []string {
	names := map[string]bool{}
	for _, t := range []reflect.Type{
		reflect.TypeFor[db.HomeFloor](), reflect.TypeFor[db.HomeArea](),
		reflect.TypeFor[db.HomeDevice](), reflect.TypeFor[db.ListHomeEntitiesRow](),
	} {
		for _, f := range reflect.VisibleFields(t) {
			if name := f.Tag.Get("json"); !f.Anonymous && name != "-" && f.Type.Kind() != reflect.Slice {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// trimmedHome is a home whose floors, areas, devices and entities show only the fields, where they have them.
type trimmedHome struct {
	home   db.Home
	fields []string
}

// MarshalJSON writes the members in their own order.
func (t trimmedHome) MarshalJSON() ([]byte, error) {
	text, err := encode(t.home)
	if err != nil {
		return nil, err
	}
	shown := slices.Concat(t.fields, depths)
	d := jsontext.NewDecoder(bytes.NewReader(text))
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b)
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return b.Bytes(), nil
		}
		if err == nil && inFloors(d) && isName(d) && !slices.Contains(shown, token.String()) {
			err = d.SkipValue()
		} else if err == nil {
			err = e.WriteToken(token)
		}
		if err != nil {
			return nil, err
		}
	}
}

func inFloors(d *jsontext.Decoder) bool {
	return strings.HasPrefix(string(d.StackPointer()), "/floors/")
}

// isName says whether the token that was read last is the name of a member.
func isName(d *jsontext.Decoder) bool {
	kind, length := d.StackIndex(d.StackDepth())
	return kind == '{' && length%2 == 1
}
