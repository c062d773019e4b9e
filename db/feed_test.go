package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// newest is where the change log ends.
func newest(t *testing.T, d *DB) Position {
	t.Helper()
	log, err := d.ChangeLog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return log.Newest
}

// awaited is the answer to somebody who waits.
type awaited struct {
	ChangePage
	err error
}

// awaiting has somebody wait for what comes after a position.
func awaiting(d *DB, after Position, patience time.Duration) <-chan awaited {
	answer := make(chan awaited, 1)
	go func() {
		p, err := d.AwaitChanges(ctx, ChangeQuery{Since: Bound{Position: after}, Limit: 100}, patience)
		answer <- awaited{p, err}
	}()
	return answer
}

// comes is the answer as soon as it is there.
func comes(t *testing.T, answer <-chan awaited) awaited {
	t.Helper()
	select {
	case a := <-answer:
		return a
	case <-time.After(recovery):
		t.Fatalf("no answer within %v", recovery)
		return awaited{}
	}
}

// someoneWaits returns as soon as somebody waits.
func someoneWaits(t *testing.T, d *DB) {
	t.Helper()
	eventually(t, "somebody waits", func() bool { _, now := d.feed.wanted(); return now })
}

// ids are those of the changes, in order.
func ids(changes []Change) string {
	text := ""
	for _, c := range changes {
		text += c.ID + " "
	}
	return text
}

func TestACommitWakesAllWhoWait(t *testing.T) {
	for name, path := range map[string]string{"in memory": Memory, "in a file": fileIn(t)} {
		t.Run(name, func(t *testing.T) {
			d := serving(t, DefaultConfig(path))
			mustAddFloors(t, d, "before")
			after := newest(t, d)
			var all []<-chan awaited
			for range 50 {
				all = append(all, awaiting(d, after, time.Minute))
			}
			eventually(t, "all wait", func() bool { d.feed.mu.Lock(); defer d.feed.mu.Unlock(); return len(d.feed.waiting) == 50 })
			mustAddFloors(t, d, "after")
			for _, answer := range all {
				a := comes(t, answer)
				if a.err != nil || ids(a.Changes) != "after " || a.Next != newest(t, d) || a.More {
					t.Fatalf("got %+v", a)
				}
			}
		})
	}
}

// What was committed after a position was read, and before the wait begins, is no matter of waiting.
func TestNobodyWaitsForWhatIsThere(t *testing.T) {
	d := serving(t, DefaultConfig(fileIn(t)))
	after := newest(t, d)
	mustAddFloors(t, d, "a", "b")
	if a := comes(t, awaiting(d, after, time.Hour)); a.err != nil || ids(a.Changes) != "a b " {
		t.Errorf("got %+v", a)
	}
}

func TestAnotherProcessWakesWhoWaits(t *testing.T) {
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	answer := awaiting(d, newest(t, d), time.Minute)
	someoneWaits(t, d)
	shell(t, path, "INSERT INTO floors (floor_id, name) VALUES ('shell', 'Shell');")
	if a := comes(t, answer); a.err != nil || ids(a.Changes) != "shell " {
		t.Errorf("got %+v", a)
	}
}

func TestWaitingHasAnEnd(t *testing.T) {
	d := serving(t, DefaultConfig(fileIn(t)))
	after := newest(t, d)
	if a := comes(t, awaiting(d, after, 20*time.Millisecond)); a.err != nil || len(a.Changes) > 0 || a.Next != after || a.Changes == nil {
		t.Errorf("out of patience: got %+v", a)
	}
	ending, end := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, end)
	if _, err := d.AwaitChanges(ending, ChangeQuery{Limit: 1}, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("went away: got %v", err)
	}
	if _, waits := d.feed.wanted(); waits {
		t.Error("somebody still waits")
	}
}

// As soon as Run ends, nobody looks any more, and nobody waits.
func TestTheEndOfRunEndsWaiting(t *testing.T) {
	d := unopened(t, DefaultConfig(fileIn(t)))
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.Run(running) }()
	eventually(t, "it serves", func() bool { return d.Status(ctx).Writable })
	answer := awaiting(d, newest(t, d), time.Hour)
	someoneWaits(t, d)
	end()
	wantReason(t, "a wait when Run ends", comes(t, answer).err, Closed)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantReason(t, "a wait after Run", comes(t, awaiting(d, newest(t, d), time.Hour)).err, Closed)
	want(t, "open connections of the feed", d.readConnector.live.Load(), int64(d.reader.pool.Stats().OpenConnections))
}

