package influxdtest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// Server is an InfluxDB of any version.
type Server struct {
	URL, User, Password, Token, Org string
}

// Open returns the server that INFLUXDB_TEST_URL names, together with INFLUXDB_TEST_TOKEN, or
// INFLUXDB_TEST_USER and INFLUXDB_TEST_PASSWORD, and INFLUXDB_TEST_ORG, which must be allowed to make and
// drop databases; else a new influxd.
func Open(tb testing.TB) Server {
	tb.Helper()
	if address := os.Getenv("INFLUXDB_TEST_URL"); address != "" {
		return Server{
			URL: strings.TrimSuffix(address, "/"), Token: os.Getenv("INFLUXDB_TEST_TOKEN"), Org: os.Getenv("INFLUXDB_TEST_ORG"),
			User: os.Getenv("INFLUXDB_TEST_USER"), Password: os.Getenv("INFLUXDB_TEST_PASSWORD"),
		}
	}
	return Server{URL: Start(tb).URL()}
}

// Database makes an empty database, or bucket, which is dropped with the test.
func (s Server) Database(tb testing.TB) string {
	tb.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	response := s.do(tb, http.MethodGet, "/ping", "", nil)
	if strings.HasPrefix(strings.TrimPrefix(response.header.Get("X-Influxdb-Version"), "v"), "2") {
		s.bucket(tb, name)
		return name
	}
	s.InfluxQL(tb, "", `CREATE DATABASE "`+name+`"`)
	tb.Cleanup(func() { s.do(tb, http.MethodPost, "/query", formType, form("", `DROP DATABASE "`+name+`"`)) })
	return name
}

const formType = "application/x-www-form-urlencoded"

func form(database, text string) []byte {
	return []byte(url.Values{"db": {database}, "q": {text}}.Encode())
}

// bucket makes a bucket of version 2.
func (s Server) bucket(tb testing.TB, name string) {
	tb.Helper()
	var orgs struct{ Orgs []struct{ ID string } }
	s.do(tb, http.MethodGet, "/api/v2/orgs?org="+url.QueryEscape(s.Org), "", nil).decode(tb, &orgs)
	if len(orgs.Orgs) == 0 {
		tb.Fatal("INFLUXDB_TEST_ORG is not known there")
	}
	wish, err := json.Marshal(map[string]any{"orgID": orgs.Orgs[0].ID, "name": name, "retentionRules": []any{}})
	if err != nil {
		tb.Fatal(err)
	}
	var bucket struct{ ID string }
	s.do(tb, http.MethodPost, "/api/v2/buckets", "application/json", wish).decode(tb, &bucket)
	tb.Cleanup(func() { s.do(tb, http.MethodDelete, "/api/v2/buckets/"+bucket.ID, "", nil) })
}

// InfluxQL runs a statement and returns the answer, which must be a success.
func (s Server) InfluxQL(tb testing.TB, database, text string) string {
	tb.Helper()
	a := s.do(tb, http.MethodPost, "/query", formType, form(database, text))
	if a.status != http.StatusOK || bytes.Contains(a.body, []byte(`"error"`)) {
		tb.Fatalf("%s: %d %s", text, a.status, a.body)
	}
	return string(a.body)
}

// Write writes line protocol with times in nanoseconds, which must be a success.
func (s Server) Write(tb testing.TB, database, lines string) {
	tb.Helper()
	a := s.do(tb, http.MethodPost, "/write?precision=ns&db="+url.QueryEscape(database), "text/plain", []byte(lines))
	if a.status/100 != 2 {
		tb.Fatalf("write: %d %s", a.status, a.body)
	}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) decode(tb testing.TB, into any) {
	tb.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		tb.Fatalf("%d %s: %v", a.status, a.body, err)
	}
}

func (s Server) do(tb testing.TB, method, path, kind string, body []byte) answer {
	tb.Helper()
	request, err := http.NewRequest(method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if s.Token != "" {
		request.Header.Set("Authorization", "Token "+s.Token)
	} else if s.User != "" {
		request.SetBasicAuth(s.User, s.Password)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Error(fmt.Errorf("%s %s: %w", method, path, err))
		return answer{}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Error(err)
	}
	return answer{response.StatusCode, response.Header, text}
}
