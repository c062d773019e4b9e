package server_test

import (
	"cmp"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/history"
	"dataapi/server"
	datasql "dataapi/sql"
)

// Each schema has the members of the type that is encoded, with their types and nulls, and no others.
func TestContractHasTheTypes(t *testing.T) {
	api := read(t)
	m := matcher{t, api, jsonColumns(t)}
	for name, typ := range server.ContractTypes {
		t.Run(name, func(t *testing.T) {
			m := m
			m.T = t
			m.object(name, typ, api.Components.Schemas[name])
		})
	}
}

// matcher holds schemas to types.
type matcher struct {
	*testing.T
	*contract
	nullable map[string]bool // JSON columns, as type.member
}

var (
	timeType = reflect.TypeFor[time.Time]()
	jsonType = reflect.TypeFor[dbtype.JSON]()
)

// match says what is wrong with s as the schema of a value of type typ at a place.
func (m matcher) match(at string, typ reflect.Type, s *schema) {
	s, null := m.notNull(s)
	if pointer := typ.Kind() == reflect.Pointer; pointer {
		typ = typ.Elem()
		if !null {
			m.Errorf("%s may be null, the contract does not allow it", at)
		}
	} else if null && typ != jsonType {
		m.Errorf("%s is never null, the contract allows it", at)
	}
	switch {
	case typ == jsonType:
		m.json(at, s, null)
	case typ == timeType:
		m.simple(at, s, "string")
		if s.Format != "date-time" {
			m.Errorf("%s is a time, its format is %q", at, s.Format)
		}
	case typ.Kind() == reflect.Struct:
		m.object(at, typ, s)
	case typ.Kind() == reflect.Slice:
		m.simple(at, s, "array")
		m.match(at+"[]", typ.Elem(), s.Items)
	case typ.Kind() == reflect.Map:
		m.simple(at, s, "object")
		value, _ := s.AdditionalProperties.(map[string]any)
		ref, _ := value["$ref"].(string)
		m.match(at+".*", typ.Elem(), &schema{Ref: ref})
	default:
		m.simple(at, s, jsonKind(typ.Kind()))
	}
}

func jsonKind(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64:
		return "number"
	case reflect.Int, reflect.Int64:
		return "integer"
	}
	return "unknown kind " + k.String()
}

// notNull splits "or null" off a schema.
func (m matcher) notNull(s *schema) (*schema, bool) {
	s = m.flat(s)
	if len(s.AnyOf) == 2 && slices.Equal(s.AnyOf[1].Type, words{"null"}) {
		return m.flat(s.AnyOf[0]), true
	}
	rest := *s
	rest.Type = slices.DeleteFunc(slices.Clone(s.Type), func(name string) bool { return name == "null" })
	return &rest, len(rest.Type) < len(s.Type)
}

func (m matcher) simple(at string, s *schema, want string) {
	if !slices.Equal(s.Type, words{want}) {
		m.Errorf("%s is a %s, the contract says %v", at, want, s.Type)
	}
}

// json checks a JSON column: a list or an object, and null where the migrations allow it.
func (m matcher) json(at string, s *schema, null bool) {
	want, known := m.nullable[at]
	switch {
	case !known:
		m.Errorf("%s is no JSON column of the migrations", at)
	case null != want:
		m.Errorf("%s may be null in the database: %v, in the contract: %v", at, want, null)
	case !slices.Equal(s.Type, words{"array"}) && !slices.Equal(s.Type, words{"object"}):
		m.Errorf("%s is a list or an object, the contract says %v", at, s.Type)
	}
}

// object checks the members of a struct.
func (m matcher) object(at string, typ reflect.Type, s *schema) {
	s = m.flat(s)
	m.simple(at, s, "object")
	if s.AdditionalProperties != false {
		m.Errorf("%s has no other members, the contract allows them", at)
	}
	var names, required []string
	for _, f := range reflect.VisibleFields(typ) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || f.Anonymous {
			continue
		}
		names = append(names, name)
		if option == "" {
			required = append(required, name)
		}
		if member, ok := s.Properties[name]; ok {
			if option == "omitempty" && f.Type.Kind() == reflect.Pointer {
				f.Type = f.Type.Elem() // it is never null
			}
			m.match(at+"."+name, f.Type, member)
		}
	}
	m.same(at+": members", sortedKeys(s.Properties), names)
	m.same(at+": required members", s.Required, required)
}

// same checks that the contract has what there is, in whatever order.
func (m matcher) same(what string, contract, real []string) {
	contract, real = slices.Sorted(slices.Values(contract)), slices.Sorted(slices.Values(real))
	if !slices.Equal(contract, real) {
		m.Errorf("%s: missing in the contract are %v, too many are %v", what, without(real, contract), without(contract, real))
	}
}

var (
	tableText  = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)
	columnText = regexp.MustCompile(`(?m)^  (\w+) +JSON( +NOT NULL)?`)
)