// While nobody waits, nobody looks, and no connection is held.
func TestNobodyLooksForNobody(t *testing.T) {
	d := serving(t, DefaultConfig(fileIn(t)))
	comes(t, awaiting(d, newest(t, d), 50*time.Millisecond))
	eventually(t, "the feed rests", func() bool {
		return d.readConnector.live.Load() == int64(d.reader.pool.Stats().OpenConnections) && d.feed.recent() == nil
	})
	start, before := time.Now(), d.reader.stats().Queries
	mustAddFloors(t, d, "a", "b", "c")
	time.Sleep(3 * pollEvery)
	queries := d.reader.stats().Queries - before
	if ofIndexer := 1 + int64(time.Since(start)/indexEvery); queries > ofIndexer {
		t.Errorf("%d queries, of which the indexer makes %d at most", queries, ofIndexer)
	}
}

// A file that takes the place of the open one has another log, or the same one at an earlier time, which may
// have gone on by itself since. Whoever waits is told so.
func TestReplacedFilesEndTheWait(t *testing.T) {
	older := fileIn(t)
	d := opened(t, DefaultConfig(older))
	mustAddFloors(t, d, "a", "b")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	old := read(t, older)
	d = opened(t, DefaultConfig(older))
	time.Sleep(2 * time.Millisecond) // so that the next change is not of the same moment as in the other copy
	mustAddFloors(t, d, "x", "y", "z", "w")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	other := read(t, older)
	for name, test := range map[string]struct {
		file []byte
		why  Reason
	}{"older": {old, Beyond}, "another way": {other, OtherLog}, "another": {databaseWith(t, "a", "b", "c", "d"), OtherLog}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := fileIn(t)
			overwrite(t, path, old)
			d := serving(t, DefaultConfig(path))
			mustAddFloors(t, d, "c", "d")
			answer := awaiting(d, newest(t, d), time.Minute)
			someoneWaits(t, d)
			exchange(t, path, test.file)
			var gone *Gone
			if err := comes(t, answer).err; !errors.As(err, &gone) || gone.Reason != test.why || !errors.Is(err, ErrGone) {
				t.Errorf("got %v, want %s", err, test.why)
			}
		})
	}
}

// Whatever a follower asks for, and however it comes in between, it gets each change that it means once.
func TestFollowersMissNothing(t *testing.T) {
	path := fileIn(t)
	d := serving(t, DefaultConfig(path))
	var followers sync.WaitGroup
	for n := range 24 {
		q := ChangeQuery{Limit: int64(n*n + 1)}
		if n%3 > 0 {
			q.Kinds = ChangeKinds[n%3 : n%3+2]
		}
		followers.Go(func() { followToTheEnd(t, d, q) })
	}
	other := opened(t, DefaultConfig(path))
	for n := range 60 {
		for i := range n {
			mustAddFloors(t, []*DB{d, other}[i%2], fmt.Sprint("floor-", n, "-", i))
		}
		execute(t, d, "INSERT INTO labels (label_id, name) SELECT value, value FROM json_each('["+fmt.Sprintf(`"%d-a","%d-b"`, n, n)+"]')")
	}
	execute(t, d, "INSERT INTO areas (area_id, name) VALUES ('end', 'End')")
	mustAddFloors(t, d, "end")
	followers.Wait()
}

// followToTheEnd compares what comes one page after the other with what is there in the end.
func followToTheEnd(t *testing.T, d *DB, q ChangeQuery) {
	var got []Change
	for ended := false; !ended; {
		p, err := d.AwaitChanges(ctx, q, recovery)
		if err != nil || len(p.Changes) == 0 || int64(len(p.Changes)) > q.Limit {
			t.Errorf("%v: got %d changes, %v, after %d", q, len(p.Changes), err, len(got))
			return
		}
		got = append(got, p.Changes...)
		last := got[len(got)-1]
		ended = last.ID == "end" && (q.Kinds != nil || last.Kind == "floor")
		q.Since.Position = p.Next
	}
	all, err := d.ChangesBetween(ctx, ChangeQuery{Kinds: q.Kinds, Limit: int64(len(got) + 1)})
	if err != nil || len(all.Changes) != len(got) {
		t.Errorf("%v: %v", q, err)
		return
	}
	for i, c := range all.Changes {
		if got[i] != c {
			t.Errorf("%v: change %d is %v, want %v", q, i, got[i], c)
			return
		}
	}
}
