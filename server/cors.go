package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ParseOrigins reads a list of origins with commas, such as https://home.example:8443, or a star for any.
func ParseOrigins(text string) (origins []string, err error) {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		if part == "" {
			continue
		}
		u, err := url.Parse(part)
		if part != "*" && (err != nil || u.Host == "" || u.User != nil || part != u.Scheme+"://"+u.Host) {
			return nil, fmt.Errorf("%q is no origin, such as https://home.example:8443: a scheme, a host and nothing after it", part)
		}
		origins = append(origins, part)
	}
	if len(origins) > 1 && slices.Contains(origins, "*") {
		return nil, fmt.Errorf("a star is for any origin, and stands alone")
	}
	return origins, nil
}

// What pages of other origins may read of an answer, and send with a request.
var (
	exposed     = []string{"ETag, Link, Location, Retry-After, X-Request-ID, Data-Complete"}
	sendable    = []string{"Authorization, X-API-Key, Content-Type, Content-Encoding, If-Match, If-None-Match, Last-Event-ID, X-Request-ID"}
	preflighted = []string{"600"} // seconds for which a browser need not ask again
	anyOrigin   = []string{"*"}
	yes         = []string{"true"}
	varyOrigin  = []string{"Origin"}
	varyBoth    = []string{"Accept-Encoding, Origin"}
)

// shared tells browsers that pages of the configured origins may use what is here. Whoever may use what, with
// credentials, is named; a star gets none.
func (s *Server) shared(next http.Handler) http.Handler {
	if len(s.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["Vary"] = varyOrigin
		if origin := s.origin(r); origin != nil {
			header["Access-Control-Allow-Origin"] = origin
			header["Access-Control-Expose-Headers"] = exposed
			if origin[0] != "*" {
				header["Access-Control-Allow-Credentials"] = yes
			}
		}
		next.ServeHTTP(w, r)
	})
}

// origin is what to say of the origin of a page, nil where it is none of ours.
func (s *Server) origin(r *http.Request) []string {
	origin := r.Header["Origin"]
	switch {
	case len(origin) != 1 || len(s.Origins) == 0:
		return nil
	case s.Origins[0] == "*":
		return anyOrigin
	case slices.Contains(s.Origins, strings.ToLower(origin[0])):
		return origin
	}
	return nil
}

// preflight answers a browser that asks what a page may send to a path, and says whether that was asked. It needs no
// key: a browser sends none with this.
func (s *Server) preflight(w http.ResponseWriter, r *http.Request, allow string) bool {
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" || s.origin(r) == nil {
		return false
	}
	header := w.Header()
	header["Access-Control-Allow-Methods"] = []string{allow}
	header["Access-Control-Allow-Headers"] = sendable
	header["Access-Control-Max-Age"] = preflighted
	w.WriteHeader(http.StatusNoContent)
	return true
}

// vary is what answers that may be compressed depend on.
func (s *Server) vary() []string {
	if len(s.Origins) > 0 {
		return varyBoth
	}
	return varyEncoding
}
