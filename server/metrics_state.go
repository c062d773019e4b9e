package server

import (
	"context"

	"dataapi/db"
	"dataapi/internal/history"
	"dataapi/internal/history/relay"
)

// statusFile is a database that tells how it is, as far as that can be known before ctx ends.
type statusFile interface {
	Status(ctx context.Context) db.Status
}

// files are the databases that there are.
func (s *Server) files() map[string]statusFile {
	all := map[string]statusFile{"metadata": s.DB}
	if s.Webhooks != nil {
		all["webhooks"] = s.Webhooks.Deliveries
	}
	if past, ok := s.History.(statusFile); ok {
		all["history"] = past
	}
	return all
}

var (
	fileUp        = metric("database_up", "Whether the file can be read.", "database")
	fileWritable  = metric("database_writable", "Whether the file can be written to, as far as is known.", "database")
	fileIntact    = metric("database_intact", "Whether the last check of all pages found nothing.", "database")
	fileSize      = metric("database_size_bytes", "Size of the file.", "database")
	fileLogSize   = metric("database_wal_size_bytes", "Size of the write-ahead log beside it.", "database")
	statements    = metric("database_statements_total", "Statements that were run.", "database", "pool")
	failures      = metric("database_statement_errors_total", "Statements and transactions that failed.", "database", "pool")
	statementTime = metric("database_statement_seconds_total", "Time spent waiting for SQLite.", "database", "pool")
	connections   = metric("database_connections", "Connections that are open.", "database", "pool", "state")
	poolSize      = metric("database_connections_limit", "Connections that there are at most.", "database", "pool")
	poolWaits     = metric("database_connection_waits_total", "Requests for a connection that had to wait.", "database", "pool")
	poolWaitTime  = metric("database_connection_wait_seconds_total", "Time that they waited.", "database", "pool")
)

func collectFile(e emitter, name string, st db.Status) {
	e.flag(fileUp, st.Readable, name)
	e.flag(fileWritable, st.Writable, name)
	if !st.Integrity.CheckedAt.IsZero() {
		e.flag(fileIntact, st.Integrity.Problem == "", name)
	}
	if st.Size > 0 {
		e.gauge(fileSize, float64(st.Size), name)
		e.gauge(fileLogSize, float64(st.LogSize), name)
	}
	for pool, stats := range map[string]db.Stats{"read": st.Reads, "write": st.Writes} {
		e.count(statements, float64(stats.Queries), name, pool)
		e.count(failures, float64(stats.Errors), name, pool)
		e.count(statementTime, stats.Time.Seconds(), name, pool)
		e.gauge(connections, float64(stats.Pool.InUse), name, pool, "in_use")
		e.gauge(connections, float64(stats.Pool.Idle), name, pool, "idle")
		e.gauge(poolSize, float64(stats.Pool.MaxOpenConnections), name, pool)
		e.count(poolWaits, float64(stats.Pool.WaitCount), name, pool)
		e.count(poolWaitTime, stats.Pool.WaitDuration.Seconds(), name, pool)
	}
}

var (
	cacheHits    = metric("cache_hits_total", "Answers that were taken from the memory.")
	cacheMisses  = metric("cache_misses_total", "Answers that could have been there and were not.")
	cacheAnswers = metric("cache_answers", "Answers that are kept.")
	cacheSize    = metric("cache_size_bytes", "What they take.")
	cacheMost    = metric("cache_limit_bytes", "What they may take.")
)

func (s *Server) collectCache(e emitter) {
	if s.cache == nil {
		return
	}
	count, size := s.cache.held()
	e.count(cacheHits, float64(s.cache.hits.Load()))
	e.count(cacheMisses, float64(s.cache.misses.Load()))
	e.gauge(cacheAnswers, float64(count))
	e.gauge(cacheSize, float64(size))
	e.gauge(cacheMost, float64(s.cache.most))
}

var (
	changesNewest = metric("changes_newest_seq", "Number of the newest change in the log.")
	changesKept   = metric("changes_kept", "Changes that the log keeps.")
	changesOldest = metric("changes_pruned_time_seconds", "Until when changes are no longer kept, in seconds since 1970.")
	webhookCount  = metric("webhooks", "Webhooks that are registered.", "state")
)

