package db

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// How often the feed looks while somebody waits: for commits of other processes, and at most.
const (
	pollEvery  = 100 * time.Millisecond
	lookRarely = 5 * time.Millisecond
)

// looker looks at the change log for all who wait.
type looker struct {
	*DB
	pool    *sql.DB // of one connection, which is open only while somebody waits
	held    *sql.Conn
	of      *target // which the connection belongs to
	version int64   // SQLite's count of others' commits, at the last look; it means nothing to another connection
	tail    *tail   // of the last look; nil where version tells nothing
	served  int64   // how many had come to wait at the last look
}

// follow looks for changes until ctx ends.
func (d *DB) follow(ctx context.Context) error {
	l := &looker{DB: d, pool: newPool(d.readConnector, 1)}
	l.pool.SetMaxIdleConns(-1)
	defer d.feed.run(false)
	defer l.pool.Close()
	defer l.rest()
	for ctx.Err() == nil {
		var poll <-chan time.Time // nil, which never comes
		if joined, wanted := d.feed.wanted(); !wanted {
			l.rest()
		} else if poll = time.After(pollEvery); l.look(ctx, joined) {
			time.Sleep(lookRarely)
		}
		select {
		case <-ctx.Done():
		case <-d.feed.nudges:
		case <-poll:
		}
	}
	return nil
}

// rest ends the connection, so that nothing is in the way of closing the file.
func (l *looker) rest() {
	if l.held != nil {
		l.held.Close()
	}
	l.held, l.of, l.tail = nil, nil, nil
	l.feed.publish(nil, 0)
}

// look tells those who wait of what is new. It says whether there was any. What cannot be read now is tried
// again by the next look.
func (l *looker) look(ctx context.Context, joined int64) (news bool) {
	version, err := l.dataVersion(ctx)
	if err != nil {
		l.rest()
		return false
	}
	news = l.tail == nil || version != l.version
	if news {
		t, err := l.read(ctx)
		if err != nil {
			return false
		}
		l.tail, l.version = t, version
	}
	if news || joined != l.served {
		l.feed.publish(l.tail, joined)
		l.served = joined
	}
	return news
}

// dataVersion tells, by what SQLite says to one and the same connection, whether anybody has committed. It
// has to be asked before the log is read.
func (l *looker) dataVersion(ctx context.Context) (version int64, err error) {
	t := l.present.Load()
	switch {
	case t == nil:
		return 0, errNotFollowed
	case t.path == "":
		return l.version + 1, nil // in memory the one connection does not tell of its own commits
	case l.of != t:
		l.rest()
		if l.held, err = l.pool.Conn(ctx); err != nil {
			l.held = nil
			return 0, err
		}
		l.of = t
	}
	err = l.held.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
	return version, err
}

// read returns the tail as it is now, by the connection that is held: who waits for another one while a file
// follows another would hold up those who wait for the end of this one.
func (l *looker) read(ctx context.Context) (t *tail, err error) {
	var by beginner = l.reader.pool // in memory
	if l.held != nil {
		by = l.held
	}
	err = l.readBy(ctx, by, func(q *Queries) error {
		if l.tail == nil {
			log, err := q.ChangeLog(ctx)
			t = &tail{from: log.Newest, log: log}
			return err
		}
		last := l.tail.log.Newest
		log, err := q.Locate(ctx, last)
		if errors.Is(err, ErrGone) {
			t = &tail{from: log.Newest, log: log}
			return nil
		}
		if err != nil {
			return err
		}
		rows, err := q.ListChanges(ctx, ListChangesParams{Since: last.Seq, Until: log.Newest.Seq, Private: true, Lim: tailLength + 1})
		t = l.tail.grown(rows, log)
		return err
	})
	return t, err
}
