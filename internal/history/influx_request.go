package history

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// influxRequest is a request to the server.
type influxRequest struct {
	method, path string
	query        url.Values // beside that of the server's URL
	kind         string     // content type of the body
	body         string
}

// send sends a request and returns the answer, whose status is 2xx. Its errors are influxErrors.
func (i *Influx) send(ctx context.Context, r influxRequest) (*http.Response, error) {
	target := i.base.JoinPath(r.path)
	if len(r.query) > 0 {
		target.RawQuery = strings.TrimPrefix(target.RawQuery+"&"+r.query.Encode(), "&")
	}
	request, err := http.NewRequestWithContext(ctx, r.method, target.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	i.authorize(request)
	if r.kind != "" {
		request.Header.Set("Content-Type", r.kind)
	}
	response, err := i.client.Do(request)
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	if response.StatusCode/100 != 2 {
		defer drain(response)
		return nil, i.statusError(response)
	}
	return response, nil
}

// authorize says who we are in the forms that every version takes; 2.x refuses Bearer on /query. What the
// URL holds net/http sends by itself.
func (i *Influx) authorize(r *http.Request) {
	switch c := i.config; {
	case c.Token != "":
		r.Header.Set("Authorization", "Token "+c.Token)
	case c.User != "":
		r.SetBasicAuth(c.User, c.Password)
	}
}

// drain ends an answer so that its connection is used again.
func drain(response *http.Response) {
	io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10))
	response.Body.Close()
}
