// Package webhook is what a call to a webhook is made of: which changes it wants (events.go, filter.go), where
// it may be (targets.go), how a message is signed and sent (secret.go, call.go), and when it is sent again
// (retry.go). It stores nothing and remembers nothing between two calls.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of a call.
const (
	callTimeout = 15 * time.Second
	readTimeout = 2 * time.Second // for what is kept of the answer, after its status has come
	kept        = 1 << 10         // bytes of an answer, or of why there was none
	maxHeader   = 64 << 10        // bytes of an answer's header
)

// Receiver is who is called.
type Receiver struct {
	URL     string
	Secrets []string // that are good now, the newest first; at least one
}

// Message is what is sent. All calls that send it again have the same ID and Body.
type Message struct {
	ID   string
	Body string // JSON
}

// Outcome is what came of a call.
type Outcome struct {
	Status     int           // 0 where there was no answer
	Latency    time.Duration // until the status came, or it was clear that none would
	Answer     string        // its first KB, with U+FFFD for what is no UTF-8
	Problem    string        // why there was no answer, without the URL, which may hold secrets
	RetryAfter time.Duration // that the answer asks for, up to a day; 0 where it asks for nothing
}

// Caller calls webhooks. It is safe for concurrent use.
type Caller struct {
	client *http.Client
	agent  string

	timeout, readTimeout time.Duration
}

// NewCaller returns a caller of webhooks that are at allowed targets. version is that of data-api.
func NewCaller(targets Targets, version string) *Caller {
	dialer := &net.Dialer{Timeout: callTimeout, Control: targets.control}
	return &Caller{
		client: newClient(dialer), agent: "data-api/" + version,
		timeout: callTimeout, readTimeout: readTimeout,
	}
}

// newClient returns a client that uses no proxy, which would be called in a target's place, and follows no
// redirect.
func newClient(dialer *net.Dialer) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    callTimeout,
			MaxIdleConnsPerHost:    2,
			MaxIdleConns:           256,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxHeader,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Call posts a message, signed with the time at. It takes 15 seconds at most, and 2 more for the answer's body.
func (c *Caller) Call(ctx context.Context, to Receiver, m Message, at time.Time) Outcome {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	request, err := c.request(ctx, to, m, at)
	if err != nil {
		return Outcome{Problem: problemOf(err)}
	}
	late := time.AfterFunc(c.timeout, cancel)
	start := time.Now()
	response, err := c.client.Do(request)
	latency := time.Since(start)
	inTime := late.Stop()
	switch {
	case err != nil && !inTime:
		return Outcome{Latency: latency, Problem: fmt.Sprintf("no answer within %v", c.timeout)}
	case err != nil:
		return Outcome{Latency: latency, Problem: problemOf(err)}
	}
	defer response.Body.Close()
	defer time.AfterFunc(c.readTimeout, cancel).Stop()
	return Outcome{
		Status: response.StatusCode, Latency: latency, Answer: firstOf(response.Body),
		RetryAfter: retryAfter(response.Header, at.Add(latency)),
	}
}

func (c *Caller) request(ctx context.Context, to Receiver, m Message, at time.Time) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, strings.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", c.agent)
	return request, sign(request.Header, to.Secrets, m, at)
}

// firstOf reads what is kept of an answer. What has come before it breaks off is kept as well.
func firstOf(body io.Reader) string {
	var first bytes.Buffer
	io.CopyN(&first, body, kept)
	return strings.ToValidUTF8(first.String(), "\ufffd")
}

func problemOf(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return firstOf(strings.NewReader(err.Error())) // it may quote what a receiver sent
}
