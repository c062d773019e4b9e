package server

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"time"

	"dataapi/db"
	"dataapi/internal/dispatch"
	"dataapi/internal/hass"
	"dataapi/internal/history"
	"dataapi/internal/history/relay"
)

// health is the truth about the service and what it depends on.
type health struct {
	Status         string         `json:"status"` // healthy, degraded or unhealthy
	Service        string         `json:"service"`
	Version        string         `json:"version"`
	Timestamp      time.Time      `json:"timestamp"`
	UptimeSeconds  float64        `json:"uptime_seconds"`
	Dependencies   dependencies   `json:"dependencies"`
	Authentication authentication `json:"authentication"`
}

type dependencies struct {
	SQLite     sqliteHealth     `json:"sqlite"`
	Registries registriesHealth `json:"hass_storage"`
	Webhooks   webhooksHealth   `json:"webhooks"`
	History    historyHealth    `json:"history"`
	InfluxDB   influxdbHealth   `json:"influxdb"`
	Backups    backupsHealth    `json:"backups"`
}

type authentication struct {
	Enabled   bool  `json:"enabled"`
	WrongKeys int64 `json:"wrong_keys"` // that were refused, since the start of the process
}

// sqliteHealth is judged by reading real tables and the newest migration, and by the background check
// of all pages. Members are null where they cannot be known.
type sqliteHealth struct {
	Status         string     `json:"status"`
	Reason         db.Reason  `json:"reason,omitempty"`
	Detail         string     `json:"detail,omitempty"`
	Connection     string     `json:"connection"` // open, read_only or closed
	JournalMode    *string    `json:"journal_mode"`
	WALEnabled     bool       `json:"wal_enabled"`
	SchemaVersion  *string    `json:"schema_version"`
	DatabaseSizeMB float64    `json:"database_size_mb"`
	WALSizeMB      float64    `json:"wal_size_mb"`
	IntegrityCheck *integrity `json:"integrity_check"`
	QueryCount     int64      `json:"query_count"`
	AvgQueryTimeMS *float64   `json:"avg_query_time_ms"`
}

type integrity struct {
	CheckedAt time.Time `json:"checked_at"`
	OK        bool      `json:"ok"`
	Problem   string    `json:"problem,omitempty"`
}

// webhooksHealth is how it stands with those who are told of changes. Counts are null where they cannot be read.
type webhooksHealth struct {
	Status       string              `json:"status"` // healthy, degraded or unknown
	Detail       string              `json:"detail,omitempty"`
	Active       *int64              `json:"active"`
	Disabled     *int64              `json:"disabled"`
	GivenUp      *int64              `json:"given_up"` // of the disabled, those that were gone or did nothing but fail
	Failing      *int64              `json:"failing"`  // those whose last call failed
	FailingSince *time.Time          `json:"failing_since"`
	Behind       *[]dispatch.Lagging `json:"behind"` // the furthest behind; null where that cannot be read
}

// registriesHealth is how it stands with the folder of Home Assistant's that is followed.
type registriesHealth struct {
	Status    string     `json:"status"` // healthy, degraded or not_configured
	Folder    *string    `json:"folder"`
	LookedAt  *time.Time `json:"looked_at"`
	AppliedAt *time.Time `json:"applied_at"` // when its files were taken in last
	Detail    string     `json:"detail,omitempty"`
}

// historyHealth is what the store of the past says of itself. Counts are since the start of the process.
type historyHealth struct {
	Status         string     `json:"status"` // healthy, degraded, unhealthy or unknown
	Since          *time.Time `json:"since"`  // when the status became what it is
	Detail         string     `json:"detail,omitempty"`
	Version        *string    `json:"version"`
	Stored         int64      `json:"stored"`
	Duplicates     int64      `json:"duplicates"`
	Rejected       int64      `json:"rejected"`
	Buffered       int64      `json:"buffered"`
	Dropped        int64      `json:"dropped"`
	LagSeconds     float64    `json:"lag_seconds"`
	QueryCount     int64      `json:"query_count"`
	AvgQueryTimeMS *float64   `json:"avg_query_time_ms"`
	SuccessRate    *float64   `json:"success_rate"` // percent
}

// influxdbHealth is what is known of the server, and how far what came here is forwarded to it. Counts are since the
// start of the process.
type influxdbHealth struct {
	Status         string      `json:"status"` // healthy, degraded, unhealthy, unknown or not_configured
	Since          *time.Time  `json:"since"`  // when Status became what it is
	URL            *string     `json:"url"`
	Version        *string     `json:"version"`
	Layout         *string     `json:"layout"`
	Detail         string      `json:"detail,omitempty"`
	QueryCount     int64       `json:"query_count"`
	AvgQueryTimeMS *float64    `json:"avg_query_time_ms"`
	SuccessRate    *float64    `json:"success_rate"` // percent
	Writing        bool        `json:"writing"`
	Forwarded      int64       `json:"forwarded"`
	Buffered       int64       `json:"buffered"`
	LagSeconds     float64     `json:"lag_seconds"`
	Dropped        int64       `json:"dropped"`
	Rejected       int64       `json:"rejected"`
	Rejections     []rejection `json:"rejections"` // the first of them
}

