package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/backup"
	"dataapi/internal/hass"
)

// problem is the body of every answer that is not a success (RFC 9457).
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitempty"`
	Instance  string       `json:"instance"`
	RequestID string       `json:"request_id"`
	Reason    db.Reason    `json:"reason,omitempty"` // of a 503 or a 410: why the database cannot be used, or a cursor not be followed
	Errors    []fieldError `json:"errors,omitempty"`
	Error     string       `json:"error,omitempty"` // the detail once more, for InfluxDB's clients
}

// fieldError names what was bad, a parameter or a part of the body, and says what it should be.
type fieldError struct {
	Field   *string `json:"field,omitempty"`
	Pointer *string `json:"pointer,omitempty"` // RFC 6901
	Detail  string  `json:"detail"`
}

func parameter(name, detail string) fieldError { return fieldError{Field: &name, Detail: detail} }

// What a handler may return, beside the errors of packages db and hass.
var (
	errNoRoute     = errors.New("there is nothing at this path")
	errMethod      = errors.New("this path does not take this method")
	errPanic       = errors.New("panic")
	errContentType = errors.New("the body must be application/json, and Content-Type must say so")
	errStatesType  = errors.New("the body must be application/json or application/x-ndjson, and Content-Type must say so")
	errEncoding    = errors.New("the body may be compressed by gzip and by nothing else")
	errGzip        = errors.New("the body is not what Content-Encoding says")
	errNoBody      = errors.New("the body cannot be read")
	errTooMany     = errors.New("too many requests of this client are under way: let some of them end first")
	errRecording   = errors.New("a profile is being recorded: one at a time")
	errSlowBody    = errors.New("the body does not come, or too slowly")
	errStale       = errors.New("it was changed meanwhile, and is not what If-Match says: GET it anew")
)

// invalid is bad input: every field that is bad.
type invalid []fieldError

func (e invalid) Error() string { return "a parameter is not valid" }

// syntax is a body that is not JSON as we take it; the text says where it is broken.
type syntax string

func (e syntax) Error() string { return "the body is not a JSON object: " + string(e) }

// missing is an id that nothing has.
type missing struct{ noun, id string }

func (e missing) Error() string { return "no " + e.noun + " has the id " + e.id }

