package server

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"dataapi/internal/history"
	"dataapi/internal/history/stats"
)

// mostValues is how many values an answer about the past has at most.
const mostValues = 250_000

// mostEntities is how many entities a question about the past is about at most.
const mostEntities = 10_000

// The words of a question about the past, beside those of package stats.
var (
	groupings   = []string{"entity", "device", "area", "floor", "domain", "none"}
	pastFormats = []string{"json", "csv", "ndjson"}
)

// pastQuestion is a question about the past, as it was asked.
type pastQuestion struct {
	start, end time.Time // in the time zone of the answer
	now        time.Time
	every      stats.Every
	auto       bool
	fn         stats.Fn
	fill       stats.Fill
	groupBy    string
	format     string
	edges      []history.Micros
}

func (s *Server) getHistory(r *http.Request) (any, error) {
	q := parse(r)
	filter := s.entities(r, q)
	ask := q.past(time.Now())
	if err := q.err(); err != nil {
		return nil, err
	}
	subjects, err := s.subjects(r.Context(), filter)
	if err != nil {
		return nil, err
	}
	about, groups, err := s.grouped(r.Context(), &ask, subjects)
	if err != nil {
		return nil, err
	}
	answers, missing, err := stats.Ask(r.Context(), s.History, about)
	if errors.Is(err, history.ErrTooFine) && ask.auto && ask.every.Fine() {
		ask.every = stats.EveryOf("1h")
		about.Edges, _ = ask.every.Edges(ask.start, ask.end, mostValues) // fewer than before
		answers, missing, err = stats.Ask(r.Context(), s.History, about)
	}
	if err != nil {
		return nil, ask.refusal(err, subjects)
	}
	ask.edges = about.Edges
	return ask.reply(pastAnswerOf(&ask, subjects, groups, answers), missing)
}

// past parses what is asked of the past.
func (q *query) past(now time.Time) pastQuestion {
	zone := q.zone("tz")
	ask := pastQuestion{
		now: now, start: q.moment("start", now, now.Add(-day)).In(zone), end: q.moment("end", now, now).In(zone),
		fn: stats.Fn(q.word("fn", "mean", stats.Fns)), fill: stats.Fill(q.word("fill", "none", stats.Fills)),
		groupBy: q.word("group_by", "entity", groupings), format: q.word("format", "json", pastFormats),
	}
	words := []string{"auto"}
	for _, e := range stats.Everys {
		words = append(words, e.Word)
	}
	every := q.word("every", "auto", words)
	if !ask.start.Before(ask.end) {
		if len(q.bad) == 0 {
			q.refuse("start", "must be before end, which is %s", ask.end.UTC().Format(time.RFC3339))
		}
		return ask
	}
	if ask.auto = every == "auto"; ask.auto {
		ask.every = stats.Auto(ask.start, ask.end)
	} else {
		ask.every = stats.EveryOf(every)
	}
	var err error
	if ask.edges, err = ask.every.Edges(ask.start, ask.end, mostValues); err != nil {
		q.refuse("every", "%s", ask.advice(err))
	}
	return ask
}

// zone is a time zone; UTC where it is not given.
func (q *query) zone(name string) *time.Location {
	value, given := q.one(name)
	if !given {
		return time.UTC
	}
	zone, err := time.LoadLocation(value)
	if err != nil || value == "Local" {
		q.refuse(name, "must be a time zone of the IANA database, such as Europe/Berlin")
		return time.UTC
	}
	return zone
}

// refusal is the error of a question that cannot be answered as it was asked: it says how it can.
func (ask *pastQuestion) refusal(err error, subjects []subject) error {
	var states *stats.ManyStates
	switch {
	case errors.As(err, new(*stats.TooMany)):
		return invalid{parameter("every", ask.advice(err))}
	case errors.As(err, &states):
		return invalid{parameter("fn", fmt.Sprintf("%s: %s", subjects[states.Series].EntityID, states.Error()))}
	case errors.Is(err, history.ErrTooFine):
		return invalid{parameter("every", history.ErrTooFine.Error()+", only sums of whole hours: ask for 1h or coarser, where the hours of tz are full hours of UTC")}
	}
	return err
}

// advice says what would be few enough values.
func (ask *pastQuestion) advice(err error) string {
	var tooMany *stats.TooMany
	if errors.As(err, &tooMany) {
		if every, ok := tooMany.Suggest(ask.every); ok {
			return err.Error() + ": every=" + every.Word + " would do, or fewer entities or less time"
		}
	}
	return err.Error() + ": ask for fewer entities or less time"
}
