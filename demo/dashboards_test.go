package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// shownAddress is where documents say that data-api is.
const shownAddress = "http://data-api:8006"

// got is the answer of a server to a URL that a document shows.
func (f *feeder) got(t *testing.T, shown string) string {
	t.Helper()
	path, ours := strings.CutPrefix(shown, shownAddress)
	if !ours {
		t.Fatalf("%s is not of data-api", shown)
	}
	text, err := f.ask(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// panel is what docs/grafana.md tells to enter into Grafana.
type panel struct {
	kind, url, rows string
	columns         []string
}

var entries = regexp.MustCompile("(?m)^- (Type|URL|Rows|Columns): (.*)$")

func panels(t *testing.T) (all []panel) {
	t.Helper()
	text, err := os.ReadFile("../docs/grafana.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		var p panel
		for _, m := range entries.FindAllStringSubmatch(section, -1) {
			value := strings.Trim(m[2], "`")
			switch m[1] {
			case "Type":
				p.kind = value
			case "URL":
				p.url = value
			case "Rows":
				p.rows = value
			case "Columns":
				p.columns = strings.Split(value, "`, `")
			}
		}
		if p.url != "" {
			all = append(all, p)
		}
	}
	return all
}

// TestGrafana asks what the panels of docs/grafana.md ask, with values in place of Grafana's variables, and looks
// their columns up in the answers.
func TestGrafana(t *testing.T) {
	t.Parallel()
	f, now := livedIn(t), time.Now()
	all := panels(t)
	if len(all) < 3 {
		t.Fatalf("%+v", all)
	}
	for _, p := range all {
		shown := strings.NewReplacer("${area:csv}", "kitchen,bedroom", "${__to}", strconv.FormatInt(now.UnixMilli(), 10),
			"${__from}", strconv.FormatInt(now.Add(-6*time.Hour).UnixMilli(), 10)).Replace(p.url)
		answer := f.got(t, shown)
		rows, err := p.table(answer)
		if err != nil || len(rows) < 3 || strings.Contains(shown, "$") {
			t.Errorf("%s: %d rows, %v: %.200s", shown, len(rows), err, answer)
		}
	}
}

// table has a row for each of the answer's, with the columns of the panel. One without one of them is an error.
func (p panel) table(answer string) (rows [][]any, err error) {
	if p.kind == "CSV" {
		all, err := csv.NewReader(strings.NewReader(answer)).ReadAll()
		for _, column := range p.columns {
			if err == nil && !slices.Contains(all[0], column) {
				return nil, fmt.Errorf("no column %s", column)
			}
		}
		return make([][]any, len(all)), err
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(answer), &object); err != nil {
		return nil, err
	}
	list, _ := object[p.rows].([]any)
	for _, item := range list {
		var row []any
		for _, column := range p.columns {
			value, err := lookUp(item, strings.Split(column, "."))
			if err != nil {
				return nil, err
			}
			row = append(row, value)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// lookUp follows names of members and numbers of items.
func lookUp(value any, path []string) (any, error) {
	for i, step := range path {
		var there bool
		switch in := value.(type) {
		case map[string]any:
			value, there = in[step]
		case []any:
			if n, err := strconv.Atoi(step); err == nil && n < len(in) {
				value, there = in[n], true
			}
		}
		if !there {
			return nil, fmt.Errorf("no %s", strings.Join(path[:i+1], "."))
		}
	}
	return value, nil
}

// configurations are the blocks of YAML in docs/home-assistant.md that have a key.
func configurations(t *testing.T, key string) (all []yaml.Node) {
	t.Helper()
	text, err := os.ReadFile("../docs/home-assistant.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		var block map[string]yaml.Node
		if err := yaml.Unmarshal([]byte(m[1]), &block); err != nil {
			t.Fatalf("%v in\n%s", err, m[1])
		}
		if node, there := block[key]; there {
			all = append(all, node)
		}
	}
	if len(all) == 0 {
		t.Fatalf("no %s in docs/home-assistant.md", key)
	}
	return all
}

var valuePath = regexp.MustCompile(`value_json((?:\.\w+|\[\d+\])+)`)

// TestRestSensor asks what the sensor of docs/home-assistant.md asks, and looks up what its templates take.
func TestRestSensor(t *testing.T) {
	t.Parallel()
	f := livedIn(t)
	var rest []struct {
		Resource string
		Sensor   []map[string]string
	}
	if node := configurations(t, "rest")[0]; node.Decode(&rest) != nil || len(rest) != 1 || len(rest[0].Sensor) != 1 {
		t.Fatalf("%+v", rest)
	}
	var answer any
	if err := json.Unmarshal([]byte(f.got(t, rest[0].Resource)), &answer); err != nil {
		t.Fatal(err)
	}
	sensor := rest[0].Sensor[0]
	for _, template := range []string{"value_template", "availability"} {
		m := valuePath.FindStringSubmatch(sensor[template])
		if m == nil {
			t.Fatalf("%s is %q", template, sensor[template])
		}
		value, err := lookUp(answer, strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(".[]", r) }))
		if number, is := value.(float64); !is || number <= 0 {
			t.Errorf("%s: %v, %v", m[1], value, err)
		}
	}
	if unit, err := lookUp(answer, []string{"series", "0", "unit_of_measurement"}); unit != sensor["unit_of_measurement"] {
		t.Errorf("the unit is %v, and shown is %s: %v", unit, sensor["unit_of_measurement"], err)
	}
}

// influx is how Home Assistant's InfluxDB integration is set up.
type influx struct {
	Host, Database, Organization, Bucket, Token string
	Port                                        int
	APIVersion                                  int `yaml:"api_version"`
	SSL                                         bool
	MaxRetries                                  int `yaml:"max_retries"`
}

// write is what that integration sends for a state, by either version of InfluxDB's API.
func (i influx) write(base, line string) (*http.Request, error) {
	target := base + "/write?db=" + url.QueryEscape(i.Database)
	if i.APIVersion == 2 {
		target = base + "/api/v2/write?org=" + url.QueryEscape(i.Organization) + "&bucket=" + url.QueryEscape(i.Bucket) + "&precision=ns"
	}
	q, err := http.NewRequest(http.MethodPost, target, strings.NewReader(line))
	if err == nil && i.Token != "" {
		q.Header.Set("Authorization", "Token "+i.Token)
	}
	return q, err
}

// TestInfluxIntegration writes as Home Assistant does that is set up as docs/home-assistant.md says, and finds the
// state again.
func TestInfluxIntegration(t *testing.T) {
	t.Parallel()
	f := served(t)
	for n, node := range configurations(t, "influxdb") {
		var i influx
		if err := node.Decode(&i); err != nil || i.SSL || i.MaxRetries == 0 {
			t.Fatalf("%+v, %v", i, err)
		}
		state := strconv.Itoa(20+n) + ".5"
		q, err := i.write(f.url, fmt.Sprintf("°C,domain=sensor,entity_id=kuche_klima_temperature value=%s %d", state, time.Now().UnixNano()))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusNoContent {
			t.Errorf("%+v: %s", i, response.Status)
		}
		var now struct{ State string }
		f.get(t, "/api/v1/entities/sensor.kuche_klima_temperature/state", &now)
		if now.State != state {
			t.Errorf("%+v: the state is %q, want %q", i, now.State, state)
		}
	}
}
