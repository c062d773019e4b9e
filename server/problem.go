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

// statuses are those of errors that say themselves all that there is to say.
var statuses = []struct {
	error
	status int
}{
	{errNoBody, http.StatusBadRequest},
	{errGzip, http.StatusBadRequest},
	{hass.ErrSyntax, http.StatusBadRequest},
	{auth.ErrOrigin, http.StatusForbidden},
	{errNoRoute, http.StatusNotFound},
	{errMethod, http.StatusMethodNotAllowed},
	{errSlowBody, http.StatusRequestTimeout},
	{backup.ErrBusy, http.StatusConflict},
	{errRecording, http.StatusConflict},
	{errStale, http.StatusPreconditionFailed},
	{errContentType, http.StatusUnsupportedMediaType},
	{errStatesType, http.StatusUnsupportedMediaType},
	{errEncoding, http.StatusUnsupportedMediaType},
	{auth.ErrHost, http.StatusMisdirectedRequest},
	{errTooMany, http.StatusTooManyRequests},
}

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
	for _, known := range statuses {
		if errors.Is(err, known.error) {
			return problem{Status: known.status, Detail: err.Error()}
		}
	}
	if p, ok := problemOfClient(err); ok {
		return p
	}
	return problemOfService(err)
}

// problemOfClient says what the client did wrong. ok is false where that is not what the error tells.
func problemOfClient(err error) (p problem, ok bool) {
	var (
		bad      invalid
		gone     missing
		tooLarge *http.MaxBytesError
		broken   syntax
		faults   hass.Invalid
		tooMuch  hass.TooMuch
		lines    partialWrite
		nobody   unauthorized
		mayNot   forbidden
		tooMany  auth.TooMany
	)
	switch {
	case errors.As(err, &nobody):
		return problem{Status: http.StatusUnauthorized, Detail: nobody.Error()}, true
	case errors.As(err, &mayNot):
		return problem{Status: http.StatusForbidden, Detail: err.Error()}, true
	case errors.As(err, &tooMany):
		return problem{Status: http.StatusTooManyRequests, Detail: tooMany.Error()}, true
	case errors.As(err, &bad):
		return problem{Status: http.StatusUnprocessableEntity, Detail: err.Error(), Errors: bad}, true
	case errors.As(err, &faults):
		return problem{Status: http.StatusUnprocessableEntity, Detail: faults.Error() + ": nothing was stored", Errors: pointersOf(faults)}, true
	case errors.As(err, &lines):
		return problem{Status: http.StatusBadRequest, Detail: lines.Error(), Errors: lines.pointers()}, true
	case errors.As(err, &tooMuch):
		return problem{Status: http.StatusConflict, Detail: tooMuch.Error() + ": nothing was stored; force=true does it"}, true
	case errors.As(err, &gone):
		return problem{Status: http.StatusNotFound, Detail: err.Error()}, true
	case errors.As(err, &broken):
		return problem{Status: http.StatusBadRequest, Detail: err.Error()}, true
	case errors.As(err, &tooLarge):
		return problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("the body is larger than the %d bytes that are allowed here", tooLarge.Limit)}, true
	}
	return problem{}, false
}

// problemOfService says what the service or its data did not allow.
func problemOfService(err error) problem {
	var (
		down    *db.Unavailable
		lost    *db.Gone
		notMade *backup.Failed
	)
	switch {
	case errors.As(err, &notMade):
		return problem{Status: http.StatusServiceUnavailable, Detail: notMade.Detail}
	case errors.Is(err, db.ErrNotFound):
		return problem{Status: http.StatusNotFound}
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
