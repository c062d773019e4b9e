package history

import (
	"context"
	"sync"
	"time"
)

// influxRecord remembers how requests went.
type influxRecord struct {
	mu     sync.Mutex
	health Health
}

// note records a request that began at start and ended with err. One that its client gave up says nothing
// about the server, and one that the server refused says that it is there.
func (r *influxRecord) note(ctx context.Context, start time.Time, err error) {
	if ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.health
	h.Queries++
	h.Time += time.Since(start)
	status, detail := Healthy, ""
	if err != nil {
		h.Failures++
		if faultOf(err) != refused {
			status, detail = Unhealthy, err.Error()
		}
	}
	if h.Detail = detail; h.Status != status {
		h.Status, h.Since = status, time.Now().UTC()
	}
}

func (r *influxRecord) version(version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.Version = version
}

// Health tells what is known of the server, without waiting for it. Requests of all kinds are counted.
func (i *Influx) Health(context.Context) Health {
	i.record.mu.Lock()
	defer i.record.mu.Unlock()
	h := i.record.health
	if h.Status == "" {
		h.Status = Unknown
	}
	return h
}
