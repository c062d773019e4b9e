package server

import (
	"bytes"
	"context"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// newRegistry returns the metrics of this server. The global registry, which any package may add to, is left alone.
func (s *Server) newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	t := s.traffic
	r.MustRegister(t.requests, t.seconds, t.inFlight, t.streams, sources{s}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// getMetrics answers in Prometheus' text format. What cannot be read now is not in it.
func (s *Server) getMetrics(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	families, err := s.registry.Gather()
	if err != nil {
		return nil, err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, err
		}
	}
	return fresh{http.StatusOK, file{string(format), b.Bytes()}}, nil
}

// scrapeTimeout is for how long a sick database may delay the metrics of all that is well.
const scrapeTimeout = 2 * time.Second

// sources collect what the service counts and knows, at the moment of a scrape.
type sources struct{ *Server }

// Describe says nothing: which metrics there are depends on what is configured and on what can be read.
func (sources) Describe(chan<- *prometheus.Desc) {}

// Collect reads the databases, each beside the others, and waits for none of them for longer than scrapeTimeout.
func (s sources) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	e := emitter(to)
	e.gauge(buildInfo, 1, s.Version, runtime.Version())
	e.gauge(startTime, float64(s.started.UnixMicro())/1e6)
	s.collectCache(e)
	s.collectHistory(ctx, e)
	var all sync.WaitGroup
	for name, file := range s.files() {
		all.Go(func() { collectFile(e, name, file.Status(ctx)) })
	}
	all.Go(func() { s.collectChanges(ctx, e) })
	all.Go(func() { s.collectWebhooks(ctx, e) })
	all.Wait()
}

// emitter sends metrics to who collects them.
type emitter chan<- prometheus.Metric

func (e emitter) gauge(d *prometheus.Desc, value float64, labels ...string) {
	e <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (e emitter) count(d *prometheus.Desc, value float64, labels ...string) {
	e <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

// flag is 1 for yes and 0 for no.
func (e emitter) flag(d *prometheus.Desc, yes bool, labels ...string) {
	value := 0.0
	if yes {
		value = 1
	}
	e.gauge(d, value, labels...)
}

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("dataapi_"+name, help, labels, nil)
}

var (
	buildInfo = metric("build_info", "Always 1; the version is in the labels.", "version", "go_version")
	startTime = metric("start_time_seconds", "When the service started, in seconds since 1970.")
)
