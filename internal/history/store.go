// Package history is the past of a home: the states that its entities had, and when.
//
// Store is the seam: the embedded store (a SQLite file of its own) and InfluxDB are behind it, and one
// suite (package historytest) holds them to the same answers. A store knows entities and times, and
// nothing of rooms, devices, names and units: the caller asks the metadata first which Series a question
// is about, so that the room of an entity is the one it is in now.
package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// Store keeps points and gives them back, as they were or summed up. It is safe for concurrent use.
//
// What holds for every method: ctx bounds it, and ending ctx ends the work behind it. An error that is
// db.ErrUnavailable says that the store cannot be asked now; nothing that is missing is ever shown as
// empty. A *Partial among the errors says that what was returned, or yielded, stands, but is not all.
// Sequences hold bounded memory however long they are, read nothing before they are ranged over, may be
// ranged over once, and end after the first error.
type Store interface {
	// Append stores points, in whatever order they come. The outcomes are those of the points, one by
	// one: a bad point never loses its batch. Appending a point twice is no error; a point is the same
	// if entity_id and time are, and the first one stays. Where the error is not nil nothing is
	// promised of any point: the caller appends the same ones again.
	//
	// The caller gives Point.RegistryID wherever the metadata knows it (see Point). A point that was
	// stored survives a kill of the process.
	Append(ctx context.Context, points []Point) ([]Outcome, error)

	// Range yields the points with q.Start <= Time < q.End, series by series in the order of q.Series,
	// each in the order of time, without doubles.
	Range(ctx context.Context, q Query) iter.Seq2[Row, error]

	// Buckets yields what Summarize yields for the points of q.Series, to a relative 1e-9 and in the same
	// order. A bucket that has nothing in q.Parts may be left out. The error is ErrTooFine where the points that it takes are no
	// longer there, and what was kept instead is too coarse.
	Buckets(ctx context.Context, q BucketQuery) iter.Seq2[Bucket, error]

	// Last returns for each series the newest point at or before at, with the attributes where they
	// are known, in the order of series. A series without such a point has no row.
	Last(ctx context.Context, series []Series, at Micros) ([]Row, error)

	// Events returns the points of a page, newest first: by time, then by entity_id, both falling.
	Events(ctx context.Context, p Page) ([]Event, error)

	// Count returns how many points each bucket between two edges holds, of all series together.
	// Series nil stands for every entity there is.
	Count(ctx context.Context, series []Series, edges []Micros) ([]int64, error)

	// Seen returns who has points with start <= Time < end, and how many, by entity_id.
	Seen(ctx context.Context, start, end Micros) ([]Seen, error)

	// Health tells of now, without waiting: what a store must ask a server for, it asked before.
	Health(ctx context.Context) Health
}

// Query asks for the points of series in a time. The zero Limit is none; otherwise no more than Limit
// points of each series are yielded, the oldest ones.
type Query struct {
	Series     []Series
	Start, End Micros
	Limit      int
}

// BucketQuery asks for summaries of the time between each two of the Edges, of which there are two or
// more and which rise: bucket i is Edges[i] <= t < Edges[i+1]. The caller makes them, on the clock of
// whatever time zone, so that a store needs to know nothing of days and months.
type BucketQuery struct {
	Series []Series
	Edges  []Micros
	Parts  Parts  // those of the Summary that are needed; others may be left zero
	Now    Micros // what comes later does not count, and no value holds longer
}

// Page asks for events. Series nil stands for every entity there is. Before, if it is not zero, is the
// last event of the page before this one: the page begins after it.
type Page struct {
	Series     []Series
	Start, End Micros
	Before     Cursor
	Limit      int
}

// Cursor is the place of an event in the order of Events.
type Cursor struct {
	Time     Micros
	EntityID string
}

// Event is a point and the one before it of the same entity.
type Event struct {
	Point
	// Old is the state before; nil where there was none.
	Old *string
	// Complete says that nothing was lost: that Old, Context and Attributes are what was sent. A store
	// that does not keep all of them leaves them empty and says false.
	Complete bool
}

// Seen is an entity that has points.
type Seen struct {
	EntityID string
	Count    int64
	Last     Micros // the newest of them
}

// Health is the truth about a store at one moment. Counts are since the start of the process.
type Health struct {
	Status     Status
	Since      time.Time     // when the status became what it is; zero where that is not known
	Detail     string        // a sentence, where the status is not Healthy; without secrets
	Version    string        // of the server, or of the file's schema; "" where it is not known
	Lag        time.Duration // the age of the oldest point that is buffered
	Buffered   int64         // points that were taken and have not reached their place
	Dropped    int64         // points that were taken and were given up: always 0 unless a limit was reached
	Stored     int64
	Duplicates int64
	Rejected   int64
	Queries    int64
	Failures   int64         // of the queries
	Time       time.Duration // spent on the queries
}

// Status is a word for how a store is.
type Status string

// How a store can be. A Degraded one answers, but not all of what it should.
const (
	Healthy   Status = "healthy"
	Degraded  Status = "degraded"
	Unhealthy Status = "unhealthy"
	Unknown   Status = "unknown" // not asked yet
)

// ErrTooFine says that a question needs points that are no longer kept, where only hours are.
var ErrTooFine = errors.New("the points that this needs are no longer kept")

// Partial is the error of an answer that is right but not whole: Err is why the time from From until
// Until is missing from it.
type Partial struct {
	From, Until Micros
	Err         error
}

func (p *Partial) Error() string {
	return fmt.Sprintf("from %s until %s is missing: %v", p.From, p.Until, p.Err)
}

func (p *Partial) Unwrap() error { return p.Err }
