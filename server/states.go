package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"dataapi/db"
	"dataapi/internal/history"
)

// heldState is a state, and since when it is one.
type heldState struct {
	State string    `json:"state"`
	Time  time.Time `json:"time"`
}

func heldOf(p history.Point) *heldState {
	if p.State == "" {
		return nil
	}
	return &heldState{p.State, p.Time.Time()}
}

// entityState is the state of an entity at a time; State and Time are null where none is known.
type entityState struct {
	EntityID   string          `json:"entity_id"`
	Name       string          `json:"name"`
	AreaID     *string         `json:"area_id"`
	AreaName   *string         `json:"area_name"`
	Unit       *string         `json:"unit_of_measurement"`
	State      *string         `json:"state"`
	Time       *time.Time      `json:"time"`
	Attributes json.RawMessage `json:"attributes"` // null where they are not known
	Partial    bool            `json:"partial"`
	Missing    *missingTime    `json:"missing"`
}

// getEntityState answers with the newest state, or with the one of a time before.
func (s *Server) getEntityState(r *http.Request) (any, error) {
	q := parse(r)
	now := time.Now()
	at := q.moment("at", now, now.Add(history.MaxAhead))
	if err := q.err(); err != nil {
		return nil, err
	}
	e, err := s.subjectOf(r.Context(), pathID(r, "entity_id"))
	if err != nil {
		return nil, err
	}
	last, gap, err := s.last(r.Context(), []string{e.EntityID}, history.At(at))
	if err != nil {
		return nil, err
	}
	st := entityState{EntityID: e.EntityID, Name: e.Name, AreaID: e.AreaID, AreaName: e.AreaName, Unit: e.UnitOfMeasurement,
		Partial: gap != nil, Missing: missingOf(gap)}
	if p, ok := last[e.EntityID]; ok {
		t := p.Time.Time()
		st.State, st.Time, st.Attributes = &p.State, &t, p.Attributes
	}
	return freshOrLess(st, gap), nil
}

// freshOrLess is an answer of now, which may lack something.
func freshOrLess(value any, gap *history.Partial) any {
	if gap != nil {
		return incomplete{fresh{http.StatusOK, value}}
	}
	return fresh{http.StatusOK, value}
}

// pastStates is a page of the states that an entity took, in the order of time.
type pastStates struct {
	EntityID string       `json:"entity_id"`
	Name     string       `json:"name"`
	Unit     *string      `json:"unit_of_measurement"`
	Start    time.Time    `json:"start"`
	End      time.Time    `json:"end"`
	Before   *heldState   `json:"before"` // what held already when the page begins
	States   []heldState  `json:"states"`
	Count    int          `json:"count"`
	Limit    int64        `json:"limit"`
	Next     *string      `json:"next_cursor"`
	Partial  bool         `json:"partial"`
	Missing  *missingTime `json:"missing"`
	next     string       // Link header
}

func (p pastStates) link() string { return p.next }

// getEntityHistory answers with the states that an entity took in a time, as they came.
func (s *Server) getEntityHistory(r *http.Request) (any, error) {
	q := parse(r)
	p, from := q.states(time.Now())
	if err := q.err(); err != nil {
		return nil, err
	}
	e, err := s.subjectOf(r.Context(), pathID(r, "entity_id"))
	if err != nil {
		return nil, err
	}
	p.EntityID, p.Name, p.Unit = e.EntityID, e.Name, e.UnitOfMeasurement
	gap, err := s.read(r.Context(), &p, from)
	if err != nil {
		return nil, err
	}
	if p.Next != nil {
		p.next = nextLink(r.URL, "cursor", *p.Next)
	}
	return freshOrLess(p, gap), nil
}

// states parses which states are asked for: a page, and where it begins.
func (q *query) states(now time.Time) (p pastStates, from history.Micros) {
	p = pastStates{Start: q.moment("start", now, now.Add(-day)).UTC(), End: q.moment("end", now, now).UTC(), States: []heldState{}}
	p.Limit = q.number("limit", 1000, 1, mostEntities)
	from = history.At(p.Start)
	if after := q.cursor("states"); after != "" {
		at, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			q.refuse("cursor", "is not a cursor of this list")
		}
		from = history.Micros(at)
	}
	if len(q.bad) == 0 && !p.Start.Before(p.End) {
		q.refuse("start", "must be before end, which is %s", p.End.Format(time.RFC3339))
	}
	return p, from
}

// read fills a page with states from a time on. Where gap is not nil, the page is not whole.
func (s *Server) read(ctx context.Context, p *pastStates, from history.Micros) (gap *history.Partial, err error) {
	last, gap, err := s.last(ctx, []string{p.EntityID}, from-1)
	if errors.Is(db.Classify(err), db.ErrUnavailable) { // what came later may be readable all the same
		gap, err = &history.Partial{From: history.Always, Until: from, Err: err}, nil
	}
	if err != nil {
		return nil, err
	}
	p.Before = heldOf(last[p.EntityID])
	series, err := history.Resolve(ctx, s.DB.Queries, []string{p.EntityID})
	if err != nil {
		return nil, err
	}
	for row, err := range s.History.Range(ctx, history.Query{Series: series, Start: from, End: history.At(p.End), Limit: int(p.Limit) + 1}) {
		if errors.As(err, &gap) {
			break
		}
		if err != nil {
			return nil, err
		}
		if p.Count == int(p.Limit) {
			next := sealCursor("states", strconv.FormatInt(int64(row.Time), 10))
			p.Next = &next
			break
		}
		p.States = append(p.States, *heldOf(row.Point))
		p.Count++
	}
	p.Partial, p.Missing = gap != nil, missingOf(gap)
	return gap, nil
}

// withStates is a page of entities with the newest state of each, null where none is known.
func (s *Server) withStates(ctx context.Context, p page[db.Entity]) (any, error) {
	items, gap, err := s.besideStates(ctx, p.items, p.fields)
	if err != nil {
		return nil, err
	}
	rows := page[extended]{listing: p.listing, next: p.next, count: p.count, items: items}
	rows.fields = nil // of what is trimmed already
	return freshOrLess(rows.lacking(gap), gap), nil
}

// lacking is a page that says what it lacks, if it lacks something.
func (p page[T]) lacking(gap *history.Partial) any {
	if gap == nil {
		return p
	}
	return extended{p, lackingParts(gap)}
}

// lackingParts are the members that say what an answer lacks; none where it lacks nothing.
func lackingParts(gap *history.Partial) []addition {
	if gap == nil {
		return nil
	}
	return []addition{{"partial", true}, {"missing", missingOf(gap)}}
}

// besideStates are entities, with only the fields where there are some, and the newest state of each.
func (s *Server) besideStates(ctx context.Context, entities []db.Entity, fields []string) ([]extended, *history.Partial, error) {
	ids := make([]string, len(entities))
	for i := range entities {
		ids[i] = entities[i].EntityID
	}
	last, gap, err := s.last(ctx, ids, history.Forever)
	if err != nil {
		return nil, nil, err
	}
	rows := []extended{}
	for i := range entities {
		rows = append(rows, extended{shown(entities[i], fields), []addition{{"state", heldOf(last[ids[i]])}}})
	}
	return rows, gap, nil
}
