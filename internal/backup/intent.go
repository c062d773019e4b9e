package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dataapi/db"
	datasql "dataapi/sql"
)

// intent is a restore that is being carried out. While the file that holds it is there, the restore is not at its end,
// and everything that it needs is staged.
type intent struct {
	At    time.Time `json:"at"`
	Paths []string  `json:"paths"`
}

// intentPath is where the intent is, while there is one.
func (p Paths) intentPath() string { return db.StagedPath(p[datasql.OfMetadata]) + ".json" }

// commit gives what is staged its place. From when the intent is on the disk the restore is carried to its end, by
// the next start if need be.
func (p Paths) commit(files []Restored) ([]Restored, error) {
	i := intent{At: time.Now().UTC()}
	for _, f := range files {
		i.Paths = append(i.Paths, f.Path)
	}
	if err := p.declare(i); err != nil {
		return nil, err
	}
	asides, err := p.carryOut(i)
	for n := range asides {
		files[n].Aside = asides[n]
	}
	return files, err
}

func (p Paths) declare(i intent) error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(p.intentPath()), workshopPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), p.intentPath()); err != nil {
		return err
	}
	return flush(filepath.Dir(p.intentPath()))
}

func (p Paths) carryOut(i intent) (asides []string, err error) {
	for _, path := range i.Paths {
		aside, err := db.Put(path, i.At)
		if err != nil {
			return asides, err
		}
		asides = append(asides, aside)
	}
	return asides, os.Remove(p.intentPath())
}

// Finish carries a restore to its end that was cut off, or undoes it where it had not changed anything yet. It says
// in a sentence what it did, "" where there was nothing to do. While a restore is under way it does nothing.
func (p Paths) Finish() (did string, err error) {
	if !p.cutOff() {
		return "", nil
	}
	holds, err := p.hold()
	if errors.Is(err, ErrServed) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer release(holds)
	return p.finish()
}

// cutOff says whether anything of a restore is there.
func (p Paths) cutOff() bool {
	for _, path := range p {
		if path == db.Memory {
			continue
		}
		if _, err := os.Lstat(db.StagedPath(path)); err == nil {
			return true
		}
	}
	_, err := os.Lstat(p.intentPath())
	return err == nil
}

func (p Paths) finish() (did string, err error) {
	text, err := os.ReadFile(p.intentPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p.undo()
	case err != nil:
		return "", err
	}
	var i intent
	if err := json.Unmarshal(text, &i); err != nil {
		return "", fmt.Errorf("%s: %w", p.intentPath(), err)
	}
	if _, err := p.carryOut(i); err != nil {
		return "", fmt.Errorf("a restore was cut off, and cannot be finished: %w", err)
	}
	return "a restore that was cut off has been finished: what was in the backup is served now", nil
}

// undo removes what was staged by a restore that changed nothing.
func (p Paths) undo() (did string, err error) {
	for _, path := range p {
		if path == db.Memory {
			continue
		}
		found, err := db.RemoveStaged(path)
		if err != nil {
			return "", err
		}
		if found {
			did = "a restore that was cut off had changed nothing: the files are as they were before it"
		}
	}
	return did, nil
}
