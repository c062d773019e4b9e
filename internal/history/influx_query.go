package history

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// query asks in InfluxQL and yields the rows of the answer while they arrive, at most one chunk of them in
// memory. args are bound to the $names in text; everything else in text must be quoted or formatted by us.
// It ends with an error where the answer was cut, the server said one in the middle of it, or was silent for
// ten seconds. What is not read any more is cancelled on the server.
func (i *Influx) query(ctx context.Context, text string, args map[string]string) iter.Seq2[influxRow, error] {
	return func(yield func(influxRow, error) bool) {
		err := i.ask(ctx, text, args, func(r influxRow) bool { return yield(r, nil) })
		if err != nil && !errors.Is(err, errStopped) {
			yield(influxRow{}, err)
		}
	}
}

// errStopped says that no more rows are wanted.
var errStopped = errors.New("stopped")

func (i *Influx) ask(ctx context.Context, text string, args map[string]string, row func(influxRow) bool) error {
	if wait, ok := i.circuit.enter(time.Now()); !ok {
		return &influxError{fault: down, detail: "not asked, as it failed again and again", retry: wait}
	}
	asked := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	err := i.inSlot(ctx, func() error { return i.stream(ctx, cancel, i.form(text, args), row) })
	switch {
	case errors.Is(err, errStopped) || asked.Err() != nil:
		i.circuit.leave(time.Now(), abandoned)
		return err
	case err != nil && faultOf(err) == down && !errors.Is(err, errBusy):
		i.circuit.leave(time.Now(), failed)
	default:
		i.circuit.leave(time.Now(), succeeded)
	}
	i.record.note(asked, start, err)
	return err
}

// inSlot runs fn as one of the few queries that may run at once.
func (i *Influx) inSlot(ctx context.Context, fn func() error) error {
	timeout := time.NewTimer(i.timeout)
	defer timeout.Stop()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
		return fn()
	case <-timeout.C:
		return errBusy
	case <-ctx.Done():
		return noAnswer(ctx, ctx.Err())
	}
}

// chunkSize is how many rows the server sends at a time.
const chunkSize = "5000"

// form is the query as a POST: long lists of ids do not fit into a URL.
func (i *Influx) form(text string, args map[string]string) url.Values {
	form := url.Values{"db": {i.config.Database}, "q": {text}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {chunkSize}}
	if i.config.Org != "" {
		form.Set("org", i.config.Org)
	}
	if len(args) > 0 {
		params, err := json.Marshal(args)
		if err != nil {
			panic(err) // strings only
		}
		form.Set("params", string(params))
	}
	return form
}

func (i *Influx) stream(ctx context.Context, cancel context.CancelCauseFunc, form url.Values, row func(influxRow) bool) error {
	patience := time.AfterFunc(i.timeout, func() { cancel(errSlow) })
	defer patience.Stop()
	response, err := i.send(ctx, influxRequest{
		method: http.MethodPost, path: "query", kind: "application/x-www-form-urlencoded", body: form.Encode(),
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	i.circuit.answered()
	patience.Stop()
	err = newInfluxDecoder(&patientReader{response.Body, patience, i.timeout}).rows(row)
	var said errSaid
	switch {
	case err == nil, errors.Is(err, errStopped):
		return err
	case errors.As(err, &said):
		return i.saidError(string(said))
	case ctx.Err() != nil:
		return noAnswer(ctx, err)
	}
	return malformed(err)
}

// patientReader waits for the server for so long at a time. The time in which nobody reads does not count.
type patientReader struct {
	io.Reader
	timer   *time.Timer
	timeout time.Duration
}

func (r *patientReader) Read(b []byte) (int, error) {
	r.timer.Reset(r.timeout)
	defer r.timer.Stop()
	return r.Reader.Read(b)
}
