package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"dataapi/db"
	"dataapi/internal/history"
)

// Conditions say which states are sent, in the words of Home Assistant's triggers: all of them must hold.
type Conditions struct {
	From, To     []string // the state before is one of From, the new one is one of To; none stands for any
	Above, Below *float64 // the state entered the range between them: it is in it, and the number before was not
}

// bound reads a number.
func bound(name string, text []byte) (*float64, error) {
	var number *float64
	if json.Unmarshal(text, &number) != nil || number == nil {
		return nil, fmt.Errorf("%s must be a number", name)
	}
	return number, nil
}

func (c Conditions) check() error {
	if c.Above != nil && c.Below != nil && *c.Above >= *c.Below {
		return errors.New("above must be less than below: no number is in a range without room")
	}
	return nil
}

// None says whether there are none.
func (c Conditions) None() bool {
	return c.From == nil && c.To == nil && c.Above == nil && c.Below == nil
}

func (c Conditions) addTo(members map[string]any) {
	if c.From != nil {
		members["from"] = c.From
	}
	if c.To != nil {
		members["to"] = c.To
	}
	if c.Above != nil {
		members["above"] = *c.Above
	}
	if c.Below != nil {
		members["below"] = *c.Below
	}
}

// State is a state that an entity took.
type State struct {
	EntityID string
	Row      map[string]any // of the entity, as it is now
	New      string
	Old      *string // the one before; nil where there was none
	Known    *string // the one before that tells something; nil where there was none
}

// Changed says whether the state is another one than before: what only brings other attributes is none.
func (s State) Changed() bool { return s.Old == nil || *s.Old != s.New }

// WantState says whether a state is one that the filter is for.
func (f Filter) WantState(s State) bool {
	return f.Conditions.hold(s) && f.has(db.Change{Kind: "entity", ID: s.EntityID}, s.Row)
}

// hold says whether the conditions do. Whoever was unavailable meanwhile has entered a range only if the last number
// before was outside of it; and where there was no number before, nothing has entered.
func (c Conditions) hold(s State) bool {
	switch {
	case c.From != nil && (s.Old == nil || !slices.Contains(c.From, *s.Old)):
		return false
	case c.To != nil && !slices.Contains(c.To, s.New):
		return false
	case c.Above == nil && c.Below == nil:
		return true
	}
	return c.within(s.New) && s.Known != nil && !c.within(*s.Known)
}

// within says whether a state is a number in the range, to which its bounds do not belong.
func (c Conditions) within(state string) bool {
	n, ok := history.Number(state)
	return ok && (c.Above == nil || n > *c.Above) && (c.Below == nil || n < *c.Below)
}