// rejection is a state that InfluxDB refused.
type rejection struct {
	EntityID string    `json:"entity_id"`
	Time     time.Time `json:"time"`
	Reason   string    `json:"reason"`
}

// The words for a state.
const (
	healthy   = "healthy"
	degraded  = "degraded"
	unhealthy = "unhealthy"
)

// healthTimeout bounds how long a sick database may delay the answer that it is sick.
const healthTimeout = 2 * time.Second

// getHealth, as getLiveness and getReadiness, takes whatever parameters there are: a probe never fails for one.
func (s *Server) getHealth(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	status := s.DB.Status(ctx)
	h := health{
		Service: "data-api", Version: s.Version,
		Timestamp: time.Now().UTC(), UptimeSeconds: math.Round(time.Since(s.started).Seconds()*10) / 10,
		Dependencies: dependencies{
			SQLite: sqliteHealthOf(status), Registries: registriesHealthOf(s.Registries), Webhooks: s.webhooksHealth(ctx, status.Readable), History: historyHealthOf(s.History.Health(ctx)), InfluxDB: influxdbHealthOf(ctx, s.Relay),
			Backups: backupsHealthOf(s.Backups),
		},
	}
	h.Status = h.Dependencies.overall()
	h.Authentication = authentication{Enabled: s.Guard.AsksForKeys(), WrongKeys: s.Guard.Wrong()}
	if !callerOf(r).Rights.Any(readAsBefore) {
		h.Dependencies.concealed()
	}
	return fresh{http.StatusOK, h}, nil
}

// overall is as bad as SQLite is; all else can make it no worse than degraded.
func (d dependencies) overall() string {
	if d.SQLite.Status != healthy {
		return d.SQLite.Status
	}
	for _, status := range []string{d.Registries.Status, d.Webhooks.Status, d.History.Status, d.InfluxDB.Status, d.Backups.Status} {
		if status == unhealthy || status == degraded {
			return degraded
		}
	}
	return healthy
}

// concealed leaves out what is no business of those who may not read: where things are, whose they are, and the
// sentences that may say so. States, times and counts stay.
func (d *dependencies) concealed() {
	d.SQLite.Detail, d.Webhooks.Detail, d.Registries.Detail, d.History.Detail, d.InfluxDB.Detail, d.Backups.Detail = "", "", "", "", "", ""
	d.Registries.Folder, d.InfluxDB.URL = nil, nil
	d.InfluxDB.Rejections = []rejection{}
	if d.SQLite.IntegrityCheck != nil {
		d.SQLite.IntegrityCheck = &integrity{CheckedAt: d.SQLite.IntegrityCheck.CheckedAt, OK: d.SQLite.IntegrityCheck.OK}
	}
}

func sqliteHealthOf(st db.Status) sqliteHealth {
	h := sqliteHealth{
		Status: healthy, Reason: st.Reason, Detail: st.Detail, Connection: "open",
		JournalMode: known(st.JournalMode), WALEnabled: st.JournalMode == "wal", SchemaVersion: known(st.Schema),
		DatabaseSizeMB: megabytes(st.Size), WALSizeMB: megabytes(st.LogSize),
		QueryCount:     st.Reads.Queries + st.Writes.Queries,
		AvgQueryTimeMS: average(st.Reads.Time+st.Writes.Time, st.Reads.Queries+st.Writes.Queries),
	}
	if !st.Integrity.CheckedAt.IsZero() {
		h.IntegrityCheck = &integrity{st.Integrity.CheckedAt.UTC(), st.Integrity.Problem == "", st.Integrity.Problem}
	}
	switch {
	case !st.Readable:
		h.Status, h.Connection = unhealthy, "closed"
	case st.Reason == db.Corrupt:
		h.Status = unhealthy
	case st.Reason == db.ReadOnly:
		h.Status, h.Connection = degraded, "read_only"
	case st.Reason != "":
		h.Status = degraded
	}
	return h
}

// mostBehind is how many of the webhooks that are behind are shown.
const mostBehind = 10

