package history

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Micros is a moment: microseconds since 1970 in UTC, which is as fine as Home Assistant's own times.
type Micros int64

// The ends of time, for validities without an end.
const (
	Always  Micros = math.MinInt64 // before everything
	Forever Micros = math.MaxInt64 // after everything
)

// Hour is how long an hour takes.
const Hour = Micros(time.Hour / time.Microsecond)

// At returns the moment t, which loses what is finer than a microsecond.
func At(t time.Time) Micros { return Micros(t.UnixMicro()) }

// Time returns the moment in UTC.
func (m Micros) Time() time.Time { return time.UnixMicro(int64(m)).UTC() }

// Sub returns how long it is from the earlier moment o until m.
func (m Micros) Sub(o Micros) time.Duration { return time.Duration(m-o) * time.Microsecond }

// String is RFC 3339 in UTC.
func (m Micros) String() string { return m.Time().Format(time.RFC3339Nano) }

// Point is a state that an entity took at a time. "unavailable" and "unknown" are states, too.
type Point struct {
	// EntityID is the name that the entity had at Time.
	EntityID string
	// RegistryID is Home Assistant's stable id of the entity, "" where the metadata does not know the
	// entity or the entity has none. It binds the point to the entity for good: whoever appends looks
	// it up first (db.ListRegistryIDs) and leaves it empty only where there is none, or where the
	// metadata cannot be asked. A point without it is found by its EntityID.
	RegistryID string
	Time       Micros
	State      string // as Home Assistant writes it
	// Context is the id of what caused it; "" where that is not known. A store may keep it for a while.
	Context string
	// Attributes is a JSON object, or nil. A store keeps at least the newest of each entity if it keeps
	// any; Last returns them.
	Attributes []byte
}

// Outcome is what became of an appended point.
type Outcome struct {
	Result Result
	Reason string // why it was rejected, for people: names the field and what it should be
}

// Result is what became of an appended point, in a word.
type Result string

// What can become of an appended point.
const (
	Stored    Result = "stored"
	Duplicate Result = "duplicate" // there is one with this entity_id and time
	Rejected  Result = "rejected"  // it was refused and will always be
)

// Row is a point of the series with this index in the question.
type Row struct {
	Series int
	Point
}

// Series is the past of one entity, as the metadata resolves it (db.ListSeries): whatever is bound to the
// registry id, and beside it what is bound to none and bears one of the names while the name was the
// entity's own. A store that knows no registry ids goes by the names alone. Where RegistryID is "" the
// names alone count, bound or not.
type Series struct {
	RegistryID string
	Names      []Name // none overlaps with the same name of another entity
}

// Name is an entity_id and when it was the entity's own: From <= t < Until.
type Name struct {
	EntityID    string
	From, Until Micros
}

// Named returns the series of an entity that never had another name, nor any other entity its name.
func Named(entityID string) Series {
	return Series{Names: []Name{{entityID, Always, Forever}}}
}

// IsKnown says whether a state tells something about the entity. Home Assistant has two that do not.
func IsKnown(state string) bool {
	return state != "unavailable" && state != "unknown" && state != ""
}

// Number returns the number that a state is. Only finite decimal numbers are: "nan", "inf", "0x1p4" and
// "1_000", which Go reads as well, are texts.
func Number(state string) (float64, bool) {
	if state == "" || state[0] > '9' || strings.ContainsAny(state, "xXnN_") {
		return 0, false
	}
	value, err := strconv.ParseFloat(state, 64)
	return value, err == nil && !math.IsInf(value, 0)
}

// What a point may be.
const (
	maxState = 255 // characters, as in Home Assistant
	// MaxAhead is how far ahead of now a point may be.
	MaxAhead = 10 * time.Minute // for clocks that are wrong
)

// Check returns why a store has to refuse the point, or "". oldest is the oldest time that it keeps.
func (p *Point) Check(now time.Time, oldest Micros) string {
	switch {
	case !IsEntityID(p.EntityID):
		return "entity_id: must be a domain, a dot and a name, in lower case"
	case !utf8.ValidString(p.State) || strings.ContainsRune(p.State, 0) || len(p.State) > 4*maxState || utf8.RuneCountInString(p.State) > maxState:
		return "state: must be text of at most 255 characters"
	case p.State == "":
		return "state: is empty"
	case p.Time > At(now.Add(MaxAhead)):
		return "time: is more than 10 minutes ahead"
	case p.Time < oldest:
		return "time: is older than what is kept, which begins at " + oldest.String()
	}
	return ""
}

// IsEntityID says whether an id has Home Assistant's form: [a-z0-9_]+\.[a-z0-9_]+, of at most 255 bytes.
func IsEntityID(id string) bool {
	domain, name, _ := strings.Cut(id, ".")
	return len(id) <= 255 && isSlug(domain) && isSlug(name)
}

func isSlug(s string) bool {
	for _, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
