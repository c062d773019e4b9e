package history

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Influx watches an InfluxDB server, of version 1, 2 or 3.
type Influx struct {
	base   *url.URL
	client *http.Client

	mu    sync.Mutex
	state State
}

// State is what was last seen of the server.
type State struct {
	URL      string        // without user, password and query, which may be a token
	Up       bool          // whether the last request was answered
	Version  string        // as the server says; "" where it does not
	Problem  string        // why it is not up; "" where it is or was not asked yet
	Requests int64         // since the start
	Failures int64         // of these
	Time     time.Duration // spent waiting for the server
}

const (
	pingEvery   = 10 * time.Second
	pingTimeout = 3 * time.Second
)

// errAddress does not show the address, which may hold a password.
var errAddress = errors.New("must be the URL of a server, such as http://localhost:8086")

// NewInflux returns a watch over the server at address, such as http://localhost:8086. The error does not
// show the address.
func NewInflux(address string) (*Influx, error) {
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errAddress
	}
	i := &Influx{base: base, client: &http.Client{Timeout: pingTimeout}}
	i.state.URL = (&url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path}).String()
	return i, nil
}

// Run asks the server every ten seconds until ctx ends, and returns nil.
func (i *Influx) Run(ctx context.Context) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		i.ping(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// State returns what was last seen, without waiting for the server.
func (i *Influx) State() State {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.state
}

// ping asks GET /ping: any 2xx means up, in every version, and the version is in a header.
func (i *Influx) ping(ctx context.Context) {
	start := time.Now()
	version, err := i.get(ctx)
	if ctx.Err() != nil {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state.Requests++
	i.state.Time += time.Since(start)
	i.state.Up, i.state.Problem = err == nil, ""
	if err != nil {
		i.state.Failures++
		i.state.Problem = err.Error()
		return
	}
	i.state.Version = version
}

func (i *Influx) get(ctx context.Context) (version string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, i.base.JoinPath("ping").String(), nil)
	if err != nil {
		return "", err
	}
	response, err := i.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("no answer: %w", plain(err))
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	if response.StatusCode/100 != 2 {
		return "", fmt.Errorf("answered %s", response.Status)
	}
	return response.Header.Get("X-Influxdb-Version"), nil
}

// plain leaves the URL out of an error, which may hold a password.
func plain(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
