package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// stored answers a write of a resource with what a GET of it answers from now on, under the same ETag.
type stored struct {
	status   int    // 201 where the resource is new
	location string // of a new resource
	value    any
}

func (s *Server) sendStored(w http.ResponseWriter, r *http.Request, v stored) error {
	body, err := encode(v.value)
	if err != nil {
		return err
	}
	header := w.Header()
	header["Content-Type"] = contentTypeJSON
	if v.location != "" {
		header.Set("Location", v.location)
	}
	s.tag(header, r, body)
	s.send(w, r, v.status, body)
	return nil
}

// sendTagged sends a body that clients may keep as long as its ETag holds.
func (s *Server) sendTagged(w http.ResponseWriter, r *http.Request, body []byte) {
	if hasTag(r.Header.Values("If-None-Match"), s.tag(w.Header(), r, body), weakly) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.send(w, r, http.StatusOK, body)
}

// tag sets the header of a body with an ETag, and returns the tag without its coding.
func (s *Server) tag(header http.Header, r *http.Request, body []byte) string {
	tag := tagOf(body)
	header["Cache-Control"] = revalidate
	header["Vary"] = varyEncoding
	if s.compresses(r, body) {
		header["Etag"] = []string{`"` + tag + `-gzip"`}
	} else {
		header["Etag"] = []string{`"` + tag + `"`}
	}
	return tag
}

// tagOf is the hash of the bytes before compression (RFC 9110, section 8.8.3).
func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// How tags are compared (RFC 9110, section 8.8.3.2): only weakly may a weak tag be the same.
const (
	weakly   = true
	strongly = false
)

// hasTag says whether one of the tags in a header is ours, in whatever coding.
func hasTag(headers []string, tag string, weakly bool) bool {
	for _, h := range headers {
		for t := range strings.SplitSeq(h, ",") {
			t, isWeak := strings.CutPrefix(strings.TrimSpace(t), "W/")
			if isWeak && !weakly {
				continue
			}
			if t == "*" && !isWeak || strings.TrimSuffix(strings.Trim(t, `"`), "-gzip") == tag {
				return true
			}
		}
	}
	return false
}

// ifMatch compares If-Match, where it is given, with the tag of what GET would answer now. It is to be
// called inside the transaction that changes the resource. The error is errStale.
func ifMatch(r *http.Request, now any) error {
	headers := r.Header.Values("If-Match")
	if len(headers) == 0 {
		return nil
	}
	body, err := encode(now)
	if err == nil && !hasTag(headers, tagOf(body), strongly) {
		err = errStale
	}
	return err
}
