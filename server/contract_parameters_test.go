package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// each calls check with each operation of the contract.
func (c *contract) each(check func(method, path string, op *operation)) {
	for _, path := range sortedKeys(c.Paths) {
		for _, method := range sortedKeys(c.Paths[path]) {
			check(strings.ToUpper(method), path, c.Paths[path][method])
		}
	}
}

type complaint struct {
	Errors []struct{ Field, Detail string }
}

// accepted are the parameters that a route takes, as it says when it is given another. ok is false where
// it ignores the other.
func (c client) accepted(method, path string) (names []string, ok bool) {
	c.Helper()
	a := c.send(request{method: method, target: fill(path, nil) + "?nonsense=1"})
	if a.status != http.StatusUnprocessableEntity {
		return nil, false
	}
	bad := decode[complaint](c.T, a.body).Errors
	last := len(bad) - 1 // before it may stand parameters that are needed
	if last < 0 || bad[last].Field != "nonsense" {
		c.Fatalf("%s %s: got %s, want a complaint about nonsense", method, path, a.body)
	}
	_, list, _ := strings.Cut(bad[last].Detail, "which takes ")
	list = strings.TrimSuffix(list, "none")
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }), true
}

// The contract names the parameters that routes take, and has a 422 where they refuse others.
func TestContractHasTheParameters(t *testing.T) {
	c := serve(t, opened(t))
	read(t).each(func(method, path string, op *operation) {
		want, refuses := c.accepted(method, path)
		if got := sortedKeys(op.parameters("query")); !slices.Equal(got, want) {
			t.Errorf("%s %s: the contract has the parameters %v, the route takes %v", method, path, got, want)
		}
		if _, has := op.Responses["422"]; has != refuses {
			t.Errorf("%s %s: the contract has 422: %v, the route refuses others: %v", method, path, has, refuses)
		}
	})
}

// probe is a query string and whether it should be taken.
type probe struct {
	query string
	good  bool
}

// probes lists values at, and just beyond, what the contract allows for a parameter.
func (c *contract) probes(p *parameter) []probe {
	all := []probe{{p.Name + "=", false}}
	add := func(good bool, values ...any) {
		for _, v := range values {
			all = append(all, probe{p.Name + "=" + url.QueryEscape(fmt.Sprint(v)), good})
		}
	}
	if p.Example != nil {
		add(true, form(p.Example))
	}
	s := c.flat(p.Schema)
	if s.Default != nil {
		add(true, s.Default)
	}
	switch s.Type[0] {
	case "integer":
		add(true, *s.Minimum, *s.Maximum)
		add(false, *s.Minimum-1, *s.Maximum+1, "nonsense", "1.5", "1e2")
	case "boolean":
		add(true, true, false)
		add(false, "nonsense", 1, "True")
	case "string":
		ofText(s, add)
		all = append(all, probe{p.Name + "=a&" + p.Name + "=b", false})
	case "array":
		c.ofList(s, add)
	}
	return all
}

// form is an example as a query string has it: a list with commas.
func form(example any) string {
	list, ok := example.([]any)
	if !ok {
		return fmt.Sprint(example)
	}
	items := make([]string, len(list))
	for i := range list {
		items[i] = fmt.Sprint(list[i])
	}
	return strings.Join(items, ",")
}

func ofText(s *schema, add func(bool, ...any)) {
	add(false, "\xff")
	if s.MaxLength != nil {
		add(true, "a", strings.Repeat("a", *s.MaxLength), strings.Repeat("灯", *s.MaxLength))
		add(false, strings.Repeat("a", *s.MaxLength+1), strings.Repeat("灯", *s.MaxLength+1))
	}
}

func (c *contract) ofList(s *schema, add func(bool, ...any)) {
	item := c.flat(s.Items)
	word := "a"
	if item.Enum != nil {
		word = item.Enum[0]
		for _, name := range item.Enum {
			add(true, name)
		}
		add(true, strings.Join(item.Enum, ","))
		add(false, "nonsense")
	} else {
		ofText(item, add)
	}
	add(true, word, word+","+word)
	add(false, word+",", ","+word, word+",,"+word)
	if s.MaxItems != nil {
		add(true, strings.Repeat(word+",", *s.MaxItems-1)+word)
		add(false, strings.Repeat(word+",", *s.MaxItems)+word)
	}
}

// Routes take what the contract allows for a parameter, up to its bounds, and refuse what is beyond by
// a 422 that names the parameter.
func TestContractHasTheBounds(t *testing.T) {
	c, api := serve(t, furnished(t, "../testdata/demo-home")), read(t) // nobody waits for changes where there are some
	n := 0
	api.each(func(method, path string, op *operation) {
		for _, name := range sortedKeys(op.parameters("query")) {
			for _, probe := range api.probes(op.parameters("query")[name]) {
				q := op.example(t, method, path)
				q.target = fill(path, nil) + "?" + probe.query + strings.Replace(op.needed(name), "?", "&", 1)
				c.try(q, name, probe.good)
				n++
			}
		}
	})
	t.Logf("%d values tried", n)
}

func (c client) try(q request, name string, good bool) {
	c.Helper()
	a := c.send(q)
	refused := a.status == http.StatusUnprocessableEntity
	if refused == good || !refused && a.status != http.StatusOK && a.status != http.StatusNoContent && a.status != http.StatusNotFound {
		c.Errorf("%s %.200s: got %d %.300s, should be taken: %v", q.method, q.target, a.status, a.body, good)
		return
	}
	if !refused {
		return
	}
	for _, bad := range decode[complaint](c.T, a.body).Errors {
		if bad.Field != name {
			c.Errorf("%s %.200s: got a complaint about %q, want %q", q.method, q.target, bad.Field, name)
		}
	}
}

// Comma lists are said to be so, and to be nothing else.
func TestContractSerializesLists(t *testing.T) {
	c := read(t)
	c.each(func(method, path string, op *operation) {
		for name, p := range op.parameters("query") {
			list := c.flat(p.Schema).Type[0] == "array"
			if commas := p.Style == "form" && p.Explode != nil && !*p.Explode; list != commas {
				t.Errorf("%s %s: %s is a list: %v, with commas: %v", method, path, name, list, commas)
			}
		}
	})
}

// A probe is answered whatever parameters it has: they come with whoever probes.
func TestProbesTakeNoNotice(t *testing.T) {
	c := serve(t, opened(t))
	for _, path := range []string{"/health", "/livez", "/readyz", "/ping"} {
		for _, query := range []string{"?nonsense=1", "?limit=0", "?%zz", "?a;b"} {
			want := http.StatusOK
			if path == "/ping" {
				want = http.StatusNoContent
			}
			c.proper(request{method: http.MethodGet, target: path + query}, want)
		}
	}
}
