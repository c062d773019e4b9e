package server

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// events is an answer that is sent as server-sent events (HTML, section 9.2). What is added to it is sent by
// flush, or when it becomes much.
type events struct {
	ctx      context.Context // ends when the client goes or the service does
	to       http.ResponseWriter
	control  *http.ResponseController
	patience time.Duration // with a client that does not read
	buffer   []byte
	err      error // of sending; nothing is sent after it
}

// much is how many bytes are sent at once: what one client takes of the memory.
const much = 32 << 10

// sendEvents runs a stream. An answer to HEAD is over before it begins.
func (s *Server) sendEvents(w http.ResponseWriter, r *http.Request, run stream) {
	header := w.Header()
	header["Content-Type"] = []string{"text/event-stream"}
	header["Cache-Control"] = noStore
	header["X-Accel-Buffering"] = []string{"no"} // else a proxy waits for more than there is
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	recorderOf(w).waits = true
	s.traffic.streams.Inc()
	defer s.traffic.streams.Dec()
	http.NewResponseController(w).Flush() // here and not deeper, where the stack of each client would need to grow
	ctx, end := context.WithCancel(r.Context())
	defer end()
	e := &events{ctx: ctx, to: w, control: http.NewResponseController(w), patience: s.patience}
	stop := context.AfterFunc(s.ending, func() {
		end()
		e.control.SetWriteDeadline(time.Now().Add(lastWords))
	})
	defer stop()
	run(e)
	if e.err == nil && ctx.Err() == nil {
		e.control.SetWriteDeadline(time.Time{}) // the connection is used for the next request
	} else {
		e.control.SetWriteDeadline(time.Now().Add(lastWords))
	}
}

// lastWords is how long the end of a stream may take to send: who does not read delays no shutdown.
const lastWords = time.Second

// frame is an event as it is sent. data is one line, which may end with a newline.
func frame(id, name string, data []byte) []byte {
	data = bytes.TrimSuffix(data, []byte{'\n'})
	f := make([]byte, 0, len("id: \nevent: \ndata: \n\n")+len(id)+len(name)+len(data))
	f = append(f, "id: "+id+"\nevent: "+name+"\ndata: "...)
	return append(append(f, data...), "\n\n"...)
}

// add adds an event that has no room after its end, because it may be shared and be added to.
func (e *events) add(frame []byte) {
	if e.buffer == nil {
		e.buffer = frame
	} else {
		e.buffer = append(e.buffer, frame...)
	}
	if len(e.buffer) >= much {
		e.flush()
	}
}

// beat adds a comment, which keeps the connection open. An id with it is where the client resumes from now
// on, though there was no event.
func (e *events) beat(id string) {
	e.buffer = append(e.buffer, ": heartbeat\n"...)
	if id != "" {
		e.buffer = append(e.buffer, "id: "+id+"\n"...)
	}
	e.buffer = append(e.buffer, '\n')
}

// flush sends what was added, and says whether the stream goes on.
func (e *events) flush() bool {
	e.control.SetWriteDeadline(time.Now().Add(e.patience))
	if e.err == nil {
		e.err = e.ctx.Err()
	}
	if e.err == nil {
		_, e.err = e.to.Write(e.buffer)
	}
	if e.err == nil {
		e.err = e.control.Flush()
	}
	e.buffer = nil // a client that idles has none
	return e.err == nil
}

// replyLater answers with what is worth waiting for.
func (s *Server) replyLater(w http.ResponseWriter, r *http.Request, later delayed) error {
	recorderOf(w).waits = true
	value, err := later(r.Context())
	if err != nil {
		return err
	}
	return s.reply(w, r, value)
}

// wantsEvents says whether a client prefers a stream of events to JSON (RFC 9110, section 12.5.1).
func wantsEvents(r *http.Request) bool {
	quality := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, rest, _ := strings.Cut(part, ";")
		weight := 1.0
		if _, q, found := strings.Cut(rest, "q="); found {
			q, _, _ = strings.Cut(q, ";")
			weight, _ = strconv.ParseFloat(strings.TrimSpace(q), 64)
		}
		quality[strings.ToLower(strings.TrimSpace(media))] = weight
	}
	stream := quality["text/event-stream"]
	return stream > 0 && stream >= quality["application/json"]
}
