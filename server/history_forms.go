package server

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/stats"
)

// pastAnswer is the answer to a question about the past. Start and End are those of the buckets.
type pastAnswer struct {
	Start    time.Time    `json:"start"`
	End      time.Time    `json:"end"`
	Every    string       `json:"every"`
	Fn       stats.Fn     `json:"fn"`
	GroupBy  string       `json:"group_by"`
	TZ       string       `json:"tz"`
	Entities int          `json:"entities"` // that were asked about
	Series   []pastSeries `json:"series"`
	Count    int          `json:"count"` // of series
	Partial  bool         `json:"partial"`
	Missing  *missingTime `json:"missing"`
}

// pastSeries are the values of a group, of which there is at least one.
type pastSeries struct {
	pastGroup
	Entities []string    `json:"entities"` // that have a part in the values
	Points   []pastPoint `json:"points"`
}

// pastPoint is a value of the bucket that begins at Time.
type pastPoint struct {
	Time  time.Time `json:"time"`
	State *string   `json:"state,omitempty"` // whose time the value is
	Value any       `json:"value"`
}

// missingTime is what a partial answer lacks.
type missingTime struct {
	From   *time.Time `json:"from"` // null where it is all that was before
	Until  *time.Time `json:"until"`
	Reason string     `json:"reason"`
}

func missingOf(p *history.Partial) *missingTime {
	if p == nil {
		return nil
	}
	m := missingTime{From: opened(p.From), Until: opened(p.Until), Reason: problemOf(p.Err).Detail}
	if errors.Is(p.Err, history.ErrTooFine) {
		m.Reason = "it is no longer kept"
	}
	return &m
}

// opened is a moment; nil at the ends of time.
func opened(m history.Micros) *time.Time {
	if m == history.Always || m == history.Forever {
		return nil
	}
	t := m.Time()
	return &t
}

// pastAnswerOf puts together what the store tells of groups, and what the registry does. Groups of which nothing is
// known are left out.
func pastAnswerOf(ask *pastQuestion, subjects []subject, groups []pastGroup, answers []stats.Group) pastAnswer {
	a := pastAnswer{
		Start: ask.edges[0].Time(), End: ask.edges[len(ask.edges)-1].Time(), Every: ask.every.Word, Fn: ask.fn, GroupBy: ask.groupBy,
		TZ: ask.start.Location().String(), Entities: len(subjects), Series: []pastSeries{},
	}
	for i, g := range answers {
		if len(g.Series) == 0 {
			continue
		}
		series := pastSeries{pastGroup: groups[i], Points: make([]pastPoint, len(g.Points))}
		if ask.fn == stats.TimeInState {
			series.Unit = known("s")
		}
		for _, n := range g.Series {
			series.Entities = append(series.Entities, subjects[n].EntityID)
		}
		for j, p := range g.Points {
			series.Points[j] = pastPoint{p.Time.Time(), known(p.State), p.Value}
		}
		a.Series = append(a.Series, series)
	}
	a.Count = len(a.Series)
	return a
}

// reply answers in the form that was asked for. All of it is known by now, so that what goes wrong is an error and
// not half an answer.
func (ask *pastQuestion) reply(a pastAnswer, missing *history.Partial) (any, error) {
	a.Missing = missingOf(missing)
	a.Partial = missing != nil
	var value any = a
	var err error
	switch ask.format {
	case "csv":
		value, err = a.csv()
	case "ndjson":
		value, err = a.lines()
	}
	if a.Partial {
		return incomplete{fresh{http.StatusOK, value}}, err
	}
	return fresh{http.StatusOK, value}, err
}

// lines has a point on each line, with all that is known of its series.
func (a *pastAnswer) lines() (file, error) {
	var b bytes.Buffer
	for _, series := range a.Series {
		for _, p := range series.Points {
			line, err := encode(struct {
				pastPoint
				pastGroup
			}{p, series.pastGroup})
			if err != nil {
				return file{}, err
			}
			b.Write(line)
		}
	}
	return file{"application/x-ndjson", b.Bytes()}, nil
}

// csv has a point in each row; what is null is empty.
func (a *pastAnswer) csv() (file, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Write([]string{"time", "name", "value", "unit_of_measurement", "state", "entity_id", "domain", "device_id", "area_id", "area_name", "floor_id"})
	for _, series := range a.Series {
		g := series.pastGroup
		row := make([]string, 11)
		for i, cell := range []*string{3: g.Unit, 5: g.EntityID, 6: g.Domain, 7: g.DeviceID, 8: g.AreaID, 9: g.AreaName, 10: g.FloorID, 1: g.Name} {
			row[i] = plain(cell)
		}
		for _, p := range series.Points {
			row[0], row[2], row[4] = p.Time.Format(time.RFC3339Nano), cellOf(p.Value), plain(p.State)
			w.Write(row)
		}
	}
	w.Flush()
	return file{"text/csv; charset=utf-8", b.Bytes()}, w.Error()
}

func plain(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// cellOf is a value without the exponents that spreadsheets misread.
func cellOf(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}
