package server

import (
	"context"
	"errors"
	"net/http"

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
	q := parse(r)
	fields := fieldsOf[T](q)
	if err := q.err(); err != nil {
		return nil, err
	}
	id := pathID(r, param)
	row, err := get(r.Context(), id)
	if errors.Is(db.Classify(err), db.ErrNotFound) {
		return nil, missing{noun: noun, id: id}
	}
	if err != nil || fields == nil {
		return row, err
	}
	return trimOne(row, fields), nil
}
