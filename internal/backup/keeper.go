package backup

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says where a Keeper keeps backups, and how many.
type Config struct {
	Folder  string
	Every   time.Duration // 0 makes none by itself
	Keep    int           // the newest ones that are left; at least 1
	Sources []Source
	Room    func() int64 // how many bytes the sources have now
	Version string
	Log     *slog.Logger
}

// Keeper makes backups when they are due or asked for, never two at once, and removes the oldest. It is safe for
// concurrent use.
type Keeper struct {
	Config
	making sync.Mutex

	mu      sync.Mutex // guards what follows
	last    time.Time  // when the newest was made; zero where there is none
	problem string     // what was in the way of the last one, "" where nothing was
	since   time.Time  // when that began
}

// New returns a Keeper. Run has it make backups by itself.
func New(config Config) *Keeper { return &Keeper{Config: config} }

// The names of backups are in the order of their times.
const (
	prefix = "data-api-"
	stamp  = "20060102T150405.000Z"
	suffix = ".tar"
)

// How long a service runs before the first backup that it makes by itself, and how soon it tries again.
const (
	settled    = 10 * time.Minute
	retryAfter = time.Hour
)

// Run makes backups when they are due until ctx ends, and returns nil. One that is overdue is made soon after the start,
// but not at once: then there is enough to do.
func (k *Keeper) Run(ctx context.Context) error {
	k.findLast()
	if k.Every == 0 {
		return nil
	}
	pause := max(min(settled, k.Every), k.due())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		_, err := k.Make(ctx)
		pause = k.due()
		if err != nil {
			pause = min(retryAfter, k.Every)
		}
	}
}

// due is in how long the next one is to be made.
func (k *Keeper) due() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last.IsZero() {
		return 0
	}
	return max(0, min(k.Every, k.Every-time.Since(k.last))) // the clock may have been set back
}

func (k *Keeper) findLast() {
	all, err := k.List()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil && len(all) > 0 {
		k.last = all[0].CreatedAt
	}
}

// Make makes a backup in the folder, which it makes as well, and removes those that are more than are to be kept. The
// error is ErrBusy while another is being made, and a Failed where it cannot be made. One that cannot be made costs none of
// those that are there.
func (k *Keeper) Make(ctx context.Context) (Backup, error) {
	if !k.making.TryLock() {
		return Backup{}, ErrBusy
	}
	defer k.making.Unlock()
	start := time.Now()
	b, err := k.make(ctx)
	if ctx.Err() != nil {
		return b, ctx.Err()
	}
	if err != nil {
		k.Log.Error("backup failed", "folder", k.Folder, "error", err)
		err := failed(err)
		k.note(err.Detail)
		return b, err
	}
	k.note("")
	k.Log.Info("backup made and verified", "path", filepath.Join(k.Folder, b.Name), "bytes", b.Bytes, "duration", time.Since(start))
	if err := k.prune(); err != nil {
		k.Log.Error("old backups cannot be removed", "folder", k.Folder, "error", err)
	}
	return b, nil
}

func (k *Keeper) make(ctx context.Context) (Backup, error) {
	if err := os.MkdirAll(k.Folder, 0o700); err != nil {
		return Backup{}, err
	}
	if err := k.fits(); err != nil {
		return Backup{}, err
	}
	name := prefix + time.Now().UTC().Format(stamp) + suffix
	return Create(ctx, k.Sources, filepath.Join(k.Folder, name), k.Version, false)
}

func (k *Keeper) note(problem string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case problem == "":
		k.last, k.since = time.Now(), time.Time{}
	case k.problem == "":
		k.since = time.Now()
	}
	k.problem = problem
}

// prune removes the oldest, and before them those of a clock that was ahead, which would be the newest for as long. Only
// what has a name that Make gives is touched.
func (k *Keeper) prune() error {
	all, err := k.names()
	if err != nil || len(all) <= k.Keep {
		return err
	}
	now := prefix + time.Now().UTC().Add(time.Minute).Format(stamp) + suffix
	slices.SortStableFunc(all, func(a, b string) int { return ahead(a, now) - ahead(b, now) })
	for _, name := range all[k.Keep:] {
		err = errors.Join(err, os.Remove(filepath.Join(k.Folder, name)))
	}
	return err
}

// ahead is 1 for a name that is of a later time than now is, else 0.
func ahead(name, now string) int { return max(0, strings.Compare(name, now)) }

// names are the names of all backups in the folder, the newest first.
func (k *Keeper) names() (all []string, err error) {
	entries, err := os.ReadDir(k.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		at, ok := strings.CutPrefix(e.Name(), prefix)
		at, tar := strings.CutSuffix(at, suffix)
		if _, err := time.Parse(stamp, at); ok && tar && err == nil {
			all = append(all, e.Name())
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all, err
}

// List lists the backups in the folder, the newest first. One that cannot be read, or of which something is missing, is
// listed as not verified. The error is a Failed where the folder cannot be read.
func (k *Keeper) List() ([]Backup, error) {
	names, err := k.names()
	all := make([]Backup, 0, len(names))
	for _, name := range names {
		path := filepath.Join(k.Folder, name)
		b, err := read(context.Background(), path, glance)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			b = unreadable(path)
		}
		all = append(all, b)
	}
	if err != nil {
		return nil, failed(err)
	}
	return all, nil
}

// unreadable is what its name and the folder say of a backup.
func unreadable(path string) Backup {
	b := Backup{Name: filepath.Base(path), Files: []File{}}
	b.CreatedAt, _ = time.Parse(prefix+stamp+suffix, b.Name)
	if info, err := os.Stat(path); err == nil {
		b.Bytes = info.Size()
	}
	return b
}

// Status is how it stands with the backups.
type Status struct {
	Every   time.Duration // 0 where none are made but on demand
	Last    time.Time     // when the newest was made; zero where there is none
	Problem string        // what was in the way of the last one; "" where nothing was
	Since   time.Time     // of Problem
}

// Status says what is known without looking.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return Status{Every: k.Every, Last: k.last, Problem: k.problem, Since: k.since}
}
