package server_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"dataapi/server"
)

func TestContractHasTheRoutes(t *testing.T) {
	var want, got []string
	for _, rt := range server.ContractRoutes(server.New(configOf(t, unopened(t)))) {
		want = append(want, rt.Method+" "+rt.Path+" "+rt.ID)
	}
	for path, item := range read(t).Paths {
		for method, op := range item {
			got = append(got, strings.ToUpper(method)+" "+path+" "+op.ID)
		}
	}
	for _, op := range without(got, want) {
		t.Errorf("the contract has %s, which is no route", op)
	}
	for _, rt := range without(want, got) {
		t.Errorf("the contract lacks the route %s", rt)
	}
	if len(got) != len(want) {
		t.Errorf("got %d operations, want %d", len(got), len(want))
	}
}

var aliasOf = regexp.MustCompile(`\(alias of (/\S*)\)$`)

// An alias says so, and takes and answers what its canonical path does.
func TestContractAliases(t *testing.T) {
	c := read(t)
	for path, item := range c.Paths {
		for method, op := range item {
			alias := aliasOf.FindStringSubmatch(op.Summary)
			if op.Deprecated != (alias != nil) || op.Deprecated != slices.Contains(op.Tags, "aliases") {
				t.Errorf("%s: deprecated is %v, tags are %v, summary is %q", path, op.Deprecated, op.Tags, op.Summary)
			}
			if alias != nil && !op.likeness(c.Paths[alias[1]][method]) {
				t.Errorf("%s does not take and answer what %s does", path, alias[1])
			}
		}
	}
}

// likeness says whether two operations have the same parameters and the same statuses.
func (op *operation) likeness(other *operation) bool {
	return other != nil && reflect.DeepEqual(op.Parameters, other.Parameters) &&
		slices.Equal(sortedKeys(op.Responses), sortedKeys(other.Responses))
}

var pathVariable = regexp.MustCompile(`\{(\w+)\}`)

// always is what there is whatever the database holds, by the name of its variable.
var always = map[string]string{"name": "heap"}

// fill puts ids, or else the names themselves, where a path has variables.
func fill(path string, ids map[string]string) string {
	return pathVariable.ReplaceAllStringFunc(path, func(v string) string {
		name := v[1 : len(v)-1]
		if id, ok := ids[name]; ok {
			return id
		}
		return cmp.Or(always[name], name)
	})
}

// variables maps the variables of a path to an id.
func variables(path, id string) map[string]string {
	ids := map[string]string{}
	for _, v := range pathVariable.FindAllStringSubmatch(path, -1) {
		ids[v[1]] = id
	}
	return ids
}

func TestContractNamesPathVariables(t *testing.T) {
	for path, item := range read(t).Paths {
		for method, op := range item {
			if got, want := sortedKeys(op.parameters("path")), sortedKeys(variables(path, "")); !slices.Equal(got, want) {
				t.Errorf("%s %s: got path parameters %v, want %v", method, path, got, want)
			}
		}
	}
}

// Each path reaches its route: the server answers what the route by itself answers.
func TestContractRoutesAreNotShadowed(t *testing.T) {
	config := configOf(t, opened(t))
	config.Backups = nil // of which no two are alike
	s := server.New(config)
	words := []string{"some_id", "a%2Fb", "clear", "bulk_upsert", "analytics", "devices"}
	for _, rt := range server.ContractRoutes(s) {
		for _, id := range words {
			ids := variables(rt.Path, id)
			ask := func() *http.Request {
				r := httptest.NewRequest(rt.Method, fill(rt.Path, ids), strings.NewReader("[{}]"))
				r.Header.Set("Content-Type", "application/json")
				return r
			}
			got, want := told(s, ask()), told(rt.Endpoint, mux.SetURLVars(ask(), ids))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s %s does not reach %s: got %v, want %v", rt.Method, fill(rt.Path, ids), rt.ID, got, want)
			}
		}
	}
}

// told returns status, type and content of an answer, without what is new in each.
func told(h http.Handler, r *http.Request) []any {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var body map[string]any
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=") { // metrics, which count this request
		return []any{w.Code, w.Header().Get("Content-Type")}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		return []any{w.Code, w.Body.String()}
	}
	maps.DeleteFunc(body, func(name string, _ any) bool {
		return slices.Contains([]string{"timestamp", "uptime_seconds", "request_id", "dependencies", "start", "end", "ticket", "expires_at"}, name)
	})
	return []any{w.Code, w.Header().Get("Content-Type"), body}
}

// methods are the methods that a path takes, as Allow lists them.
func methods(item map[string]*operation) []string {
	var all []string
	for method := range item {
		all = append(all, strings.ToUpper(method))
		if method == "get" {
			all = append(all, http.MethodHead)
		}
	}
	slices.Sort(all)
	return all
}

// A method that the contract does not have is a 405, and Allow names those that it has.
func TestContractHasAllMethods(t *testing.T) {
	c := serve(t, unopened(t))
	for path, item := range read(t).Paths {
		want := methods(item)
		for _, method := range without([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, want) {
			a := c.problem(request{method: method, target: fill(path, nil)}, http.StatusMethodNotAllowed)
			got := strings.Split(a.header.Get("Allow"), ", ")
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s %s: got Allow %v, want %v", method, path, got, want)
			}
		}
	}
}

func TestContractHasNoOtherPaths(t *testing.T) {
	c := serve(t, unopened(t))
	for _, path := range []string{"/api", "/api/v1/nothing", "/api/v1/devices/", "/api/v1/devices/a/b", "/openapi", "//health"} {
		c.problem(request{method: http.MethodGet, target: path}, http.StatusNotFound)
	}
}
