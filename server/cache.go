package server

import (
	"net/http"
	"sync"
	"sync/atomic"

	"dataapi/db"
)

// lasting is an answer that follows from the metadata and from the URL alone. It holds until the metadata
// changes.
type lasting struct{ value any }

// kept makes the answers of a handler lasting, but for those that are fresh or incomplete. Answers that depend on the
// clock, on who asks or on the history must not be lasting.
func kept(h handler) handler {
	return func(r *http.Request) (any, error) {
		value, err := h(r)
		switch value.(type) {
		case fresh, incomplete:
			return value, err
		}
		return lasting{value}, err
	}
}

// cache keeps lasting answers in front of the router, for one version of the metadata at a time.
type cache struct {
	db      *db.DB
	most    int // bytes of bodies and URLs
	present atomic.Pointer[answers]

	hits, misses atomic.Int64 // of answers that are kept, or could be
}

// answers are those of one version, by the URL as it was sent.
type answers struct {
	version db.Version
	most    int

	mu    sync.RWMutex
	byURL map[string]*representation
	size  int
}

// now returns the answers of the present version, or nil where nobody can tell which that is. It is to be
// asked before the metadata is read: what is read later may be newer, and is then forgotten too soon, not
// too late.
func (c *cache) now() *answers {
	version, ok := c.db.Version()
	if !ok {
		return nil
	}
	known := c.present.Load()
	if known != nil && known.version == version {
		return known
	}
	fresh := &answers{version: version, most: c.most, byURL: map[string]*representation{}}
	c.present.CompareAndSwap(known, fresh)
	return fresh
}

func (a *answers) get(url string) *representation {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.byURL[url]
}

// put keeps an answer. Where there is no room, all others go: what is asked for often is soon there again.
func (a *answers) put(url string, p *representation) {
	size := len(url) + 2*len(p.body) // it may be kept compressed as well
	if size > a.most/4 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.byURL[url]; known {
		return
	}
	if a.size+size > a.most {
		clear(a.byURL)
		a.size = 0
	}
	a.byURL[url] = p
	a.size += size
}

// cached answers from the cache what it has, and has the rest kept that is lasting.
func (s *Server) cached(next http.Handler) http.Handler {
	if s.CacheBytes <= 0 {
		return next
	}
	s.cache = &cache{db: s.DB, most: s.CacheBytes}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		rec, ok := w.(*recorder)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		rec.answers = s.cache.now()
		if rec.answers != nil {
			if p := rec.answers.get(r.RequestURI); p != nil && p.scope.Any(rec.caller.Rights) {
				s.cache.hits.Add(1)
				rec.meter = p.meters.of(r.Method)
				s.represent(w, r, p)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// keep keeps a lasting answer to the request, if there is a cache, for all who may what the route needs.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, p *representation) {
	if s.cache == nil {
		return
	}
	s.cache.misses.Add(1)
	if rec := recorderOf(w); rec.answers != nil {
		p.scope, p.meters = rec.scope, rec.meter.meters
		rec.answers.put(r.RequestURI, p)
	}
}

// held says how many answers are kept, and how many bytes they take.
func (c *cache) held() (count, size int) {
	a := c.present.Load()
	if a == nil {
		return 0, 0
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.byURL), a.size
}
