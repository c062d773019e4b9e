package server

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"dataapi/internal/auth"
)

// stored answers a write of a resource with what a GET of it answers from now on, under the same ETag.
type stored struct {
	status   int    // 201 where the resource is new
	location string // of a new resource
	value    any
}

func (s *Server) sendStored(w http.ResponseWriter, r *http.Request, v stored) error {
	p, err := representationOf(v.value)
	if err != nil {
		return err
	}
	if v.location != "" {
		w.Header().Set("Location", v.location)
	}
	p.send(w, r, v.status, s.describe(w.Header(), r, p))
	return nil
}

// representation is an answer that clients may keep as long as its ETag holds.
type representation struct {
	contentType, link []string // headers; link may be nil
	body              []byte
	tag               string
	etag, zippedEtag  []string
	length            []string
	scope             auth.Scopes // one of which who asks must have, where it is kept for others
	meters            *meters     // of the route; nil where it is not kept

	zip          sync.Once
	zipped       []byte // the body compressed, as soon as somebody wants that
	zippedLength []string
}

func represented(contentType []string, body []byte) *representation {
	tag := tagOf(body)
	return &representation{
		contentType: contentType, body: body, length: []string{strconv.Itoa(len(body))},
		tag: tag, etag: []string{`"` + tag + `"`}, zippedEtag: []string{`"` + tag + `-gzip"`},
	}
}

// represent sends it, or says that the client has it.
func (s *Server) represent(w http.ResponseWriter, r *http.Request, p *representation) {
	zipped := s.describe(w.Header(), r, p)
	if tags := r.Header["If-None-Match"]; len(tags) > 0 && hasTag(tags, p.tag, weakly) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	p.send(w, r, http.StatusOK, zipped)
}

// describe sets the headers that do not depend on whether the body is sent, and says whether it is compressed.
func (s *Server) describe(header http.Header, r *http.Request, p *representation) (zipped bool) {
	header["Content-Type"] = p.contentType
	header["Cache-Control"] = revalidate
	header["Vary"] = s.vary()
	if p.link != nil {
		header["Link"] = p.link
	}
	header["Etag"] = p.etag
	if zipped = s.compresses(r, p.body); zipped {
		header["Etag"] = p.zippedEtag
	}
	return zipped
}

func (p *representation) send(w http.ResponseWriter, r *http.Request, status int, zipped bool) {
	header, body, length := w.Header(), p.body, p.length
	if zipped {
		body, length = p.compressed()
		header["Content-Encoding"] = gzipCoding
	}
	header["Content-Length"] = length
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(body) // an error means that the client has gone
	}
}

func (p *representation) compressed() (body []byte, length []string) {
	p.zip.Do(func() {
		p.zipped = compressed(p.body)
		p.zippedLength = []string{strconv.Itoa(len(p.zipped))}
	})
	return p.zipped, p.zippedLength
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
