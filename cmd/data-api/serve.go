package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"dataapi/db"
	"dataapi/db/deliveries"
	"dataapi/internal/auth"
	"dataapi/internal/backup"
	"dataapi/internal/dispatch"
	"dataapi/internal/hass"
	"dataapi/internal/history"
	"dataapi/internal/history/embedded"
	"dataapi/internal/history/relay"
	"dataapi/server"
	datasql "dataapi/sql"
)

// serve listens at once, opens the metadata and the history in the background, and ends when ctx does: running
// requests are finished, then both are closed, which moves their logs into the files.
func serve(ctx context.Context, c config, _ []string, _ io.Writer) error {
	lines := gather(os.Stderr)
	defer lines.Flush()
	log := c.logger(lines)
	spareMemory(ctx, log)
	influx, err := c.influx()
	if err != nil {
		return err
	}
	certificate, err := c.certificate(log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.address())
	if err != nil {
		return err
	}
	if err := finishRestore(c, log); err != nil {
		return errors.Join(err, listener.Close())
	}
	metadata := db.Prepare(c.database(), log)
	defer metadata.Close()
	past := embedded.New(c.past(), log)
	defer past.Close()
	data := stores{metadata: metadata, past: past}
	data.sent = deliveries.Prepare(c.fileAt(c.WebhooksURL), log)
	defer data.sent.Close()
	data.webhooks = dispatch.New(dispatch.Config{
		Metadata: metadata, Past: past, Deliveries: data.sent, Targets: c.targets(), Log: log, Version: version,
	})
	if c.HassStorage != "" {
		data.registries = hass.NewFollower(c.HassStorage, metadata, log)
	}
	if influx != nil {
		data.relay = relay.New(relay.Config{Embedded: past, Influx: influx, Rename: data.rename, Write: relay.Write(c.InfluxWrite), Log: log})
	}
	data.guard = c.guard(metadata, listener.Addr(), log)
	data.backups = backup.New(c.backups(data.sources(), log))
	api := server.New(server.Config{
		DB: metadata, Registries: data.registries, History: data.history(), Relay: data.relay, Webhooks: data.webhooks,
		Backups: data.backups, Guard: data.guard, Log: log, Version: version, MaxBody: c.MaxBodyBytes, Compress: true,
		CacheBytes: c.cacheBytes(), Origins: c.origins(), Proxies: c.proxies(), ClientRequests: c.ClientRequests,
		QueryTimeout: c.QueryTimeout,
	})
	httpServer := api.HTTP()
	if certificate != nil {
		httpServer.TLSConfig = certificate.serverTLS()
	}
	log.Info("listening", "url", c.scheme()+"://"+listener.Addr().String(), "version", version)
	return runAll(ctx, c, log, httpServer, listener, data)
}

// When memory is given back: as soon as what is only done at first is done, and then again and again, as what idles leaves
// a few megabytes of garbage behind before Go collects it by itself.
const (
	startTime     = time.Second
	giveBackEvery = 30 * time.Second
)

// spareMemory has the process take less of it, until ctx ends.
func spareMemory(ctx context.Context, log *slog.Logger) {
	collectLessOften()
	go func() {
		for wait := startTime; ; wait = giveBackEvery {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			debug.FreeOSMemory()
			if err := releaseProgram(); err != nil {
				log.Debug("the pages of the program stay mapped", "error", err)
			}
		}
	}()
}

// collectLessOften lets the heap grow to five times of what is live, up to a bound, before it is collected.
// What is live is a few megabytes (SQLite's cache is not on the heap), so at Go's own pace a busy service
// collects a hundred times a second. Where more is live, such as what a thousand streams hold, it grows by
// less, so that memory stays in proportion. Go's own variables win.
func collectLessOften() {
	if _, set := os.LookupEnv("GOGC"); !set {
		setPace(new(pace))
	}
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(256 << 20)
	}
}

// pace is garbage: that it is collected tells of a collection.
type pace struct{ live []metrics.Sample }

// How much the heap may grow between collections.
const (
	growth      = 10 << 20 // bytes
	mostGrowth  = 400      // percent of what is live
	leastGrowth = 50
)

