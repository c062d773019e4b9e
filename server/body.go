package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"dataapi/internal/hass"
)

// batch reads a body that is a JSON list of registry entries.
func (s *Server) batch(r *http.Request) (hass.Batch, error) {
	body, err := s.body(r, s.MaxBody)
	if err != nil {
		return nil, err
	}
	return hass.ReadBatch(body)
}

// body reads a JSON body of at most limit bytes, before and after decompression.
func (s *Server) body(r *http.Request, limit int64) ([]byte, error) {
	if !isJSON(mediaOf(r)) {
		return nil, errContentType
	}
	return content(r, limit)
}

// mediaOf is what Content-Type says that the body is, without parameters.
func mediaOf(r *http.Request) string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

func isJSON(media string) bool {
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

// content reads a body of at most limit bytes, before and after decompression, whatever it is.
func content(r *http.Request, limit int64) ([]byte, error) {
	reader := http.MaxBytesReader(nil, r.Body, limit)
	switch strings.ToLower(strings.Join(r.Header.Values("Content-Encoding"), ",")) {
	case "", "identity":
	case "gzip", "x-gzip":
		inflated, err := gzip.NewReader(reader)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, errSlowBody
		} else if err != nil {
			return nil, errGzip
		}
		reader = http.MaxBytesReader(nil, inflated, limit)
	default:
		return nil, errEncoding
	}
	return readAll(reader, r.ContentLength)
}

func readAll(reader io.Reader, expected int64) ([]byte, error) {
	var b bytes.Buffer
	if expected > 0 {
		b.Grow(int(min(expected, 1<<20)) + bytes.MinRead) // a header is a claim: larger bodies grow as they come
	}
	_, err := b.ReadFrom(reader)
	return b.Bytes(), bodyError(err)
}

// bodyError keeps the error that says the body is too large, and makes any other one of ours.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.As(err, &tooLarge):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlowBody
	}
	return errNoBody
}
