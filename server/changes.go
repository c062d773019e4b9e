package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dataapi/db"
)

// The most changes of a page, and the longest wait for some, in seconds.
const (
	mostChanges = 1000
	longestWait = 60
)

// changes is a page of the change feed.
type changes struct {
	Changes    []db.Change `json:"changes"`
	LastSeq    int64       `json:"last_seq"`
	NextCursor string      `json:"next_cursor"`
	More       bool        `json:"more"`
	self       *url.URL    `json:"-"`
}

func changesOf(r *http.Request, p db.ChangePage, err error) (any, error) {
	return changes{Changes: p.Changes, LastSeq: p.Log.Newest.Seq, NextCursor: p.Next.String(), More: p.More, self: r.URL}, err
}

// link is the Link header to the next page, where there is one at this moment, or "".
func (c changes) link() string {
	if !c.More {
		return ""
	}
	return nextLink(c.self, "since", c.NextCursor)
}

func (s *Server) listChanges(r *http.Request) (any, error) {
	q := parse(r)
	f := q.feed(r)
	if err := q.err(); err != nil {
		return nil, err
	}
	if slices.Contains(f.Kinds, db.PrivateKind) {
		if err := mayAlso(r, ofUsers); err != nil {
			return nil, err
		}
	}
	switch {
	case f.stream:
		return s.streamChanges(r, f)
	case f.collapse:
		p, err := s.DB.CollapsedChanges(r.Context(), f.ChangeQuery)
		return collapsedOf(r, p, err)
	case f.wait > 0:
		return delayed(func(ctx context.Context) (any, error) {
			p, err := s.DB.AwaitChanges(ctx, f.ChangeQuery, f.wait)
			if revoked := s.Guard.Still(ctx, callerOf(r)); revoked != nil {
				return nil, unauthorized{revoked}
			}
			return changesOf(r, p, err)
		}), nil
	}
	p, err := s.DB.ChangesBetween(r.Context(), f.ChangeQuery)
	return changesOf(r, p, err)
}

func (s *Server) listDeviceChanges(r *http.Request) (any, error) {
	return s.rowChanges(r, "device", "device_id")
}

func (s *Server) listEntityChanges(r *http.Request) (any, error) {
	return s.rowChanges(r, "entity", "entity_id")
}

// rowChanges answers with the changes of the row of a kind whose id is in the path.
func (s *Server) rowChanges(r *http.Request, kind, param string) (any, error) {
	q := parse(r)
	c := db.ChangeQuery{Since: q.bound("since"), Until: q.bound("until"), Limit: q.number("limit", 100, 1, mostChanges)}
	if err := q.err(); err != nil {
		return nil, err
	}
	id := pathID(r, param)
	p, err := s.DB.RowChanges(r.Context(), kind, id, c)
	if errors.Is(err, db.ErrNotFound) {
		err = missing{noun: kind, id: id}
	}
	return changesOf(r, p, err)
}

// feed is what the change feed is asked for.
type feed struct {
	db.ChangeQuery
	wait             time.Duration
	collapse, stream bool
}

func (q *query) feed(r *http.Request) (f feed) {
	collapse := q.flag("collapse")
	f.collapse, f.stream = collapse != nil && *collapse, wantsEvents(r)
	f.ChangeQuery = q.span(f.collapse)
	f.wait = time.Duration(q.number("wait", 0, 0, longestWait)) * time.Second
	f.Limit = q.number("limit", 100, 1, mostChanges)
	f.Kinds = q.words("kind", db.ChangeKinds)
	f.ID, _ = q.one("id")
	q.one("ticket") // which has been looked at before, see callerBy
	if f.stream {
		f.Since = q.resumed(r, f.Since)
	}
	if f.wait > 0 && (f.collapse || f.Until != db.Bound{}) {
		q.refuse("wait", "does not go with collapse or until: what is over does not change")
	}
	return f
}

// span is the part of the log that is asked for.
func (q *query) span(collapse bool) db.ChangeQuery {
	if within, ok := openSpan(q.values["since"]); collapse && ok {
		q.known["since"], q.known["until"] = true, true
		return within
	}
	return db.ChangeQuery{Since: q.bound("since"), Until: q.bound("until")}
}

// collapsedOf is changesOf for net changes: where there are more of them, the cursor holds both ends of the
// span, so that all pages are of the same one.
func collapsedOf(r *http.Request, p db.ChangePage, err error) (any, error) {
	all, err := changesOf(r, p, err)
	c := all.(changes)
	if c.More {
		c.NextCursor = fmt.Sprintf("%s~%s~%d", p.Since, p.Until, p.Next.Seq)
	}
	return c, err
}

// openSpan reads such a cursor.
func openSpan(values []string) (c db.ChangeQuery, ok bool) {
	parts := strings.Split(strings.Join(values, ","), "~")
	if len(parts) != 3 {
		return c, false
	}
	since, ok1 := db.ParsePosition(parts[0])
	until, ok2 := db.ParsePosition(parts[1])
	after, err := strconv.ParseInt(parts[2], 10, 64)
	return db.ChangeQuery{Since: db.Bound{Position: since}, Until: db.Bound{Position: until}, After: after}, ok1 && ok2 && err == nil
}