// schemaOf names the schema of the rows of a table.
var schemaOf = map[string]string{
	"floors": "Floor", "areas": "Area", "labels": "Label",
	"config_entries": "ConfigEntry", "devices": "Device", "entities": "Entity", "webhooks": "Webhook", "api_keys": "APIKey",
}

// jsonColumns maps the JSON columns of the migrations, as SCHEMA.COLUMN, to whether they may be null,
// which their Go type does not say.
func jsonColumns(t *testing.T) map[string]bool {
	t.Helper()
	nullable := map[string]bool{}
	files, err := fs.Glob(datasql.Migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(datasql.Migrations, file)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tableText.FindAllStringSubmatch(string(text), -1) {
			for _, column := range columnText.FindAllStringSubmatch(table[2], -1) {
				name := cmp.Or(schemaOf[table[1]], map[string]string{"changes": "ChangeList.changes[]"}[table[1]])
				nullable[name+"."+column[1]] = column[2] == ""
			}
		}
	}
	return nullable
}

// A row that fields trimmed has some of the members of the whole row, and fields takes all of them.
func TestContractHasTheFields(t *testing.T) {
	api := read(t)
	m := matcher{T: t, contract: api}
	for _, name := range schemaOf {
		whole, trimmed := api.flat(api.Components.Schemas[name]), api.Components.Schemas[name+"Fields"]
		members := sortedKeys(whole.Properties)
		m.same(name+"Fields", sortedKeys(trimmed.Properties), members)
		m.same(name+"Fields: fields", api.Components.Parameters[name+"Fields"].Schema.Items.Enum, members)
		if len(trimmed.Required) > 0 || trimmed.AdditionalProperties != false {
			t.Errorf("%sFields: required are %v, other members: %v", name, trimmed.Required, trimmed.AdditionalProperties)
		}
	}
}

// A part of the home that fields trimmed has the members of floors, areas, devices and entities, and fields
// takes all but those that hold other parts.
func TestContractHasTheFieldsOfTheHome(t *testing.T) {
	api := read(t)
	m := matcher{T: t, contract: api}
	all := map[string]*schema{}
	for _, name := range []string{"HomeFloor", "HomeArea", "HomeDevice", "HomeEntity"} {
		maps.Copy(all, api.Components.Schemas[name].Properties)
	}
	m.same("HomePart", sortedKeys(api.Components.Schemas["HomePart"].Properties), sortedKeys(all))
	maps.DeleteFunc(all, func(name string, s *schema) bool { return s.Items != nil || name == "state" }) // which include adds
	m.same("fields of the home", api.Components.Parameters["HomeFields"].Schema.Items.Enum, sortedKeys(all))
}

// gaps are the members that lists have only where states are included and cannot all be read.
var gaps = map[string][]string{"Device": {"partial", "missing"}, "Entity": {"partial", "missing"}}

// A list has the members that a page is encoded with; total is there only where items were counted.
func TestContractHasTheLists(t *testing.T) {
	api := read(t)
	m := matcher{T: t, contract: api}
	items := map[string]string{"Integration": "integrations"}
	for noun, name := range schemaOf {
		items[name] = noun
	}
	items["APIKey"] = "keys"
	for name, noun := range items {
		list := api.Components.Schemas[name+"List"]
		middle, last := server.ContractPages(noun)
		m.same(name+"List: members", without(sortedKeys(list.Properties), gaps[name]), encoded(t, middle))
		m.same(name+"List: required members", list.Required, encoded(t, last))
		row := strings.Replace(name, "Integration", "ConfigEntry", 1)
		if of := list.Properties[noun].Items.AnyOf; len(of) < 2 || of[0].Ref != "#/components/schemas/"+row || of[1].Ref != of[0].Ref+"Fields" {
			t.Errorf("%sList: items are not %s, nor %sFields", name, row, row)
		}
	}
}

// encoded lists the members of a value when it is encoded.
func encoded(t *testing.T, v any) []string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return sortedKeys(decode[map[string]any](t, text))
}

// The reasons of the contract are the constants of package db.
func TestContractHasTheReasons(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../db/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{string(history.InfluxDown), string(history.InfluxDenied)}
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == reflect.TypeFor[db.Reason]().Name() {
				value, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				want = append(want, value)
			}
		}
		return true
	})
	matcher{T: t}.same("reasons", read(t).Components.Schemas["Reason"].Enum, want)
}

// All that a generator would show has a description, and all examples are examples of their schema.
func TestContractDescribesAll(t *testing.T) {
	api := read(t)
	for name, s := range api.Components.Schemas {
		for member, p := range s.Properties {
			if api.flat(p).Description == "" {
				t.Errorf("%s.%s has no description", name, member)
			}
		}
		for _, example := range s.Examples {
			text, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			if err := judgeOf(t).value(name, text); err != nil {
				t.Errorf("the example of %s is none: %v", name, err)
			}
		}
	}
}
