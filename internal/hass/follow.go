package hass

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"sync"
	"time"

	"dataapi/db"
)

// How often a folder is looked at: Home Assistant saves a registry about ten seconds after a change. And how soon
// again, where the files or the database were just not to be had.
const (
	lookEvery = 5 * time.Second
	lookAgain = time.Second
)

// Follower keeps the database in line with the registry files of a .storage folder, or of one that holds one:
// when any of them changes, all are taken in as a whole home. It only reads them.
type Follower struct {
	path string
	db   *db.DB
	log  *slog.Logger

	taken map[string]fs.FileInfo // the files that were taken in last, or cannot be: they need not be read again
	into  any                    // the generation of the database that they were taken into

	mu    sync.Mutex
	state FollowState
}

// FollowState says how it stands. Times are zero before the first.
type FollowState struct {
	LookedAt  time.Time // at the files, last
	AppliedAt time.Time // last, whether that changed anything or not
	Problem   string    // why the files as they are now are not applied; "" where they are
}

// NewFollower returns a Follower of the folder at path, which need not be there yet.
func NewFollower(path string, d *db.DB, log *slog.Logger) *Follower {
	return &Follower{path: path, db: d, log: log, state: FollowState{Problem: "the folder has not been looked at yet"}}
}

// Path is of the folder.
func (f *Follower) Path() string { return f.path }

// State says how it stands now.
func (f *Follower) State() FollowState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Run looks at the folder again and again until ctx ends. It returns nil.
func (f *Follower) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		pause := lookEvery
		if err := f.look(ctx); passing(err) {
			pause = lookAgain
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// passing says whether what is in the way may go by itself, so that the same files may do later.
func passing(err error) bool { return errors.Is(err, errChanging) || errors.Is(err, db.ErrUnavailable) }

// look takes the files in if they, or the database, are others than those of the last time.
func (f *Follower) look(ctx context.Context) error {
	into := f.db.Generation()
	files, err := stats(f.path)
	if err == nil && into == f.into && sameFiles(files, f.taken) {
		f.note(func(*FollowState) {})
		return nil
	}
	outcome, err := f.apply(ctx, files, err)
	if ctx.Err() != nil {
		return nil
	}
	f.taken, f.into = files, into
	if passing(err) {
		f.taken = nil
	}
	f.report(outcome, err)
	return err
}

// errChanging says that somebody is writing the files.
var errChanging = errors.New("the files are being written")

// apply takes in the files that were seen, unless that went wrong.
func (f *Follower) apply(ctx context.Context, seen map[string]fs.FileInfo, err error) (Outcome, error) {
	if err != nil {
		return Outcome{}, err
	}
	registries, err := ReadStorage(f.path)
	if now, again := stats(f.path); again != nil || !sameFiles(now, seen) {
		return Outcome{}, errChanging
	}
	if err != nil {
		return Outcome{}, err
	}
	return Import(ctx, f.db, registries, How{})
}

// report notes what came of the files, and logs it where it is news.
func (f *Follower) report(outcome Outcome, err error) {
	before := f.State().Problem
	if err != nil {
		problem := err.Error()
		f.note(func(s *FollowState) { s.Problem = problem })
		if problem != before && !errors.Is(err, db.ErrUnavailable) { // of which the database tells itself
			f.log.Warn("registries of the folder are not applied", "folder", f.path, "problem", problem)
		}
		return
	}
	f.note(func(s *FollowState) { s.Problem, s.AppliedAt = "", s.LookedAt })
	total := Result{}
	for _, file := range outcome.Files {
		total.Created += file.Created
		total.Updated += file.Updated
		total.Deleted += file.Deleted
		total.Rejected = append(total.Rejected, file.Rejected...)
	}
	f.log.Info("registries of the folder applied", "folder", f.path, "created", total.Created, "updated", total.Updated,
		"deleted", total.Deleted, "rejected", len(total.Rejected))
}

func (f *Follower) note(change func(*FollowState)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state.LookedAt = time.Now()
	change(&f.state)
}

// stats looks at the registry files of a folder without opening them.
func stats(path string) (map[string]fs.FileInfo, error) {
	names, folder, err := registryFiles(path)
	if err == nil && !folder {
		err = fmt.Errorf("%s is no folder", path)
	}
	if err != nil {
		return nil, err
	}
	files := map[string]fs.FileInfo{}
	for _, name := range names {
		if files[name], err = os.Stat(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// sameFiles says whether two looks saw the same files, unchanged.
func sameFiles(a, b map[string]fs.FileInfo) bool {
	return a != nil && b != nil && maps.EqualFunc(a, b, func(x, y fs.FileInfo) bool {
		return os.SameFile(x, y) && x.Size() == y.Size() && x.ModTime().Equal(y.ModTime())
	})
}