// problemOf is the only place where an error becomes a status. What is not known here is a 500, whose
// cause is for the log alone.
func problemOf(err error) problem {
	var told inInfluxTerms
	if errors.As(err, &told) {
		p := problemOf(told.error)
		p.Error = cmp.Or(p.Detail, http.StatusText(p.Status))
		return p
	}
	err = db.Classify(err)
	var (
		bad      invalid
		gone     missing
		tooLarge *http.MaxBytesError
		down     *db.Unavailable
		lost     *db.Gone
		broken   syntax
		faults   hass.Invalid
		tooMuch  hass.TooMuch
		lines    partialWrite
		nobody   unauthorized
		mayNot   forbidden
		tooMany  auth.TooMany
		notMade  *backup.Failed
	)
	switch {
	case errors.As(err, &nobody):
		return problem{Status: http.StatusUnauthorized, Detail: nobody.Error()}
	case errors.As(err, &mayNot), errors.Is(err, auth.ErrOrigin):
		return problem{Status: http.StatusForbidden, Detail: err.Error()}
	case errors.Is(err, auth.ErrHost):
		return problem{Status: http.StatusMisdirectedRequest, Detail: err.Error()}
	case errors.As(err, &tooMany):
		return problem{Status: http.StatusTooManyRequests, Detail: tooMany.Error()}
	case errors.As(err, &bad):
		return problem{Status: http.StatusUnprocessableEntity, Detail: err.Error(), Errors: bad}
	case errors.As(err, &faults):
		return problem{Status: http.StatusUnprocessableEntity, Detail: faults.Error() + ": nothing was stored", Errors: pointersOf(faults)}
	case errors.As(err, &lines):
		return problem{Status: http.StatusBadRequest, Detail: lines.Error(), Errors: lines.pointers()}
	case errors.As(err, &tooMuch):
		return problem{Status: http.StatusConflict, Detail: tooMuch.Error() + ": nothing was stored; force=true does it"}
	case errors.Is(err, backup.ErrBusy):
		return problem{Status: http.StatusConflict, Detail: err.Error()}
	case errors.As(err, &notMade):
		return problem{Status: http.StatusServiceUnavailable, Detail: notMade.Detail}
	case errors.As(err, &gone), errors.Is(err, errNoRoute):
		return problem{Status: http.StatusNotFound, Detail: err.Error()}
	case errors.Is(err, db.ErrNotFound):
		return problem{Status: http.StatusNotFound}
	case errors.Is(err, errMethod):
		return problem{Status: http.StatusMethodNotAllowed, Detail: err.Error()}
	case errors.Is(err, hass.ErrSyntax), errors.As(err, &broken), errors.Is(err, errGzip), errors.Is(err, errNoBody):
		return problem{Status: http.StatusBadRequest, Detail: err.Error()}
	case errors.As(err, &tooLarge):
		return problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is larger than the %d bytes that are allowed here", tooLarge.Limit)}
	case errors.Is(err, errRecording):
		return problem{Status: http.StatusConflict, Detail: err.Error()}
	case errors.Is(err, errSlowBody):
		return problem{Status: http.StatusRequestTimeout, Detail: err.Error()}
	case errors.Is(err, errTooMany):
		return problem{Status: http.StatusTooManyRequests, Detail: err.Error()}
	case errors.Is(err, errStale):
		return problem{Status: http.StatusPreconditionFailed, Detail: err.Error()}
	case errors.Is(err, errContentType), errors.Is(err, errStatesType), errors.Is(err, errEncoding):
		return problem{Status: http.StatusUnsupportedMediaType, Detail: err.Error()}
	case errors.Is(err, db.ErrConflict):
		return problem{Status: http.StatusConflict, Detail: "the change collides with what is stored"}
	case errors.As(err, &lost):
		return problem{Status: http.StatusGone, Detail: lost.Detail, Reason: lost.Reason}
	case errors.As(err, &down):
		return problem{Status: http.StatusServiceUnavailable, Detail: down.Detail, Reason: down.Reason}
	case errors.Is(err, context.Canceled):
		return problem{Status: http.StatusServiceUnavailable, Detail: "the connection was closed before the answer was ready: nothing was done"}
	case errors.Is(err, context.DeadlineExceeded):
		return problem{Status: http.StatusServiceUnavailable, Detail: "the request was not answered in time"}
	}
	return problem{Status: http.StatusInternalServerError}
}

func pointersOf(faults hass.Invalid) (all []fieldError) {
	for _, f := range faults {
		all = append(all, fieldError{Pointer: &f.Pointer, Detail: f.Detail})
	}
	return all
}

// fail answers with the problem that err is.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.Type = "about:blank"
	p.Title = http.StatusText(p.Status)
	p.Instance = r.URL.EscapedPath()
	p.RequestID = w.Header().Get("X-Request-Id")
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	for _, name := range []string{"Content-Encoding", "Etag", "Link", "Data-Complete"} { // of an answer that broke half-way
		header.Del(name)
	}
	switch p.Status {
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		header.Set("Retry-After", "1")
		if tooMany := (auth.TooMany{}); errors.As(err, &tooMany) {
			header.Set("Retry-After", strconv.Itoa(tooMany.Seconds()))
		}
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="data-api"`)
	}
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.Log.Error("request failed", "request_id", p.RequestID, "error", err)
	}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and integers only
	}
	write(w, r, p.Status, append(body, '\n'))
}

func (s *Server) methodNotAllowed(allow string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		s.fail(w, r, errMethod)
	})
}
