package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// traffic counts requests by the route that they reached, so that there are as many counters as there are routes,
// whatever paths are asked for.
type traffic struct {
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	streams   prometheus.Gauge
	unmatched *meters // of requests that reached no route
}

func newTraffic() *traffic {
	t := &traffic{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dataapi_http_requests_total", Help: "Requests that were answered, by route.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dataapi_http_request_duration_seconds", Help: "Time that answers took, but for streams and for those that wait for something to happen.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dataapi_http_requests_in_flight", Help: "Requests that are being answered, streams included.",
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dataapi_http_streams", Help: "Streams of events that are open.",
		}),
	}
	t.unmatched = t.meters("")
	return t
}

// meters are those of one route, by method.
type meters struct {
	known map[string]*meter
	other *meter // of methods that nobody knows
}

func (t *traffic) meters(route string) *meters {
	ms := &meters{known: map[string]*meter{}}
	of := func(method string) *meter {
		return &meter{traffic: t, meters: ms, route: route, method: method, byStatus: map[int]prometheus.Counter{}}
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		ms.known[method] = of(method)
	}
	ms.other = of("other")
	return ms
}

func (ms *meters) of(method string) *meter {
	if m, ok := ms.known[method]; ok {
		return m
	}
	return ms.other
}

// meter counts the answers of a route to a method. It finds a counter once, and then keeps it.
type meter struct {
	*traffic
	meters        *meters
	route, method string

	mu       sync.RWMutex
	byStatus map[int]prometheus.Counter
	duration prometheus.Observer // nil before the first
}

// note counts an answer.
func (m *meter) note(rec *recorder, duration time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK // as net/http has it
	}
	m.mu.RLock()
	count, observer := m.byStatus[status], m.duration
	m.mu.RUnlock()
	if count == nil {
		count, observer = m.find(status)
	}
	count.Inc()
	if !rec.waits {
		observer.Observe(duration.Seconds())
	}
}

func (m *meter) find(status int) (prometheus.Counter, prometheus.Observer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byStatus[status] == nil {
		m.byStatus[status] = m.requests.WithLabelValues(m.route, m.method, strconv.Itoa(status))
	}
	if m.duration == nil {
		m.duration = m.seconds.WithLabelValues(m.route, m.method)
	}
	return m.byStatus[status], m.duration
}
