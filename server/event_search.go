package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/internal/history"
)

// mostLooked is at how many events a search looks at most before it answers with what it found.
const mostLooked = 100_000

// searchEvents looks for entities as lists do, and for text in ids and in states. Without it, all is found.
func (s *Server) searchEvents(r *http.Request) (any, error) {
	q := parse(r)
	e := q.events(history.Always)
	text := s.matching(r, q)
	if err := q.err(); err != nil {
		return nil, err
	}
	return s.eventsWith(r, e, text, q.values.Get("q"))
}

// postEventSearch is searchEvents in the form of the service before this one. It answers with one page.
func (s *Server) postEventSearch(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	members, err := s.object(r, maxEventSearch)
	if err != nil {
		return nil, err
	}
	wanted, limit, err := eventSearchOf(members)
	if err != nil {
		return nil, err
	}
	if err := s.DB.Indexed(r.Context()); err != nil {
		return nil, err
	}
	search, _ := db.NewSearch(wanted)
	if search, err = s.DB.SpellOut(r.Context(), search); err != nil {
		return nil, err
	}
	text := search.Match()
	page, err := s.eventsWith(r, eventQuery{Page: history.Page{Start: history.Always, End: history.Forever, Limit: limit}}, &text, wanted)
	if err != nil {
		return nil, err
	}
	return freshPage(page, limit), nil
}

// maxEventSearch is how many bytes a search may have.
const maxEventSearch = 1 << 16

// eventSearchOf reads a search. The error names all members that are wrong.
func eventSearchOf(members []member) (wanted string, limit int, err error) {
	var bad invalid
	refuse := func(name, detail string) {
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		bad = append(bad, fieldError{Pointer: &pointer, Detail: detail})
	}
	limit = 100
	for _, m := range members {
		switch m.name {
		case "query":
			text, err := jsontext.AppendUnquote(nil, m.value)
			if wanted = string(text); err != nil || !isText(wanted) {
				refuse(m.name, fmt.Sprintf("must be text of at most %d characters", maxText))
			} else if _, ok := db.NewSearch(wanted); !ok {
				refuse(m.name, "must hold a letter or a digit")
			}
		case "limit":
			if json.Unmarshal(m.value, &limit) != nil || limit < 1 || limit > 1000 {
				refuse(m.name, "must be a number from 1 to 1000")
			}
		default:
			refuse(m.name, "is not a member of a search, which has query, limit")
		}
	}
	if wanted == "" && len(bad) == 0 {
		refuse("query", "is missing")
	}
	if bad != nil {
		return "", 0, bad
	}
	return wanted, limit, nil
}

// freshPage is a page as the answer to a POST, which nobody may keep and which has no next one. Where it ends before the
// limit all the same, it lacks something.
func freshPage(page any, limit int) any {
	if lacking, ok := page.(incomplete); ok {
		return incomplete{freshPage(lacking.value, limit)}
	}
	p := page.(eventPage)
	cut := p.next != "" && len(p.events) < limit
	p.next = ""
	if f := (fresh{http.StatusOK, p}); !cut {
		return f
	} else {
		return incomplete{f}
	}
}

// eventsWith answers with a page of the events of entities that match, and of those that have the text in the id or
// the state. A nil match finds all.
func (s *Server) eventsWith(r *http.Request, e eventQuery, match *string, text string) (any, error) {
	e.looks = mostLooked
	rows, err := s.DB.ListEntities(r.Context(), db.ListEntitiesParams{Q: match, Lim: -1})
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, row := range rows {
		ids[row.EntityID] = true
	}
	wanted := strings.ToLower(text)
	e.skip = func(event *history.Event) bool {
		return !ids[event.EntityID] && !strings.Contains(event.EntityID, wanted) && !strings.Contains(strings.ToLower(event.State), wanted)
	}
	return s.eventPage(r, e)
}