func (s *Server) webhooksHealth(ctx context.Context, readable bool) webhooksHealth {
	if s.Webhooks == nil || !readable {
		return webhooksHealth{Status: "unknown"}
	}
	counts, err := s.DB.CountWebhookStates(ctx)
	if err != nil {
		return webhooksHealth{Status: "unknown"}
	}
	givenUp := counts.Failing + counts.Gone
	h := webhooksHealth{Status: healthy, Active: &counts.Active, Disabled: &counts.Disabled, GivenUp: &givenUp}
	failing, since, err := s.Webhooks.Failing(ctx)
	if err == nil {
		h.Failing, h.FailingSince = &failing, moment(since)
	}
	if lags, err := s.Webhooks.Lags(ctx, mostBehind); err == nil {
		h.Behind = &lags
	}
	switch {
	case err != nil && counts.Active > 0:
		h.Status, h.Detail = degraded, "what webhooks were sent cannot be read, so nothing is sent"
	case givenUp > 0:
		h.Status, h.Detail = degraded, fmt.Sprintf("%d webhooks were given up: their receivers are gone, or did nothing but fail for five days", givenUp)
	}
	return h
}

func registriesHealthOf(f *hass.Follower) registriesHealth {
	if f == nil {
		return registriesHealth{Status: "not_configured"}
	}
	st, folder := f.State(), f.Path()
	h := registriesHealth{Status: healthy, Folder: &folder, LookedAt: moment(st.LookedAt), AppliedAt: moment(st.AppliedAt), Detail: st.Problem}
	if st.Problem != "" {
		h.Status = degraded
	}
	return h
}

// moment is a time in UTC; nil where there was none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func historyHealthOf(st history.Health) historyHealth {
	h := historyHealth{
		Status: string(st.Status), Detail: st.Detail, Version: known(st.Version),
		Stored: st.Stored, Duplicates: st.Duplicates, Rejected: st.Rejected, Buffered: st.Buffered, Dropped: st.Dropped,
		LagSeconds: math.Round(10*st.Lag.Seconds()) / 10,
		QueryCount: st.Queries, AvgQueryTimeMS: average(st.Time, st.Queries), SuccessRate: successRate(st.Queries, st.Failures),
	}
	h.Since = moment(st.Since)
	return h
}

func influxdbHealthOf(ctx context.Context, relay *relay.Store) influxdbHealth {
	if relay == nil {
		return influxdbHealth{Status: "not_configured", Rejections: []rejection{}}
	}
	st, url, f := relay.Influx.Health(ctx), relay.Influx.URL(), relay.Forwarding()
	h := influxdbHealth{
		Status: string(st.Status), URL: &url, Version: known(st.Version), Layout: known(relay.Influx.Layout()), Detail: st.Detail,
		QueryCount: st.Queries, AvgQueryTimeMS: average(st.Time, st.Queries), SuccessRate: successRate(st.Queries, st.Failures),
		Writing: f.Writing, Forwarded: f.Forwarded, Buffered: f.Buffered, LagSeconds: math.Round(10*f.Lag.Seconds()) / 10,
		Dropped: f.Dropped, Rejected: f.Rejected, Rejections: make([]rejection, len(f.Rejections)),
	}
	for i, r := range f.Rejections {
		h.Rejections[i] = rejection(r)
	}
	if f.Problem != "" && h.Status != unhealthy { // it is there, and yet it takes nothing
		h.Status, h.Detail, st.Since = degraded, f.Problem, f.Since
	}
	h.Since = moment(st.Since)
	return h
}

func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func megabytes(bytes int64) float64 { return math.Round(float64(bytes)/(1<<20)*1000) / 1000 }

func average(total time.Duration, n int64) *float64 {
	if n == 0 {
		return nil
	}
	ms := math.Round(float64(total.Microseconds())/float64(n)) / 1000
	return &ms
}

// successRate is a percentage; nil where nothing was tried.
func successRate(n, failures int64) *float64 {
	if n == 0 {
		return nil
	}
	rate := math.Round(1000*float64(n-failures)/float64(n)) / 10
	return &rate
}

// liveness is the answer of a process that can answer.
type liveness struct {
	Status string `json:"status"`
}

func (s *Server) getLiveness(*http.Request) (any, error) {
	return fresh{http.StatusOK, liveness{"alive"}}, nil
}

// readiness says whether SQLite can be read.
func (s *Server) getReadiness(r *http.Request) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
	defer cancel()
	if st := s.DB.Status(ctx); !st.Readable {
		return nil, &db.Unavailable{Reason: st.Reason, Detail: st.Detail}
	}
	return fresh{http.StatusOK, liveness{"ready"}}, nil
}

// info says what answers here.
type info struct {
	Service     string    `json:"service"`
	Description string    `json:"description"`
	Version     string    `json:"version"`
	Status      string    `json:"status"`
	Timestamp   time.Time `json:"timestamp"`
	Health      string    `json:"health"`
	OpenAPI     string    `json:"openapi"`
	API         string    `json:"api"`
}

func (s *Server) getInfo(r *http.Request) (any, error) {
	if err := parse(r).err(); err != nil {
		return nil, err
	}
	return fresh{http.StatusOK, info{
		Service: "data-api", Description: "The metadata and the history of a smart home, over HTTP",
		Version: s.Version, Status: "running", Timestamp: time.Now().UTC(),
		Health: "/health", OpenAPI: "/openapi.json", API: "/api/v1",
	}}, nil
}
