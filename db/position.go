package db

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Position is a place in a change log: right after one of its changes, or before the first. The zero value
// is none. Its text is the cursor that the API hands out.
type Position struct {
	LogID string // each file has another log
	Seq   int64  // of the change, 0 before the first
	// At is when that change was, in milliseconds since 1970. It tells a log from its own past: a copy that was
	// put back and written to has the same numbers, but not at the same times.
	At int64
}

func (p Position) String() string {
	return fmt.Sprintf("%s.%d.%s", p.LogID, p.Seq, strconv.FormatInt(p.At, 36))
}

// ParsePosition reads what String wrote. ok says whether the text can be of a position.
func ParsePosition(text string) (p Position, ok bool) {
	log, rest, _ := strings.Cut(text, ".")
	seq, at, _ := strings.Cut(rest, ".")
	var err error
	if p.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil {
		return Position{}, false
	}
	if p.At, err = strconv.ParseInt(at, 36, 64); err != nil {
		return Position{}, false
	}
	p.LogID = log
	return p, p.String() == text && log != "" && p.Seq >= 0
}

// positionOf is the position after the change seq, which was at that time. A time that none of ours wrote
// counts as none.
func positionOf(log string, seq int64, at string) Position {
	p := Position{LogID: log, Seq: seq}
	if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
		p.At = t.UnixMilli()
	}
	return p
}

// timeText is a time as the change log writes it, so that it can be compared there.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
