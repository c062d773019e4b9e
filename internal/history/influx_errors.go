package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// fault is what a failed request says about the server, and so what is to be done.
type fault int

const (
	down    fault = iota // it cannot be reached, is slow, sick or busy: a later try may succeed
	denied               // it does not know the database, or us: somebody has to change a setting
	refused              // it does not take this request, and will not the next time
)

// influxError is a request that failed. Its text holds no credentials.
type influxError struct {
	fault  fault
	detail string
	retry  time.Duration // how long the server asks to be left alone; 0 where it does not
	err    error         // the cause, where there is one below
}

func (e *influxError) Error() string {
	if e.err == nil {
		return e.detail
	}
	return e.detail + ": " + e.err.Error()
}

func (e *influxError) Unwrap() error { return e.err }

// faultOf is the fault of a request that failed; whatever is not known is taken for an outage.
func faultOf(err error) fault {
	var e *influxError
	if errors.As(err, &e) {
		return e.fault
	}
	return down
}

var (
	errSlow = errors.New("it took too long")
	errBusy = &influxError{fault: down, detail: "too many queries are running already"}
)

// noAnswer is the error of a request that ended without an answer. The cause of ctx tells more than the
// connection that was cut because of it, and the URL, which may hold a password, is left out.
func noAnswer(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &influxError{fault: down, detail: "no answer", err: err}
}

// statusError is the error of an answer whose status is not 2xx, with what the server says about it.
func (i *Influx) statusError(response *http.Response) error {
	e := &influxError{detail: "answered " + response.Status}
	if said := i.scrub(saidIn(response.Body)); said != "" {
		e.detail += ": " + said
	}
	switch code := response.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		e.fault, e.retry = down, retryAfter(response.Header.Get("Retry-After"), time.Now())
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		e.fault = refused
	default: // another service lives there, or a proxy in front sends us elsewhere
		e.fault = denied
	}
	return e
}

const (
	maxSaid   = 4 << 10
	maxDetail = 300
)

// saidIn is the message in the body of an error: 1.x and 3 say error, 2 says message.
func saidIn(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, maxSaid))
	var said struct{ Error, Message string }
	if json.Unmarshal(text, &said) != nil {
		return ""
	}
	return shortened(said.Error + said.Message)
}

func shortened(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "?")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "") + "..."
	}
	return s
}

// scrub takes what must stay secret out of what a server said.
func (i *Influx) scrub(s string) string {
	password, _ := i.base.User.Password()
	secrets := []string{i.config.Token, i.config.Password, password}
	for _, values := range i.base.Query() {
		secrets = append(secrets, values...)
	}
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "***")
		}
	}
	return s
}

// retryAfter reads a Retry-After header: seconds or a date; 0 where it says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return min(at.Sub(now), maxRetryAfter)
	}
	return 0
}

// RetryAfter is how long the server asks to be left alone by what it answered; 0 where it does not.
func RetryAfter(err error) time.Duration {
	var e *influxError
	if errors.As(err, &e) {
		return e.retry
	}
	return 0
}

// maxRetryAfter bounds how long a server can make us wait.
const maxRetryAfter = 10 * time.Minute

// malformed is the error of an answer that is not one of InfluxDB, or was cut.
func malformed(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &influxError{fault: down, detail: "the answer broke off or is not InfluxDB's", err: err}
}

// saidError is an error that came inside an answer of status 200.
func (i *Influx) saidError(text string) error {
	return &influxError{fault: refused, detail: fmt.Sprintf("refused the query: %s", i.scrub(shortened(text)))}
}
