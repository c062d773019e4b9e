package server

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/internal/history"
)

// What the home is asked for by. The assistants are those that Home Assistant has settings for, the depths
// those of package db in their order.
var (
	homeParts  = []string{"all", "visible", "state"}
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
	if err != nil || !f.states {
		return f.form(h), err
	}
	gap, err := s.addStates(r.Context(), h)
	if err != nil {
		return nil, err
	}
	return freshOrLess(f.form(h), gap), nil
}

// form is the home in the form that was asked for.
func (f *homeForm) form(h db.Home) any {
	switch {
	case f.text:
		return file{"text/plain; charset=utf-8", plan(h)}
	case f.fields != nil:
		return trimmedHome{h, f.fields}
	}
	return h
}

// addStates adds the newest state to each entity of a home, where one is known.
func (s *Server) addStates(ctx context.Context, h db.Home) (gap *history.Partial, err error) {
	var entities []*db.HomeEntity
	var ids []string
	for _, f := range h.Floors {
		for _, a := range f.Areas {
			for _, d := range a.Devices {
				for i := range d.Entities {
					entities, ids = append(entities, &d.Entities[i]), append(ids, d.Entities[i].EntityID)
				}
			}
		}
	}
	last, gap, err := s.last(ctx, ids, history.Forever)
	for _, e := range entities {
		e.State = (*db.HomeState)(heldOf(last[e.EntityID]))
	}
	return gap, err
}

// homeForm is what the home is asked for, and in which form.
type homeForm struct {
	db.HomeQuery
	text   bool
	states bool
	fields []string // nil for all
}

// home parses the parameters of the home. A plan is for reading: it shows what can be used, unless it is
// told to show all.
func (q *query) home() (f homeForm) {
	f.Depth = db.Depth(slices.Index(depths, q.word("depth", "entities", depths)))
	f.text = q.word("format", "json", []string{"json", "text"}) == "text"
	include := q.words("include", homeParts)
	f.states = slices.Contains(include, "state")
	f.Everything = slices.Contains(include, "all") || !f.text && !slices.Contains(include, "visible")
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
	text, err := marshal(t.home)
	if err != nil {
		return nil, err
	}
	shown := slices.Concat(t.fields, depths, []string{"state", "time"}) // which are only there where they were asked for
	d := jsontext.NewDecoder(bytes.NewReader(text))
	var b bytes.Buffer
	e := jsontext.NewEncoder(&b)
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
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
