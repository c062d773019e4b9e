package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"

	"dataapi/db"
)

// listed makes a page of what a list accessor returned; total counts all that match, where asked for.
func listed[T any](l listing, rows []T, err error, id func(*T) string, total func() (int64, error)) (any, error) {
	if err != nil {
		return nil, err
	}
	p := pageOf(l, rows, id)
	if l.total {
		n, err := total()
		if err != nil {
			return nil, err
		}
		p.count = &n
	}
	return p, nil
}

// single answers with the row that get finds by the id in the path, trimmed to the fields asked for.
func single[T any](r *http.Request, noun, param string, get func(context.Context, string) (T, error)) (any, error) {
	return parsedSingle(parse(r), r, noun, param, get)
}

// parsedSingle is single for a route that has parsed parameters of its own.
func parsedSingle[T any](q *query, r *http.Request, noun, param string, get func(context.Context, string) (T, error)) (any, error) {
	fields := fieldsOf[T](q)
	if err := q.err(); err != nil {
		return nil, err
	}
	id := pathID(r, param)
	row, err := get(r.Context(), id)
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		return nil, missing{noun: noun, id: id}
	}
	if err != nil {
		return row, err
	}
	return shown(row, fields), nil
}

// shown is a row with the fields that were asked for; nil stands for all.
func shown[T any](row T, fields []string) any {
	if fields == nil {
		return row
	}
	return trimOne(row, fields)
}

// extended is an object with members after its own.
type extended struct {
	object any
	more   []addition
}

// addition is a member that an object is extended by.
type addition struct {
	name  string
	value any
}

func (x extended) link() string {
	if link := linkOf(x.object); link != nil {
		return link[0]
	}
	return ""
}

// MarshalJSON writes the members of the object, and then the others in their order.
func (x extended) MarshalJSON() ([]byte, error) {
	text, err := marshal(x.object)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSuffix(text, []byte{'}'})
	for _, m := range x.more {
		value, err := marshal(m.value)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, ','), strconv.AppendQuote(nil, m.name)...), ':')
		text = append(text, value...)
	}
	return append(text, '}'), nil
}
