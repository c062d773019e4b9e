package server

import (
	"bytes"
	"context"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"time"
)

// longestProfile is how many seconds of the process a profile may be of.
const longestProfile = 60

// getProfile answers with a profile of the process, as go tool pprof reads it: of what it did for some seconds
// (profile, trace), or of how it is now (heap, goroutine and the others that the runtime keeps).
func (s *Server) getProfile(r *http.Request) (any, error) {
	q := parse(r)
	length := time.Duration(q.number("seconds", 5, 1, longestProfile)) * time.Second
	detail := q.number("debug", 0, 0, 2)
	if err := q.err(); err != nil {
		return nil, err
	}
	name := pathID(r, "name")
	var b bytes.Buffer
	switch name {
	case "profile":
		return during(length, &b, func() error { return pprof.StartCPUProfile(&b) }, pprof.StopCPUProfile), nil
	case "trace":
		return during(length, &b, func() error { return trace.Start(&b) }, trace.Stop), nil
	}
	p := pprof.Lookup(name)
	if p == nil {
		return nil, missing{noun: "profile", id: name}
	}
	err := p.WriteTo(&b, int(detail))
	if detail > 0 {
		return fresh{http.StatusOK, file{"text/plain; charset=utf-8", b.Bytes()}}, err
	}
	return profileOf(&b), err
}

// during records for some time, or until the client goes. There is one recording at a time in a process.
func during(length time.Duration, b *bytes.Buffer, start func() error, stop func()) delayed {
	return func(ctx context.Context) (any, error) {
		if err := start(); err != nil {
			return nil, errRecording
		}
		defer stop()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(length):
		}
		stop()
		return profileOf(b), nil
	}
}

func profileOf(b *bytes.Buffer) fresh {
	return fresh{http.StatusOK, file{"application/octet-stream", b.Bytes()}}
}
