package server

import (
	"errors"
	"net/http"
	"time"

	"dataapi/internal/auth"
)

// ticket lets a browser open a stream, to whose request it can add no header.
type ticket struct {
	Ticket    string    `json:"ticket"`
	ExpiresAt time.Time `json:"expires_at"`
}

// createTicket makes a ticket for who asks.
func (s *Server) createTicket(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	text, until := s.Guard.Ticket(callerOf(r))
	return fresh{http.StatusCreated, ticket{text, until.UTC()}}, nil
}

// callerBy finds out who asks: by a key, or, for a stream, by a ticket in the URL.
func (s *Server) callerBy(r *http.Request) auth.Caller {
	caller := s.Guard.Caller(r.Context(), keyIn(r), clientAddr(r))
	if caller.Problem == nil || !errors.Is(caller.Problem, auth.ErrNoKey) || s.Guard == nil ||
		r.Method != http.MethodGet || r.URL.Path != "/api/v1/changes" || !wantsEvents(r) {
		return caller
	}
	if text := r.URL.Query().Get("ticket"); text != "" {
		return s.Guard.Redeem(r.Context(), text, time.Now())
	}
	return caller
}
