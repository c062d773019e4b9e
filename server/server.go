// Package server is the HTTP API over the metadata and the history of a home.
//
// A request meets the route table (routes.go), a handler of a few lines that parses (query.go) and calls
// one accessor or one Write of package db, and the reply (reply.go), or the problem (problem.go).
package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/gorilla/mux"
	"github.com/prometheus/client_golang/prometheus"

	"dataapi/db"
	"dataapi/internal/auth"
	"dataapi/internal/backup"
	"dataapi/internal/dispatch"
	"dataapi/internal/hass"
	"dataapi/internal/history"
	"dataapi/internal/history/relay"
)

// Config is what the server is made of.
type Config struct {
	DB *db.DB
	// Registries follow a folder of Home Assistant's; nil where none is configured.
	Registries *hass.Follower
	History    history.Store
	Relay      *relay.Store // between History and InfluxDB; nil where none is configured
	Webhooks   *dispatch.Dispatcher
	Guard      *auth.Guard    // says who may do what; nil lets nobody do what needs a key
	Backups    *backup.Keeper // one that keeps nothing where it is nil
	Log        *slog.Logger
	Version    string
	MaxBody    int64 // bytes of a registry write, before and after decompression
	Compress   bool  // whether answers are compressed for clients that accept it
	// CacheBytes is how much of the memory answers may take that hold until the metadata changes; 0 is none.
	CacheBytes int
	// Proxies are the networks whose proxies are believed who the client is.
	Proxies []netip.Prefix
	// Origins are those whose pages may use the API from a browser, see ParseOrigins.
	Origins []string
	// ClientRequests is how many requests one client may have under way at a time; 0 is any number.
	ClientRequests int
	// QueryTimeout is how long an answer may take to find; 0 is for ever.
	QueryTimeout time.Duration
}

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	Config
	started    time.Time
	handler    http.Handler
	ending     context.Context // of streams
	endStreams context.CancelFunc
	heartbeat  time.Duration // of streams
	patience   time.Duration // with a client of a stream that does not read
	pace       pace          // of all others
	frames     frames
	cache      *cache // nil where there is none
	traffic    *traffic
	registry   *prometheus.Registry // of metrics
}

// New returns a server whose uptime starts now.
func New(config Config) *Server {
	config.MaxBody = cmp.Or(config.MaxBody, 64<<20)
	config.Backups = cmp.Or(config.Backups, backup.New(backup.Config{Log: config.Log}))
	s := &Server{Config: config, started: time.Now(), heartbeat: 15 * time.Second, patience: 10 * time.Second, pace: usualPace}
	s.traffic = newTraffic()
	s.ending, s.endStreams = context.WithCancel(context.Background())
	router := mux.NewRouter().UseEncodedPath().SkipClean(true)
	for _, p := range pathsOf(s.routes()) {
		router.Handle(p.path, s.endpoint(p)).Name(p.path)
	}
	router.NotFoundHandler = s.answer(func(*http.Request) (any, error) { return nil, errNoRoute })
	s.handler = s.observed(s.shared(s.limited(s.identified(s.cached(router)))))
	s.registry = s.newRegistry()
	return s
}

// EndStreams ends all streams at once, and those that are asked for later. It is for
// http.Server.RegisterOnShutdown: a shutdown waits for streams, and they would not end.
func (s *Server) EndStreams() { s.endStreams() }

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// observed gives each request an id and a line in the log, and turns a panic into a 500.
func (s *Server) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		s.believe(r)
		rec := &recorder{ResponseWriter: w, id: [1]string{id}, meter: s.traffic.unmatched.of(r.Method), patience: s.pace.answer}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = s.paced(w, r.Body)
		}
		s.traffic.inFlight.Inc()
		header := w.Header()
		header["X-Request-Id"] = rec.id[:]
		header["X-Content-Type-Options"] = nosniff
		defer func() {
			if p := recover(); p != nil {
				s.Log.Error("panic", "request_id", id, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					s.fail(rec, r, errPanic)
				}
			}
			end := time.Now()
			s.traffic.inFlight.Dec()
			rec.meter.note(rec, end.Sub(start))
			s.log(r, rec, start, end)
		}()
		next.ServeHTTP(rec, r)
	})
}

// log writes the line of a request. It does without slog.Logger, which would find out each time where this stands.
func (s *Server) log(r *http.Request, rec *recorder, start, end time.Time) {
	h := s.Log.Handler()
	if !h.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	line := slog.NewRecord(end, slog.LevelInfo, "request", 0)
	line.AddAttrs(slog.String("request_id", rec.id[0]), slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.String("route", rec.meter.route), slog.Int("status", rec.status), slog.Int64("bytes", rec.bytes),
		slog.Duration("duration", end.Sub(start)), slog.String("remote", r.RemoteAddr), rec.key())
	h.Handle(r.Context(), line) // there is nowhere to say that it failed
}

var nosniff = []string{"nosniff"}

// requestID takes the client's id where it is short and printable, and makes one otherwise.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if id == "" || len(id) > 128 {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return rand.Text()
		}
	}
	return id
}

// recorder remembers what was answered, and to whom.
type recorder struct {
	http.ResponseWriter
	id       [1]string
	status   int
	bytes    int64
	answers  *answers // where a lasting answer is kept; may be nil
	meter    *meter
	waits    bool          // the answer takes as long as it takes for something to happen
	patience time.Duration // with a client that does not take it
	caller   auth.Caller
	scope    auth.Scopes // which the route needs one of, as soon as it is known
}

// key is the id of the caller's key for the log, nothing where there is none.
func (r *recorder) key() slog.Attr {
	if r.caller.KeyID == "" {
		return slog.Attr{}
	}
	return slog.String("key_id", r.caller.KeyID)
}

// recorderOf is the recorder of an answer; one that nobody reads where there is none.
func recorderOf(w http.ResponseWriter) *recorder {
	if rec, ok := w.(*recorder); ok {
		return rec
	}
	return &recorder{ResponseWriter: w}
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.expectTaken()
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (n int, err error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	for err == nil && n < len(p) {
		if n > 0 {
			r.expectTaken()
		}
		var more int
		more, err = r.ResponseWriter.Write(p[n:min(n+part, len(p))])
		n += more
	}
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
