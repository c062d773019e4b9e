package webhook

import (
	"fmt"
	"slices"
	"strings"

	"dataapi/db"
)

// What states are called among events: they are no changes of the registry, and many.
const (
	stateKind = "state"
	// StateChanged is the type of event of an entity that took another state.
	StateChanged = "state.changed"
)

var actions = []string{"created", "updated", "deleted"}

// Events are the types of events that a webhook wants: kind.action, where either may be *, or * for all. A *
// stands for all kinds but preferences, which are nobody else's business, and states, which are thousands an hour:
// both have to be named.
type Events []string

// CheckEvent says what is wrong with a type of event.
func CheckEvent(event string) error {
	kind, action := parts(event)
	known, does := slices.Contains(db.ChangeKinds, kind) || kind == "*", slices.Contains(actions, action)
	if kind == stateKind {
		known, does = true, event == StateChanged
	}
	if !known || !does && action != "*" {
		return fmt.Errorf("%q is no event: events are kind.action, such as entity.updated, of the kinds %s and the actions %s, and %s; either part may be *",
			event, strings.Join(db.ChangeKinds, ", "), strings.Join(actions, ", "), StateChanged)
	}
	return nil
}

func parts(event string) (kind, action string) {
	if event == "*" {
		return "*", "*"
	}
	kind, action, _ = strings.Cut(event, ".")
	return kind, action
}

// Kinds are the kinds of changes to look at, as db.ChangeQuery has them: nil stands for all but preferences.
// Types of events that are none, as the service before this one had them, add nothing.
func (e Events) Kinds() []string {
	named := []string{}
	all := false
	for _, event := range e {
		kind, _ := parts(event)
		all = all || kind == "*"
		if slices.Contains(db.ChangeKinds, kind) && !slices.Contains(named, kind) {
			named = append(named, kind)
		}
	}
	switch {
	case !all:
		return named
	case slices.Contains(named, db.PrivateKind):
		return slices.Clone(db.ChangeKinds)
	}
	return nil
}

// Want says whether the type of a change is one of the events.
func (e Events) Want(c db.Change) bool {
	return slices.ContainsFunc(e, func(event string) bool {
		kind, action := parts(event)
		return (kind == c.Kind || kind == "*" && c.Kind != db.PrivateKind) && (action == c.Action || action == "*")
	})
}

// WantStates says whether states are among the events.
func (e Events) WantStates() bool {
	return slices.Contains(e, StateChanged) || slices.Contains(e, stateKind+".*")
}