func setPace(p *pace) {
	p.live = []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(p.live)
	percent := growth * 100 / max(1, p.live[0].Value.Uint64())
	debug.SetGCPercent(int(min(mostGrowth, max(leastGrowth, percent))))
	runtime.SetFinalizer(p, func(*pace) { setPace(new(pace)) })
}

// stores are where data is kept. relay is nil where no InfluxDB is configured, registries where no folder of
// Home Assistant's is.
type stores struct {
	metadata   *db.DB
	registries *hass.Follower
	past       *embedded.Store
	relay      *relay.Store
	sent       *deliveries.DB
	webhooks   *dispatch.Dispatcher
	guard      *auth.Guard
	backups    *backup.Keeper
}

// sources are the files of a backup.
func (s stores) sources() []backup.Source {
	return []backup.Source{
		{Kind: datasql.OfDeliveries, Copy: s.sent.CopyTo},
		{Kind: datasql.OfMetadata, Copy: s.metadata.CopyTo},
		{Kind: datasql.OfHistory, Copy: s.past.CopyTo},
	}
}

// history is where the past is.
func (s stores) history() history.Store {
	if s.relay != nil {
		return s.relay
	}
	return s.past
}

func (s stores) rename(ctx context.Context, points []history.Point) error {
	return history.Rename(ctx, s.metadata.Queries, points)
}

// run keeps the stores open and in order until ctx ends.
func (s stores) run(ctx context.Context, c config, g *errgroup.Group) {
	g.Go(func() error { return s.metadata.Run(ctx) })
	g.Go(func() error { return s.past.Run(ctx) })
	g.Go(func() error { return s.sent.Run(ctx) })
	g.Go(func() error { return s.webhooks.Run(ctx) })
	g.Go(func() error { return s.guard.Run(ctx) })
	g.Go(func() error { return s.backups.Run(ctx) })
	if s.registries != nil {
		g.Go(func() error { return s.registries.Run(ctx) })
	}
	if s.relay != nil {
		g.Go(func() error { return s.relay.Influx.Run(ctx) })
		g.Go(func() error { return s.relay.Run(ctx) })
	} else {
		g.Go(func() error { return relay.Leave(ctx, s.past) })
	}
	if teams, err := c.teams(); err == nil && teams != "" {
		g.Go(func() error { return takeTeams(ctx, s.metadata, teams) })
	}
	if c.ChangesRetention > 0 {
		g.Go(func() error { return s.metadata.PruneLog(ctx, time.Duration(c.ChangesRetention)) })
	}
}

// runAll runs everything until ctx ends or one of them fails.
func runAll(ctx context.Context, c config, log *slog.Logger, h *http.Server, l net.Listener, s stores) error {
	g, ctx := errgroup.WithContext(ctx)
	s.run(ctx, c, g)
	g.Go(func() error {
		serve := h.Serve
		if h.TLSConfig != nil {
			serve = func(l net.Listener) error { return h.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		log.Info("shutting down")
		deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
		defer cancel()
		if err := h.Shutdown(deadline); err != nil {
			return errors.Join(fmt.Errorf("requests were cut off: %w", err), h.Close())
		}
		return nil
	})
	return g.Wait()
}

func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func listRoutes(_ context.Context, _ config, _ []string, out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range server.New(server.Config{}).Routes() {
		fmt.Fprintf(t, "%s\t%s\t%s\t-> %s\t-> %s\n", r.Method, r.Path, r.Scope, r.Handler, r.SQL)
	}
	return t.Flush()
}

// healthcheck asks the service on this machine.
func healthcheck(ctx context.Context, c config, _ []string, out io.Writer) error {
	if ip := net.ParseIP(c.Host); ip != nil && ip.IsUnspecified() {
		c.Host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.scheme()+"://"+c.address()+"/readyz", nil)
	if err != nil {
		return err
	}
	client := http.DefaultClient
	if certificate, err := c.certificate(slog.New(slog.DiscardHandler)); err != nil {
		return err
	} else if certificate != nil {
		client = certificate.local()
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", body)
	}
	_, err = fmt.Fprintln(out, "ready")
	return err
}
