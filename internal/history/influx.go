package history

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// InfluxConfig says how an InfluxDB server is reached. A Token wins over User and Password; without either,
// those in URL are used, if any.
type InfluxConfig struct {
	URL      string // such as http://localhost:8086; a query in it, such as ?u=me&p=secret, is sent along
	Token    string
	User     string
	Password string
	Org      string // organization, of version 2 only; "" for the token's own
	Database string // database of 1.x and 3, bucket of 2
	Layout   string // how its points are laid out: a name of a layout, or "" to find out by looking
}

// Influx is a client of an InfluxDB server, of version 1, 2 or 3, and a Store on it: it asks in InfluxQL on
// /query and writes line protocol on /write, which all three take. It is safe for concurrent use.
type Influx struct {
	config  InfluxConfig
	base    *url.URL
	shown   string // of base: without secrets
	client  *http.Client
	timeout time.Duration // without a byte from the server
	slots   chan struct{} // held by the queries that run
	circuit circuit
	record  influxRecord
	found   foundLayout
}

const (
	pingEvery      = 10 * time.Second
	pingTimeout    = 3 * time.Second
	requestTimeout = 10 * time.Second
	maxQueries     = 4 // at once
)

// errAddress does not show the address, which may hold a password.
var errAddress = errors.New("must be the URL of a server, such as http://localhost:8086")

// NewInflux returns a client, without asking the server anything. The error does not show the address.
func NewInflux(c InfluxConfig) (*Influx, error) {
	base, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errAddress
	}
	if _, err := layoutNamed(c.Layout); c.Layout != "" && err != nil {
		return nil, err
	}
	shown := url.URL{Scheme: base.Scheme, Host: base.Host, Path: base.Path}
	i := &Influx{config: c, base: base, shown: shown.String(), timeout: requestTimeout, slots: make(chan struct{}, maxQueries)}
	i.client = &http.Client{Transport: influxTransport(), CheckRedirect: followOnlyGET}
	return i, nil
}

// URL is the address of the server, without user, password and query, which may be a token.
func (i *Influx) URL() string { return i.shown }

// Target names the database of the server, without secrets.
func (i *Influx) Target() string { return i.shown + " " + i.config.Database }

// influxTransport keeps as many connections as there may be requests. Answers are not compressed: the server
// is near, and often as small as we are.
func influxTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxQueries + 2
	t.DisableCompression = true
	return t
}

// followOnlyGET refuses to turn a redirected POST into a GET without its body.
func followOnlyGET(_ *http.Request, via []*http.Request) error {
	switch {
	case via[0].Method != http.MethodGet:
		return http.ErrUseLastResponse
	case len(via) >= 10:
		return errors.New("stopped after 10 redirects")
	}
	return nil
}

// Run asks the server every ten seconds until ctx ends, and returns nil.
func (i *Influx) Run(ctx context.Context) error {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		i.ping(ctx)
		select {
		case <-ctx.Done():
			i.client.CloseIdleConnections()
			return nil
		case <-tick.C:
		}
	}
}

// Probe sees whether the database can be asked, which costs little.
func (i *Influx) Probe(ctx context.Context) error {
	for _, err := range i.query(ctx, "SHOW MEASUREMENTS LIMIT 1", nil) {
		return storeError(ctx, err)
	}
	return nil
}

// ping asks GET /ping: any 2xx means up, in every version, and the version is in a header.
func (i *Influx) ping(ctx context.Context) {
	deadline, cancel := context.WithTimeoutCause(ctx, pingTimeout, errSlow)
	defer cancel()
	start := time.Now()
	response, err := i.send(deadline, influxRequest{method: http.MethodGet, path: "ping"})
	i.record.note(ctx, start, err)
	if err == nil {
		i.record.version(response.Header.Get("X-Influxdb-Version"))
		drain(response)
	}
}
