package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"dataapi/db"
	"dataapi/db/dbtype"
	"dataapi/internal/webhook"
)

// maxWebhook is how many bytes a webhook may have.
const maxWebhook = 1 << 20

// webhookMember takes a member of a body into a webhook, and says what is wrong with it.
type webhookMember func(s *Server, w *webhookInput, value jsontext.Value) []error

// What a webhook may be told. Members that are only shown are taken and left out, so that what GET answered can be
// sent back.
var (
	changeableMembers = map[string]webhookMember{
		"url": takeURL, "events": takeEvents, "filter": takeFilter, "team": takeTeam, "status": takeStatus,
		"id": leave, "reason": leave, "old_secret_until": leave, "created_at": leave, "updated_at": leave,
	}
	webhookMembers = map[string]webhookMember{
		"url": takeURL, "events": takeEvents, "filter": takeFilter, "team": takeTeam, "status": takeStatus, "secret": takeSecret,
	}
	haWebhookMembers = map[string]webhookMember{
		"webhook_url": takeURL, "events": takeAnyEvents, "filters": takeFilter, "team": takeTeam, "secret": takeAnySecret,
	}
)

// webhookIn reads the webhook in a body.
func (s *Server) webhookIn(r *http.Request, known map[string]webhookMember, base *db.Webhook) (webhookInput, error) {
	if err := parse(r).err(); err != nil {
		return webhookInput{}, err
	}
	members, err := s.object(r, maxWebhook)
	if err != nil {
		return webhookInput{}, err
	}
	return s.overlay(r, members, known, base)
}

// overlay lays members over a webhook, or over nothing. The error is an invalid that names all that are wrong, or a
// forbidden where the webhook would be told what who asks may not know.
func (s *Server) overlay(r *http.Request, members []member, known map[string]webhookMember, base *db.Webhook) (webhookInput, error) {
	w := webhookInput{Webhook: newWebhook}
	if base != nil {
		w.Webhook = *base
	}
	var bad invalid
	refuse := func(name string, problem error) {
		pointer := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		bad = append(bad, fieldError{Pointer: &pointer, Detail: problem.Error()})
	}
	given := map[string]bool{}
	for _, m := range members {
		given[m.name] = true
		take, ok := known[m.name]
		if !ok {
			refuse(m.name, fmt.Errorf("is no member of a webhook, which has %s", strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
			continue
		}
		for _, problem := range take(s, &w, m.value) {
			refuse(m.name, problem)
		}
	}
	for _, name := range []string{"url", "webhook_url", "events"} {
		if known[name] != nil && base == nil && !given[name] {
			refuse(name, errors.New("is missing"))
		}
	}
	for _, name := range []string{"filter", "filters"} {
		if known[name] != nil && w.conditional() && w.Events != "" && !wantsStates(w.Events) {
			refuse(name, errNoStates)
		}
	}
	if bad != nil {
		return w, bad
	}
	return w, mayBeTold(r, w.Events)
}

// mayBeTold says by its error whether who asks may have a webhook told of events.
func mayBeTold(r *http.Request, text dbtype.JSON) error {
	var events webhook.Events
	if err := json.Unmarshal([]byte(text), &events); err != nil {
		return err
	}
	if slices.Contains(events.Kinds(), db.PrivateKind) {
		return mayAlso(r, ofUsers)
	}
	return nil
}

var errNoStates = fmt.Errorf("from, to, above and below are for %s, which is not among the events", webhook.StateChanged)

// conditional says whether the filter has conditions, which are for states.
func (w *webhookInput) conditional() bool {
	var filter webhook.Filter
	return json.Unmarshal([]byte(w.Filter), &filter) == nil && !filter.None()
}

func leave(*Server, *webhookInput, jsontext.Value) []error { return nil }

func textOf(value jsontext.Value) (text string, ok bool) {
	return text, json.Unmarshal(value, &text) == nil && value.Kind() == '"'
}

func takeURL(s *Server, w *webhookInput, value jsontext.Value) []error {
	text, _ := textOf(value)
	if err := s.Webhooks.Targets.CheckURL(text); err != nil {
		return []error{err}
	}
	w.Url = text
	return nil
}

func takeEvents(_ *Server, w *webhookInput, value jsontext.Value) (problems []error) {
	var events webhook.Events
	if json.Unmarshal(value, &events) != nil || len(events) == 0 || len(events) > maxList {
		return []error{fmt.Errorf("must be a list of 1 to %d events, such as [\"entity.updated\"]", maxList)}
	}
	for _, event := range events {
		if err := webhook.CheckEvent(event); err != nil {
			problems = append(problems, err)
		}
	}
	w.Events = compactJSON(value)
	return problems
}

// takeAnyEvents takes what the service before this one took: names that are no events of ours are kept.
func takeAnyEvents(_ *Server, w *webhookInput, value jsontext.Value) []error {
	var events []string
	if json.Unmarshal(value, &events) != nil || len(events) == 0 || len(events) > maxList {
		return []error{errors.New("must be a list of texts")}
	}
	w.Events = compactJSON(value)
	return nil
}

func takeFilter(_ *Server, w *webhookInput, value jsontext.Value) []error {
	if value.Kind() == 'n' {
		w.Filter = "{}"
		return nil
	}
	filter, problems := webhook.ParseFilter(value)
	if problems != nil {
		return problems
	}
	text, err := json.Marshal(filter)
	w.Filter = dbtype.JSON(text)
	if err != nil {
		return []error{err}
	}
	return nil
}

func takeTeam(_ *Server, w *webhookInput, value jsontext.Value) []error {
	if value.Kind() == 'n' {
		w.Team = nil
		return nil
	}
	text, ok := textOf(value)
	if !ok || !isText(text) {
		return []error{fmt.Errorf("must be text of at most %d characters, or null", maxText)}
	}
	w.Team = &text
	return nil
}

func takeStatus(_ *Server, w *webhookInput, value jsontext.Value) []error {
	text, _ := textOf(value)
	if !slices.Contains(webhookStates, text) {
		return []error{errors.New("must be active or disabled")}
	}
	w.Status = text
	return nil
}

func takeSecret(_ *Server, w *webhookInput, value jsontext.Value) []error {
	w.secret, _ = textOf(value)
	if err := webhook.CheckSecret(w.secret); err != nil {
		return []error{err}
	}
	return nil
}

// takeAnySecret takes what the service before this one took for one.
func takeAnySecret(_ *Server, w *webhookInput, value jsontext.Value) []error {
	w.secret, _ = textOf(value)
	if w.secret == "" || !isText(w.secret) {
		return []error{fmt.Errorf("must be text of 1 to %d characters", maxText)}
	}
	return nil
}

func compactJSON(value jsontext.Value) dbtype.JSON {
	text := value.Clone()
	if text.Compact() != nil {
		return dbtype.JSON(value)
	}
	return dbtype.JSON(text)
}
