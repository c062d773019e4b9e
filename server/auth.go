package server

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"dataapi/internal/auth"
)

// unauthorized is a request for what needs a key, and why it has none that is good.
type unauthorized struct{ cause error }

func (e unauthorized) Error() string { return e.cause.Error() }

// forbidden is a request for what the key is not good for.
type forbidden struct{ needed auth.Scopes }

func (e forbidden) Error() string {
	return "the key is not good for this, which needs the scope " + strings.Join(e.needed.Names(), " or ")
}

// identified finds out who asks, and turns away what a web page may have had a browser send. It stands before the
// cache, where no route is known yet: what is needed is compared with what the caller may where a route, or what it once
// answered, is found.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Guard.Misled(r); err != nil {
			s.fail(w, r, err)
			return
		}
		if rec, ok := w.(*recorder); ok {
			rec.caller = s.callerBy(r)
		}
		next.ServeHTTP(w, r)
	})
}

// keyIn is the key that a request has in its header; "" where there is none. Never one in the URL, which is logged and
// kept all over the way.
func keyIn(r *http.Request) string {
	if keys := r.Header["X-Api-Key"]; len(keys) > 0 {
		return keys[0]
	}
	lines := r.Header["Authorization"]
	if len(lines) == 0 {
		return ""
	}
	scheme, key, _ := strings.Cut(lines[0], " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return strings.TrimSpace(key)
	case takesLines(r.URL.Path):
		return influxKey(r, scheme, strings.TrimSpace(key))
	}
	return ""
}

// permitted lets those pass who may what a route needs.
func (s *Server) permitted(rt route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var caller auth.Caller
		if rec, ok := w.(*recorder); ok {
			caller, rec.scope = rec.caller, rt.scope
		}
		if !rt.scope.Any(caller.Rights) {
			err := s.refusal(r, rt.scope, caller)
			if takesLines(rt.path) {
				err = inInfluxTerms{err}
			}
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// refusal is why a caller may not do what needs a scope. Where keys cannot be read, it is that: nobody can tell then
// who may what.
func (s *Server) refusal(r *http.Request, needed auth.Scopes, caller auth.Caller) error {
	switch {
	case caller.Problem == nil:
		return forbidden{needed}
	case errors.Is(caller.Problem, auth.ErrNoKey):
		if err := s.Guard.Readable(r.Context()); err != nil {
			return err
		}
		if takesLines(r.URL.Path) && r.URL.Query().Has("p") {
			return unauthorized{errKeyInURL}
		}
		return unauthorized{caller.Problem}
	case errors.Is(caller.Problem, auth.ErrBadKey), errors.Is(caller.Problem, auth.ErrBadTicket):
		if err := s.Guard.Slow(r.Context(), clientAddr(r), s.ending.Done()); err != nil {
			return err
		}
		return unauthorized{caller.Problem}
	case errors.Is(caller.Problem, auth.ErrExpired):
		return unauthorized{caller.Problem}
	}
	return caller.Problem
}

type callerKey struct{}

// callerOf is who asks; the zero value, who may nothing, where that is not known.
func callerOf(r *http.Request) auth.Caller {
	caller, _ := r.Context().Value(callerKey{}).(auth.Caller)
	return caller
}

// mayAlso says by its error whether who asks has a right that the route by itself does not need.
func mayAlso(r *http.Request, needed auth.Scopes) error {
	if !needed.Any(callerOf(r).Rights) {
		return forbidden{needed}
	}
	return nil
}
