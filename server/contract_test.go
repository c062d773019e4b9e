// Tests that hold openapi.yaml to the route table (contract_routes_test.go), to what query.go takes
// (contract_parameters_test.go), to the types that are encoded (contract_schemas_test.go), to what
// internal/hass takes (contract_input_test.go), and to what is really answered, about homes
// (contract_answers_test.go) and in good and bad states (contract_states_test.go).
package server_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/pb33f/libopenapi-validator/schema_validation"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"
	"go.yaml.in/yaml/v3"

	"dataapi/server"
)

// contract is what these tests read of openapi.yaml.
type contract struct {
	Paths      map[string]map[string]*operation
	Components struct {
		Parameters map[string]*parameter
		Schemas    map[string]*schema
	}
}

type operation struct {
	ID         string `yaml:"operationId"`
	Summary    string
	Tags       []string
	Deprecated bool
	Parameters []*parameter
	Body       *struct {
		Content map[string]struct{ Example any }
	} `yaml:"requestBody"`
	Responses map[string]any
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
	Style    string
	Explode  *bool
	Required bool
	Example  any
	Schema   *schema
}

type schema struct {
	Ref                  string `yaml:"$ref"`
	Description          string
	Type                 words
	Format               string
	Enum                 []string
	Properties           map[string]*schema
	Required             []string
	AdditionalProperties any `yaml:"additionalProperties"`
	Items                *schema
	AllOf                []*schema `yaml:"allOf"`
	AnyOf                []*schema `yaml:"anyOf"`
	Default              any
	Minimum, Maximum     *int
	MaxLength            *int `yaml:"maxLength"`
	MaxItems             *int `yaml:"maxItems"`
	Examples             []any
}

// words is one word, or a list of them.
type words []string

func (w *words) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*w = words{node.Value}
		return nil
	}
	return node.Decode((*[]string)(w))
}

// read returns the contract with the references to parameters resolved.
func read(t *testing.T) *contract {
	t.Helper()
	var c contract
	if err := yaml.Unmarshal(server.Contract, &c); err != nil {
		t.Fatal(err)
	}
	for _, item := range c.Paths {
		for _, op := range item {
			for i, p := range op.Parameters {
				if name, isRef := strings.CutPrefix(p.Ref, "#/components/parameters/"); isRef {
					op.Parameters[i] = c.Components.Parameters[name]
				}
			}
		}
	}
	return &c
}

// flat returns a schema with its reference resolved, and with what it extends laid under it.
func (c *contract) flat(s *schema) *schema {
	under := s.AllOf
	if name, isRef := strings.CutPrefix(s.Ref, "#/components/schemas/"); isRef {
		under = []*schema{c.Components.Schemas[name]}
	}
	if len(under) == 0 {
		return s
	}
	merged := *c.flat(under[0])
	merged.Required = slices.Concat(merged.Required, s.Required)
	merged.Description = cmp.Or(s.Description, merged.Description)
	return &merged
}

// parameters are the parameters of an operation that are in one place, by name.
func (op *operation) parameters(in string) map[string]*parameter {
	all := map[string]*parameter{}
	for _, p := range op.Parameters {
		if p.In == in {
			all[p.Name] = p
		}
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// judge says whether requests, answers and values are as the contract says.
type judge struct {
	validator.Validator
	model *v3.Document
}

// compiled is the judge of all tests: it takes a while to make.
var compiled = sync.OnceValues(func() (judge, error) {
	d, err := libopenapi.NewDocument(server.Contract)
	if err != nil {
		return judge{}, err
	}
	built, err := d.BuildV3Model()
	if err != nil {
		return judge{}, err
	}
	v, errs := validator.NewValidator(d, config.WithFormatAssertions())
	return judge{v, &built.Model}, first(errs)
})

// first is the first of errors as one.
func first[E error](errs []E) error {
	if len(errs) == 0 {
		return nil
	}
	return errs[0]
}

func judgeOf(t *testing.T) judge {
	t.Helper()
	j, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// value says what is wrong with a value as one of a schema of the contract.
func (j judge) value(schema string, text []byte) error {
	s, ok := j.model.Components.Schemas.Get(schema)
	if !ok {
		return fmt.Errorf("the contract has no schema %s", schema)
	}
	_, errs := schema_validation.NewSchemaValidator(config.WithFormatAssertions()).ValidateSchemaBytes(s.Schema(), text)
	return first(errs)
}

func TestContractIsOpenAPI(t *testing.T) {
	_, errs := judgeOf(t).ValidateDocument()
	for _, err := range errs {
		t.Error(err)
	}
}

func TestContractIsServed(t *testing.T) {
	c := serve(t, unopened(t))
	asYAML, asJSON := c.get("/openapi.yaml", 200), c.get("/openapi.json", 200)
	if !bytes.Equal(asYAML.body, server.Contract) {
		t.Error("/openapi.yaml is not openapi.yaml")
	}
	var tree any
	if err := yaml.Unmarshal(asYAML.body, &tree); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if want := decode[any](t, again); !reflect.DeepEqual(decode[any](t, asJSON.body), want) {
		t.Error("/openapi.json and /openapi.yaml are not the same document")
	}
}

// decode decodes JSON.
func decode[T any](t *testing.T, text []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v: %.300s", err, text)
	}
	return v
}
