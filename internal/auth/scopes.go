// Package auth says who may do what: it knows the keys, which are kept in the metadata, and what each is good for.
package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes are what somebody may do, or what of it is enough for something. The zero value is nothing.
type Scopes uint16

// What there is to be allowed. Keys have those that have a name; the first two come from who asks, and from where.
const (
	Anyone  Scopes = 1 << iota // may what needs no key
	Trusted                    // may what the service before this one offered to all, see Config.Trusted
	Read                       // the registry, its changes and the past
	WriteRegistry
	WriteEvents
	Webhooks
	Preferences // of all users, and their changes
	Admin       // everything
)

// All is what an admin may do.
const All = Anyone | Trusted | Read | WriteRegistry | WriteEvents | Webhooks | Preferences | Admin

var scopeNames = []struct {
	scope Scopes
	name  string
}{
	{Read, "read"}, {WriteRegistry, "write:registry"}, {WriteEvents, "write:events"},
	{Webhooks, "webhooks"}, {Preferences, "preferences"}, {Admin, "admin"},
}

// Names are the names of all scopes that a key may have.
func Names() []string { return All.Names() }

// Names are the names of those scopes that have one.
func (s Scopes) Names() []string {
	names := []string{}
	for _, n := range scopeNames {
		if s&n.scope != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// Any says whether one of them is among those of other.
func (s Scopes) Any(other Scopes) bool { return s&other != 0 }

// Parse reads the names of scopes. Who has them may what anyone may, and an admin may everything.
func Parse(names []string) (Scopes, error) {
	granted := Anyone
	for _, name := range names {
		i := slices.Index(Names(), name)
		if i < 0 {
			return 0, fmt.Errorf("%q is no scope: there are %s", name, strings.Join(Names(), ", "))
		}
		granted |= scopeNames[i].scope
	}
	if granted&Admin != 0 {
		return All, nil
	}
	return granted, nil
}