// collectChanges reads the metadata in a transaction, as that alone ends when ctx does.
func (s *Server) collectChanges(ctx context.Context, e emitter) {
	var log db.Log
	var hooks db.CountWebhookStatesRow
	err := s.DB.Read(ctx, func(q *db.Queries) (err error) {
		if log, err = q.ChangeLog(ctx); err == nil {
			hooks, err = q.CountWebhookStates(ctx)
		}
		return err
	})
	if err != nil {
		return
	}
	e.gauge(changesNewest, float64(log.Newest.Seq))
	e.gauge(changesKept, float64(log.Newest.Seq-log.Oldest.Seq))
	if log.Oldest.Seq > 0 {
		e.gauge(changesOldest, float64(log.Oldest.At)/1000)
	}
	e.gauge(webhookCount, float64(hooks.Active), "active")
	e.gauge(webhookCount, float64(hooks.Disabled-hooks.Failing-hooks.Gone), "disabled")
	e.gauge(webhookCount, float64(hooks.Failing), "failing")
	e.gauge(webhookCount, float64(hooks.Gone), "gone")
}

var (
	webhookCalls  = metric("webhook_calls_total", "Calls of webhooks.", "outcome")
	webhookDead   = metric("webhook_messages_given_up_total", "Messages that were tried for as long as there are tries.")
	webhookUnsent = metric("webhook_messages", "Messages that have not arrived: retrying, or failed for good.", "state")
)

func (s *Server) collectWebhooks(ctx context.Context, e emitter) {
	if s.Webhooks == nil {
		return
	}
	counts := s.Webhooks.Counts()
	e.count(webhookCalls, float64(counts.Arrived), "delivered")
	e.count(webhookCalls, float64(counts.Failed), "failed")
	e.count(webhookDead, float64(counts.GivenUp))
	rows, err := s.Webhooks.Deliveries.CountUndelivered(ctx)
	if err != nil {
		return
	}
	totals := map[string]int64{"retrying": 0, "failed": 0}
	for _, row := range rows {
		totals[row.Status] = row.Total
	}
	for state, total := range totals {
		e.gauge(webhookUnsent, float64(total), state)
	}
}

var (
	historyUp         = metric("history_up", "Whether the history takes and gives states.")
	historyStored     = metric("history_stored_total", "States that were stored.")
	historyDuplicates = metric("history_duplicates_total", "States that were there already.")
	historyRejected   = metric("history_rejected_total", "States that were refused.")
	historyDropped    = metric("history_dropped_total", "States that were taken and given up.")
	historyQueries    = metric("history_queries_total", "Questions to the history.")
	historyFailures   = metric("history_query_errors_total", "Those that were not answered.")
	historySeconds    = metric("history_query_seconds_total", "Time that they took.")

	influxUp        = metric("influxdb_up", "Whether InfluxDB can be used.")
	influxForwarded = metric("influxdb_forwarded_total", "States that InfluxDB was given.")
	influxRejected  = metric("influxdb_rejected_total", "States that InfluxDB refused.")
	influxDropped   = metric("influxdb_dropped", "States that were given up, as too many waited; ever.")
	influxBuffered  = metric("influxdb_buffered", "States that wait to be forwarded.")
	influxLag       = metric("influxdb_lag_seconds", "Age of the oldest of them.")
	influxQueries   = metric("influxdb_queries_total", "Questions to InfluxDB.")
	influxFailures  = metric("influxdb_query_errors_total", "Those that were not answered.")
	influxSeconds   = metric("influxdb_query_seconds_total", "Time that they took.")
)

// collectHistory waits for nobody: see history.Store.
func (s *Server) collectHistory(ctx context.Context, e emitter) {
	if s.History == nil {
		return
	}
	h := s.History.Health(ctx)
	e.flag(historyUp, h.Status == history.Healthy || h.Status == history.Degraded)
	e.count(historyStored, float64(h.Stored))
	e.count(historyDuplicates, float64(h.Duplicates))
	e.count(historyRejected, float64(h.Rejected))
	e.count(historyDropped, float64(h.Dropped))
	e.count(historyQueries, float64(h.Queries))
	e.count(historyFailures, float64(h.Failures))
	e.count(historySeconds, h.Time.Seconds())
	if s.Relay != nil {
		collectInflux(e, s.Relay.Influx.Health(ctx), s.Relay.Forwarding())
	}
}

func collectInflux(e emitter, h history.Health, f relay.Forwarding) {
	e.flag(influxUp, h.Status == history.Healthy && f.Problem == "")
	e.count(influxForwarded, float64(f.Forwarded))
	e.count(influxRejected, float64(f.Rejected))
	e.gauge(influxDropped, float64(f.Dropped))
	e.gauge(influxBuffered, float64(f.Buffered))
	e.gauge(influxLag, f.Lag.Seconds())
	e.count(influxQueries, float64(h.Queries))
	e.count(influxFailures, float64(h.Failures))
	e.count(influxSeconds, h.Time.Seconds())
}
